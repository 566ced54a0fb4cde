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
        source_id, record_index, principal_id AS scope_1,
        source_ip_address AS key_1
    FROM calls
    WHERE (event_name <> 'Idle')
        AND principal_id IS NOT NULL
        AND source_ip_address IS NOT NULL
),
tainted AS (
    SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'
),
known AS (
    SELECT scope_1, key_1, min(event_time) AS since
    FROM hit
    LEFT JOIN tainted ON tainted.source_id = hit.source_id AND tainted.record_index = hit.record_index
    WHERE tainted.source_id IS NULL
    GROUP BY scope_1, key_1
),
history AS (
    SELECT principal_id AS scope_1, min(event_time) AS since
    FROM calls
    LEFT JOIN tainted ON tainted.source_id = calls.source_id AND tainted.record_index = calls.record_index
    WHERE tainted.source_id IS NULL
        AND principal_id IS NOT NULL
    GROUP BY principal_id
)
SELECT hit.event_time, hit.event_id, hit.event_source, hit.event_name, hit.outcome,
    hit.error_code, hit.account_id, hit.aws_region, hit.principal_id, hit.identity_arn,
    hit.identity_type, hit.user_name, hit.invoked_by, hit.access_key_id,
    hit.source_ip_address, hit.user_agent, hit.resource, hit.source_id, hit.record_index
FROM hit
JOIN history ON history.scope_1 = hit.scope_1
LEFT JOIN known ON known.scope_1 = hit.scope_1 AND known.key_1 = hit.key_1
WHERE hit.event_time >= history.since + INTERVAL '1' HOUR
    AND (known.since IS NULL
        OR (known.since >= history.since + INTERVAL '1' HOUR AND hit.event_time <= known.since + INTERVAL '1' DAY))
ORDER BY event_time, event_id
