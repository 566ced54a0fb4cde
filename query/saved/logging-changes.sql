-- title: Changes of logging and monitoring
-- description: Calls that stop, delete or change what watches the account: CloudTrail, GuardDuty, Config, Security Hub, flow logs, alarms and log groups.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT event_time, account_id, aws_region, event_source, event_name, CASE WHEN error_code IS NULL THEN 'success' ELSE error_code END AS outcome, identity_arn, access_key_id, source_ip_address,
    request_parameters, event_id
FROM events
WHERE read_only IS DISTINCT FROM TRUE AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
    AND (event_source IN ('cloudtrail.amazonaws.com', 'guardduty.amazonaws.com', 'config.amazonaws.com', 'securityhub.amazonaws.com')
            AND regexp_like(event_name, '^(Stop|Delete|Update|Put|Disable|Disassociate|Archive|Create)')
        OR event_name IN ('DeleteFlowLogs', 'DeleteLogGroup', 'DeleteLogStream', 'PutRetentionPolicy', 'DeleteAlarms', 'DisableAlarmActions',
            'DeleteDetector', 'DeleteSubscriptionFilter'))
ORDER BY event_time, event_id
