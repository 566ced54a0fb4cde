-- title: First and last use of every key
-- description: When each access key was first and last used, from how many addresses and regions. A key that wakes up after long rest, or one that is new, stands out.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT access_key_id, min(identity_arn) AS principal, min(event_time) AS first_use, max(event_time) AS last_use,
    count(*) AS calls, count(DISTINCT source_ip_address) AS addresses, count(DISTINCT aws_region) AS regions
FROM events
WHERE access_key_id IS NOT NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY access_key_id
ORDER BY first_use, access_key_id
