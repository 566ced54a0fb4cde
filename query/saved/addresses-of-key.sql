-- title: Addresses and agents of a key
-- description: From where and with which program an access key was used. Two clusters of use of one key are often its owner and somebody else.
-- param: key text example=AKIAIOSFODNN7EXAMPLE : the access key id
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT source_ip_address, user_agent, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed,
    min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE access_key_id = $key AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY source_ip_address, user_agent
ORDER BY first_time, source_ip_address, user_agent
