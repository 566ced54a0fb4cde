-- title: Sign-ins to the console
-- description: Every sign-in, with its result, its address and whether a second factor was used.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, json_extract_scalar(response_elements, '$.ConsoleLogin') AS result, identity_type,
    coalesce(identity_arn, user_name, principal_id) AS principal, source_ip_address,
    json_extract_scalar(additional_event_data, '$.MFAUsed') AS mfa_used, error_message, user_agent, event_id
FROM events
WHERE event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin' AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
