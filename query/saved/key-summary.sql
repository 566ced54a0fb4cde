-- title: What a key did, by API call
-- description: How often an access key made each call, with the first and the last time, the addresses and how much was refused.
-- param: key text example=AKIAIOSFODNN7EXAMPLE : the access key id
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_source, event_name, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed,
    min(event_time) AS first_time, max(event_time) AS last_time, count(DISTINCT source_ip_address) AS addresses
FROM events
WHERE access_key_id = $key AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY event_source, event_name
ORDER BY calls DESC, event_source, event_name
