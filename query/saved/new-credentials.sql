-- title: Credentials that were made
-- description: Access keys, passwords, service credentials and sessions that calls handed out to whom, without the sessions that services take for roles.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, event_name, coalesce(identity_arn, user_name) AS issued_by, access_key_id AS issuer_key, source_ip_address,
    coalesce(issued_principal_arn, json_extract_scalar(request_parameters, '$.userName')) AS issued_to, issued_access_key_id,
    issued_expiration, event_id
FROM events
WHERE error_code IS NULL AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
    AND (issued_access_key_id IS NOT NULL AND coalesce(identity_type, '') <> 'AWSService'
        OR event_source = 'iam.amazonaws.com' AND event_name IN ('CreateLoginProfile', 'UpdateLoginProfile', 'CreateServiceSpecificCredential',
            'UploadSSHPublicKey', 'UploadSigningCertificate'))
ORDER BY event_time, event_id
