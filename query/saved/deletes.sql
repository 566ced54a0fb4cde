-- title: What was deleted
-- description: Successful calls that delete, terminate, purge or schedule a deletion, in order.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, aws_region, event_source, event_name, identity_arn, access_key_id, source_ip_address,
    request_parameters, event_id
FROM events
WHERE regexp_like(event_name, '^(Delete|Terminate|Purge|Remove|Deregister|ScheduleKeyDeletion|BatchDelete)') AND error_code IS NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
