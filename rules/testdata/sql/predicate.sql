WITH calls AS (
    SELECT events.*,
        CASE
            WHEN coalesce(error_code, '') = '' AND coalesce(error_message, '') = '' THEN
                CASE WHEN event_source = 'signin.amazonaws.com'
                        AND (response_elements LIKE '%"Failure"%' OR service_event_details LIKE '%"Failure"%')
                    THEN 'failed' ELSE 'success' END
            WHEN regexp_like(error_code, '(?i)access_?denied|unauthori[sz]ed|not_?authori[sz]ed|forbidden|authorization_?(error|exception|failure|failed)|(insufficient|missing)_?(privilege|permission)|permissions?_?denied|^(client\.)?no_?permissions?')
                OR regexp_like(error_message, '(?i)(not|n''t) (currently )?authori[sz]ed to |\bwith an explicit deny\b|^access ?denied\b')
                THEN 'denied'
            ELSE 'failed'
        END AS outcome
    FROM events
)
SELECT event_time, event_id, event_source, event_name, outcome, error_code, account_id,
    aws_region, principal_id, identity_arn, identity_type, user_name, invoked_by,
    access_key_id, source_ip_address, user_agent,
    (json_extract_scalar(request_parameters, '$.name')) AS resource, source_id, record_index
FROM calls
WHERE (event_name LIKE 'Create%')
ORDER BY event_time, event_id
