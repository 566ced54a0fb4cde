-- title: Regions that an account had not used
-- description: Regions in which an account made its first call after a time, with who made it. Intruders like regions that nobody watches.
-- param: after time example=2026-09-28 : what was used before this time is not new
SELECT account_id, aws_region, min(event_time) AS first_time, min_by(identity_arn, event_time) AS first_principal,
    min_by(event_name, event_time) AS first_call, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed
FROM events
WHERE aws_region IS NOT NULL
GROUP BY account_id, aws_region
HAVING min(event_time) >= CAST($after AS TIMESTAMP)
ORDER BY first_time, account_id, aws_region
