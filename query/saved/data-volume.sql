-- title: Bytes out of S3 by principal
-- description: How many bytes each principal read from and wrote to S3 buckets, by bucket. S3's data events say so in additionalEventData; without them there is nothing to add up.
-- param: since time default=1970-01-01 example=2026-09-28 : only events from this time on: a time, a date or an age such as 30d
-- param: until time default=2200-01-01 example=2026-09-30 : only events before this time
SELECT identity_arn, access_key_id, json_extract_scalar(request_parameters, '$.bucketName') AS bucket, count(*) AS calls,
    sum(CAST(CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredOut') AS DOUBLE) AS BIGINT)) AS bytes_out,
    sum(CAST(CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredIn') AS DOUBLE) AS BIGINT)) AS bytes_in,
    min(event_time) AS first_time, max(event_time) AS last_time
FROM events
WHERE event_source = 's3.amazonaws.com' AND event_category = 'Data' AND event_time >= CAST($since AS TIMESTAMP) AND event_time < CAST($until AS TIMESTAMP)
GROUP BY identity_arn, access_key_id, json_extract_scalar(request_parameters, '$.bucketName')
ORDER BY bytes_out DESC, identity_arn, access_key_id, bucket
