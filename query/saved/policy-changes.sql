-- title: Changes of permissions
-- description: Successful changes of policies of identities, of who may assume a role, and of policies that lie on buckets, keys, functions, queues and other resources.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, event_source, event_name, identity_arn, access_key_id, source_ip_address,
    coalesce(json_extract_scalar(request_parameters, '$.userName'), json_extract_scalar(request_parameters, '$.roleName'),
        json_extract_scalar(request_parameters, '$.groupName'), json_extract_scalar(request_parameters, '$.bucketName'),
        json_extract_scalar(request_parameters, '$.keyId'), json_extract_scalar(request_parameters, '$.functionName'),
        json_extract_scalar(request_parameters, '$.policyArn'), json_extract_scalar(request_parameters, '$.policyName')) AS target,
    request_parameters, event_id
FROM events
WHERE error_code IS NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
    AND (event_source = 'iam.amazonaws.com' AND regexp_like(event_name, 'Policy|PermissionsBoundary|AddUserToGroup|AddRoleToInstanceProfile')
        AND NOT regexp_like(event_name, '^(Get|List|Simulate|Generate)')
        OR event_name IN ('PutBucketPolicy', 'DeleteBucketPolicy', 'PutBucketAcl', 'PutObjectAcl', 'PutBucketPublicAccessBlock',
            'DeleteBucketPublicAccessBlock', 'PutAccountPublicAccessBlock', 'PutKeyPolicy', 'CreateGrant', 'AddPermission', 'RemovePermission',
            'AddPermission20150331v2', 'RemovePermission20150331v2', 'PutResourcePolicy', 'DeleteResourcePolicy', 'SetRepositoryPolicy',
            'SetQueueAttributes', 'SetTopicAttributes', 'AttachPolicy', 'DetachPolicy'))
ORDER BY event_time, event_id
