-- title: Security groups opened to everyone
-- description: Rules that let the whole internet in, with ports and who made them.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, aws_region, json_extract_scalar(request_parameters, '$.groupId') AS group_id, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome,
    coalesce(json_format(json_extract(request_parameters, '$.ipPermissions')), request_parameters) AS permissions, identity_arn, access_key_id,
    source_ip_address, event_id
FROM events
WHERE event_source = 'ec2.amazonaws.com'
    AND event_name IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
    AND (request_parameters LIKE '%"0.0.0.0/0"%' OR request_parameters LIKE '%"::/0"%') AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
ORDER BY event_time, event_id
