-- title: What an instance's role did
-- description: Calls with the credentials of an EC2 instance, by address and call. An address that is not the instance's own is somebody who carried them away.
-- param: instance text example=i-0123456789abcdef0 : the id of the instance
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT source_ip_address, session_issuer_arn AS role_arn, access_key_id, event_source, event_name, count(*) AS calls,
    count_if(error_code IS NOT NULL) AS failed, min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE identity_type = 'AssumedRole' AND identity_arn LIKE concat('%/', $instance) AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY source_ip_address, session_issuer_arn, access_key_id, event_source, event_name
ORDER BY first_time, source_ip_address, access_key_id, event_source, event_name
