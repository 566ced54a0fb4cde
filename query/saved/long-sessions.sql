-- title: Sessions that went on long
-- description: Sessions of roles whose first and last use lie more than some hours apart.
-- param: hours number default=12 example=12 : at least so many hours
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT access_key_id, identity_arn, session_created, min(event_time) AS first_use, max(event_time) AS last_use,
    date_diff('hour', min(event_time), max(event_time)) AS hours, count(*) AS calls, count(DISTINCT source_ip_address) AS addresses
FROM events
WHERE identity_type IN ('AssumedRole', 'FederatedUser') AND access_key_id IS NOT NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY access_key_id, identity_arn, session_created
HAVING date_diff('hour', min(event_time), max(event_time)) >= CAST($hours AS BIGINT)
ORDER BY hours DESC, first_use, access_key_id
