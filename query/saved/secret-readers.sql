-- title: Who read secrets
-- description: Reads of secrets and of encrypted parameters, with the reader. Without a secret's name, or a part of it, all of them.
-- param: secret text default=% example=prod/db : the name or ARN of the secret, or a part of it
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, event_name, secret, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome, identity_arn, access_key_id, source_ip_address, event_id
FROM (
    SELECT *, coalesce(json_extract_scalar(request_parameters, '$.secretId'), json_extract_scalar(request_parameters, '$.name'),
        json_extract_scalar(request_parameters, '$.path'), json_format(json_extract(request_parameters, '$.names')),
        json_format(json_extract(request_parameters, '$.secretIdList'))) AS secret
    FROM events
    WHERE (event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue')
        OR event_source = 'ssm.amazonaws.com' AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory'))
        AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
) AS t
WHERE coalesce(secret, '') LIKE concat('%', $secret, '%')
ORDER BY event_time, event_id
