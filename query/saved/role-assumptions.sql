-- title: Who assumed a role
-- description: Every attempt to assume a role, with the caller, the session that it got and its key. The role is given by its ARN or the end of it, such as role/Admin.
-- param: role text example=role/Admin : the ARN of the role, or its end
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, event_name, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome, coalesce(identity_arn, user_name, invoked_by, principal_id) AS caller,
    access_key_id AS caller_key, source_ip_address, json_extract_scalar(request_parameters, '$.roleArn') AS role_arn,
    json_extract_scalar(request_parameters, '$.roleSessionName') AS session_name, issued_access_key_id, issued_expiration, event_id
FROM events
WHERE event_source = 'sts.amazonaws.com' AND event_name LIKE 'AssumeRole%'
    AND json_extract_scalar(request_parameters, '$.roleArn') LIKE concat('%', $role) AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
