-- title: Calls from other accounts
-- description: Calls into an account by principals of another one, by principal and call.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT account_id, identity_account_id AS caller_account, coalesce(identity_arn, principal_id) AS caller, event_source, event_name,
    count(*) AS calls, count_if(error_code IS NOT NULL) AS failed, min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE identity_account_id <> account_id AND identity_type <> 'AWSService' AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY account_id, identity_account_id, coalesce(identity_arn, principal_id), event_source, event_name
ORDER BY first_time, account_id, caller_account, caller, event_source, event_name
