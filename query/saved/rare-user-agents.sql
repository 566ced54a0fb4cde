-- title: Agents that a principal hardly uses
-- description: Principals that used a program for few of their calls, though they have made many with another: a stolen credential is seldom used with its owner's program.
-- param: percent number default=10 example=5 : at most this share of the principal's calls
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT identity_arn, user_agent, calls, all_calls, first_time, last_time
FROM (
    SELECT identity_arn, user_agent, count(*) AS calls, min(event_time) AS first_time, max(event_time) AS last_time,
        sum(count(*)) OVER (PARTITION BY identity_arn) AS all_calls
    FROM events
    WHERE identity_arn IS NOT NULL AND user_agent IS NOT NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
    GROUP BY identity_arn, user_agent
) AS t
WHERE 100 * calls <= CAST($percent AS BIGINT) * all_calls
ORDER BY calls, first_time, identity_arn, user_agent
