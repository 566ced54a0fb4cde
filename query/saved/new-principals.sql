-- title: Principals that were not seen before
-- description: Who made the first call after a time. Sessions of a role count as the role.
-- param: after time example=2026-09-28 : who was seen before this time is not new
SELECT coalesce(session_issuer_arn, identity_arn) AS principal, min(identity_type) AS identity_type, min(event_time) AS first_time,
    min_by(event_name, event_time) AS first_call, min_by(source_ip_address, event_time) AS first_address, count(*) AS calls
FROM events
WHERE coalesce(session_issuer_arn, identity_arn) IS NOT NULL
GROUP BY coalesce(session_issuer_arn, identity_arn)
HAVING min(event_time) >= CAST($after AS TIMESTAMP)
ORDER BY first_time, principal
