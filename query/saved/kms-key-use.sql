-- title: Use of KMS keys
-- description: Who encrypted, decrypted and changed with which KMS key, and for which service. Without a key's ARN, or a part of it, all of them.
-- param: key text default=% example=key/1234abcd : the ARN or id of the key, or a part of it
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT kms_key, identity_arn, invoked_by, event_name, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed,
    min(event_time) AS first_time, max(event_time) AS last_time
FROM (
    SELECT *, coalesce(json_extract_scalar(resources, '$[0].ARN'), json_extract_scalar(request_parameters, '$.keyId')) AS kms_key
    FROM events
    WHERE event_source = 'kms.amazonaws.com' AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
) AS t
WHERE coalesce(kms_key, '') LIKE concat('%', $key, '%')
GROUP BY kms_key, identity_arn, invoked_by, event_name
ORDER BY kms_key, calls DESC, identity_arn, invoked_by, event_name
