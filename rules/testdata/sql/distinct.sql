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
        source_id, record_index, source_ip_address AS by_1,
        principal_id AS item
    FROM calls
    WHERE (event_name = 'Login')
        AND source_ip_address IS NOT NULL
        AND principal_id IS NOT NULL
),
spans AS (
    SELECT source_id, record_index, event_time, by_1,
        lead(event_time) OVER (PARTITION BY by_1, item ORDER BY event_time) AS again
    FROM hit
    WHERE (by_1) IN (SELECT by_1 FROM hit GROUP BY by_1 HAVING count(DISTINCT item) >= 3)
),
changes AS (
    SELECT source_id, record_index, event_time, by_1, 1 AS turn, 1 AS change
    FROM spans
    UNION ALL
    SELECT source_id, record_index, again, by_1, 0, -1
    FROM spans
    WHERE again <= event_time + INTERVAL '1' MINUTE
    UNION ALL
    SELECT source_id, record_index, event_time + INTERVAL '1' MINUTE, by_1, 2, -1
    FROM spans
    WHERE again IS NULL OR again > event_time + INTERVAL '1' MINUTE
),
sums AS (
    SELECT source_id, record_index, event_time, by_1, turn,
        sum(change) OVER (PARTITION BY by_1 ORDER BY event_time, turn) AS reached
    FROM changes
),
counted AS (
    SELECT * FROM sums WHERE turn = 1
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
