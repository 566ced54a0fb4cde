-- title: Refused calls that succeeded later
-- description: A call that a principal was refused and that it made with success afterwards, within some hours: permissions were widened, or another way was found.
-- param: hours number default=24 example=24 : the most hours between the two
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT d.identity_arn, d.event_source, d.event_name, min(d.event_time) AS denied, count(DISTINCT d.event_id) AS times_denied,
    min(s.event_time) AS succeeded
FROM events AS d
JOIN events AS s ON s.identity_arn = d.identity_arn AND s.event_source = d.event_source AND s.event_name = d.event_name
    AND s.event_time > d.event_time AND date_diff('hour', d.event_time, s.event_time) < CAST($hours AS BIGINT)
WHERE (d.error_code LIKE '%AccessDenied%' OR d.error_code LIKE '%Unauthorized%') AND s.error_code IS NULL
    AND d.event_time >= CAST($since AS TIMESTAMP) AND d.event_time < CAST($until AS TIMESTAMP)
GROUP BY d.identity_arn, d.event_source, d.event_name
ORDER BY denied, d.identity_arn, d.event_source, d.event_name
