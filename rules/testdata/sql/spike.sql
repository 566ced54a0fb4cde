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
        source_id, record_index,
        principal_id AS by_1,
        date_trunc('minute', event_time) AS bin
    FROM calls
    WHERE (event_name = 'Get')
        AND principal_id IS NOT NULL
),
tainted AS (
    SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'
),
bins AS (
    SELECT by_1, bin, CAST(count(*) AS DOUBLE) AS reached,
        CAST(count(CASE WHEN tainted.source_id IS NULL THEN 1 END) AS DOUBLE) AS own
    FROM hit
    LEFT JOIN tainted ON tainted.source_id = hit.source_id AND tainted.record_index = hit.record_index
    GROUP BY by_1, bin
),
usual AS (
    SELECT by_1, bin, reached,
        count(CASE WHEN own > 0 THEN 1 END) OVER (PARTITION BY by_1) - CASE WHEN own > 0 THEN 1 ELSE 0 END AS others,
        sum(own) OVER (PARTITION BY by_1) - own AS total,
        sum(own * own) OVER (PARTITION BY by_1) - own * own AS squares
    FROM bins
),
spikes AS (
    SELECT by_1, bin
    FROM usual
    WHERE reached >= 3
        AND (others = 0
            OR reached * others > 2 * total
                AND (reached * others - total) * (reached * others - total) > 9 * (squares * others - total * total))
)
SELECT hit.event_time, hit.event_id, hit.event_source, hit.event_name, hit.outcome,
    hit.error_code, hit.account_id, hit.aws_region, hit.principal_id, hit.identity_arn,
    hit.identity_type, hit.user_name, hit.invoked_by, hit.access_key_id,
    hit.source_ip_address, hit.user_agent, hit.resource, hit.source_id, hit.record_index
FROM hit
JOIN spikes ON spikes.by_1 = hit.by_1 AND spikes.bin = hit.bin
ORDER BY event_time, event_id
