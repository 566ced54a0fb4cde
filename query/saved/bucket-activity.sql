-- title: Who touched a bucket
-- description: Calls on an S3 bucket and its objects, by principal and call. Reads and writes of objects are there only where the trail records data events.
-- param: bucket text example=customer-data : the name of the bucket
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT identity_arn, access_key_id, source_ip_address, event_name, count(*) AS calls, count_if(error_code IS NOT NULL) AS failed,
    count(DISTINCT json_extract_scalar(request_parameters, '$.key')) AS objects, min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE event_source = 's3.amazonaws.com' AND json_extract_scalar(request_parameters, '$.bucketName') = $bucket AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY identity_arn, access_key_id, source_ip_address, event_name
ORDER BY calls DESC, identity_arn, access_key_id, source_ip_address, event_name
