-- title: Sign-ins without a second factor
-- description: Successful sign-ins to the console by users and the root user without MFA. Sessions of roles are left out: their second factor is their identity provider's.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, identity_type, coalesce(identity_arn, user_name, principal_id) AS principal, source_ip_address,
    user_agent, event_id
FROM events
WHERE event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'
    AND json_extract_scalar(response_elements, '$.ConsoleLogin') = 'Success'
    AND json_extract_scalar(additional_event_data, '$.MFAUsed') = 'No'
    AND identity_type IN ('IAMUser', 'Root') AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
