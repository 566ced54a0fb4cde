-- title: What a program did
-- description: Events whose user agent contains a text, in any case, by principal and call. Intruders' tools often name themselves.
-- param: agent text example=boto3 : a part of the user agent
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT user_agent, identity_arn, access_key_id, event_source, event_name, count(*) AS calls,
    min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE strpos(lower(user_agent), lower($agent)) > 0 AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY user_agent, identity_arn, access_key_id, event_source, event_name
ORDER BY calls DESC, user_agent, identity_arn, access_key_id, event_source, event_name
