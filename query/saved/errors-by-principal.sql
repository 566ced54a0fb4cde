-- title: Refused calls by principal
-- description: Who was refused what, and how often. Many different refused calls in a short time are somebody feeling their way.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT identity_arn, access_key_id, error_code, count(*) AS errors, count(DISTINCT event_name) AS calls,
    min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE error_code IS NOT NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY identity_arn, access_key_id, error_code
ORDER BY errors DESC, identity_arn, access_key_id, error_code
