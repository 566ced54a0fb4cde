-- title: Events by hour
-- description: How many events each hour has, how many were refused and how many principals were at work. A sudden rise or a silent hour is a lead.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT date_trunc('hour', event_time) AS hour, count(*) AS events, count_if(error_code IS NOT NULL) AS failed,
    count(DISTINCT identity_arn) AS principals
FROM events
WHERE event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY date_trunc('hour', event_time)
ORDER BY hour
