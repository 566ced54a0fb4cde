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
called AS (
    SELECT event_time, event_id, event_source, event_name, outcome, error_code, account_id,
        aws_region, principal_id, identity_arn, identity_type, user_name, invoked_by,
        access_key_id, source_ip_address, user_agent, CAST(NULL AS VARCHAR) AS resource,
        source_id, record_index,
        CASE WHEN (event_name = 'A') THEN (json_extract_scalar(request_parameters, '$.name')) END AS on_1,
        CASE WHEN (event_name = 'B') THEN (json_extract_scalar(request_parameters, '$.name')) END AS on_2,
        CASE WHEN (event_name = 'C') THEN (json_extract_scalar(request_parameters, '$.name')) END AS on_3
    FROM calls
    WHERE (event_source = 'iam.amazonaws.com')
        AND outcome IN ('success')
),
hit AS (
    SELECT * FROM called WHERE on_1 IS NOT NULL OR on_2 IS NOT NULL OR on_3 IS NOT NULL
),
steps AS (
    SELECT source_id, record_index, event_time, on_1 AS joined, 1 AS step FROM hit WHERE on_1 IS NOT NULL
    UNION ALL
    SELECT source_id, record_index, event_time, on_2 AS joined, 2 AS step FROM hit WHERE on_2 IS NOT NULL
    UNION ALL
    SELECT source_id, record_index, event_time, on_3 AS joined, 3 AS step FROM hit WHERE on_3 IS NOT NULL
),
events_of AS (
    SELECT source_id, record_index, event_time, joined, min(step) AS first_step, max(step) AS last_step,
        max(CASE WHEN step = 1 THEN 1 ELSE 0 END) AS is_1,
        max(CASE WHEN step = 2 THEN 1 ELSE 0 END) AS is_2,
        max(CASE WHEN step = 3 THEN 1 ELSE 0 END) AS is_3
    FROM steps
    WHERE joined IN (SELECT joined FROM steps GROUP BY joined HAVING min(step) = 1 AND max(step) = 3)
    GROUP BY source_id, record_index, event_time, joined
),
chain_1 AS (
    SELECT events_of.*,
        row_number() OVER (PARTITION BY joined ORDER BY event_time, first_step, last_step, source_id, record_index) AS place,
        CASE WHEN is_1 = 1 THEN event_time END AS start_1,
        CASE WHEN is_3 = 1 THEN event_time END AS end_3
    FROM events_of
),
chain_2 AS (
    SELECT chain_1.*,
        CASE WHEN is_2 = 1 THEN max(start_1) OVER (PARTITION BY joined ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS start_2,
        CASE WHEN is_2 = 1 THEN min(end_3) OVER (PARTITION BY joined ORDER BY place
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) END AS end_2
    FROM chain_1
),
chain_3 AS (
    SELECT chain_2.*,
        CASE WHEN is_3 = 1 THEN max(start_2) OVER (PARTITION BY joined ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS start_3,
        CASE WHEN is_1 = 1 THEN min(end_2) OVER (PARTITION BY joined ORDER BY place
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) END AS end_1
    FROM chain_2
),
found AS (
    SELECT DISTINCT source_id, record_index
    FROM chain_3
    WHERE end_1 <= start_1 + INTERVAL '1' MINUTE OR end_2 <= start_2 + INTERVAL '1' MINUTE OR end_3 <= start_3 + INTERVAL '1' MINUTE
)
SELECT hit.event_time, hit.event_id, hit.event_source, hit.event_name, hit.outcome,
    hit.error_code, hit.account_id, hit.aws_region, hit.principal_id, hit.identity_arn,
    hit.identity_type, hit.user_name, hit.invoked_by, hit.access_key_id,
    hit.source_ip_address, hit.user_agent, hit.resource, hit.source_id, hit.record_index
FROM hit
JOIN found ON found.source_id = hit.source_id AND found.record_index = hit.record_index
ORDER BY event_time, event_id
