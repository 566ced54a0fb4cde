-- title: What sessions of a role did
-- description: Calls by sessions of a role, by session: what an instance, a function or a person with the role did. The role is given by its name; a session's name narrows it down.
-- param: role text example=web-server : the name of the role
-- param: session text default=% example=i-0123456789abcdef0 : the name of the session; an instance's is its id
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT identity_arn, access_key_id, event_source, event_name, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed,
    count(DISTINCT source_ip_address) AS addresses, min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE identity_type = 'AssumedRole' AND session_issuer_name = $role AND identity_arn LIKE concat('%/', $session) AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY identity_arn, access_key_id, event_source, event_name
ORDER BY identity_arn, access_key_id, calls DESC, event_source, event_name
