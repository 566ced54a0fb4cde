-- title: What came from an address
-- description: Every event from a source address, with who made it. CloudTrail writes a host name where an AWS service made the call.
-- param: address text example=203.0.113.10 : the source address as the log has it
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, aws_region, event_source, event_name, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome,
    identity_arn, access_key_id, user_agent, event_id
FROM events
WHERE source_ip_address = $address AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
