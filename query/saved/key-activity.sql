-- title: All use of an access key
-- description: Every event that an access key signed, in order. For a summary first, run key-summary.
-- param: key text example=AKIAIOSFODNN7EXAMPLE : the access key id
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, aws_region, event_source, event_name, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome,
    source_ip_address, user_agent, identity_arn, event_id
FROM events
WHERE access_key_id = $key AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
