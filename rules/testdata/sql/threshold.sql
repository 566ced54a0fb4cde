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
),
hit AS (
    SELECT event_time, event_id, event_source, event_name, outcome, error_code, account_id,
        aws_region, principal_id, identity_arn, identity_type, user_name, invoked_by,
        access_key_id, source_ip_address, user_agent, CAST(NULL AS VARCHAR) AS resource,
        source_id, record_index, principal_id AS by_1
    FROM calls
    WHERE (event_name = 'Login')
        AND outcome IN ('denied', 'failed')
        AND principal_id IS NOT NULL
),
counted AS (
    SELECT source_id, record_index, event_time, by_1,
        count(*) OVER (PARTITION BY by_1 ORDER BY event_time RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS reached
    FROM hit
    WHERE (by_1) IN (SELECT by_1 FROM hit GROUP BY by_1 HAVING count(*) >= 3)
),
marked AS (
    SELECT source_id, record_index,
        max(reached) OVER (PARTITION BY by_1 ORDER BY event_time RANGE BETWEEN CURRENT ROW AND INTERVAL '1' MINUTE FOLLOWING) AS best
    FROM counted
)
SELECT hit.event_time, hit.event_id, hit.event_source, hit.event_name, hit.outcome,
    hit.error_code, hit.account_id, hit.aws_region, hit.principal_id, hit.identity_arn,
    hit.identity_type, hit.user_name, hit.invoked_by, hit.access_key_id,
    hit.source_ip_address, hit.user_agent, hit.resource, hit.source_id, hit.record_index
FROM hit
JOIN marked ON marked.source_id = hit.source_id AND marked.record_index = hit.record_index
WHERE marked.best >= 3
ORDER BY event_time, event_id
