-- title: The busiest principals of each hour
-- description: For each hour the principals with the most calls.
-- param: most number default=3 example=3 : so many principals an hour
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT hour, place, principal, calls, failed
FROM (
    SELECT hour, principal, calls, failed, row_number() OVER (PARTITION BY hour ORDER BY calls DESC, principal) AS place
    FROM (
        SELECT date_trunc('hour', event_time) AS hour, coalesce(identity_arn, invoked_by, principal_id, source_ip_address) AS principal,
            count(*) AS calls, count_if(error_code IS NOT NULL) AS failed
        FROM events
        WHERE event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
        GROUP BY date_trunc('hour', event_time), coalesce(identity_arn, invoked_by, principal_id, source_ip_address)
    ) AS counted
) AS ranked
WHERE place <= CAST($most AS BIGINT)
ORDER BY hour, place
