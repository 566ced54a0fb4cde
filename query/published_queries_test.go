package query_test

// publishedQueries are questions that AWS's pages and samples ask, in the way in
// which they ask them, and the rows that our made-up events give.
var publishedQueries = []struct{ after, sql, rows string }{
	{"https://docs.aws.amazon.com/athena/latest/ug/query-examples-cloudtrail-logs.html", `
		SELECT * FROM cloudtrail_logs WHERE eventsource = 's3.amazonaws.com' AND eventname IN ('NoSuchEvent') LIMIT 10;`, ``},
	{"https://docs.aws.amazon.com/athena/latest/ug/tips-for-querying-cloudtrail-logs.html", `
		SELECT
		 useridentity.arn,
		 eventname,
		 sourceipaddress,
		 eventtime
		FROM cloudtrail_logs
		ORDER BY eventtime
		LIMIT 2;`, `
arn:aws:iam::111122223333:user/alice|CreateBucket|192.0.2.76|2023-01-22T16:53:53Z
arn:aws:sts::111122223333:assumed-role/Admin/bob|AuthorizeSecurityGroupIngress|198.51.100.7|2023-01-23T10:00:00Z`},
	{"https://docs.aws.amazon.com/athena/latest/ug/query-examples-cloudtrail-logs.html, nested fields", `
		SELECT eventid, resources[1].arn, useridentity.sessioncontext.sessionissuer.username, tlsdetails.tlsversion
		FROM "default"."cloudtrail_logs" WHERE eventname IN ('CreateBucket', 'AuthorizeSecurityGroupIngress') ORDER BY eventid`, `
00000000-0000-4000-8000-000000000001|arn:aws:s3:::acme-logs|<nil>|TLSv1.2
00000000-0000-4000-8000-000000000002|<nil>|Admin|<nil>`},
	{"https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html", `
		SELECT eventname FROM cloudtrail_logs_pp WHERE timestamp >= '2023/01/24' AND timestamp < '2023/01/26' AND region = 'us-east-1' ORDER BY eventtime`, `
ConsoleLogin
AssumeRole`},
	{"https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-org-wide-trail.html", `
		SELECT account, year, month, day, count(*) FROM awsdatacatalog.default.cloudtrail_logs
		WHERE account = '111122223333' AND year = '2023' AND month = '02' GROUP BY 1, 2, 3, 4`, `
111122223333|2023|02|01|2`},
	{"https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-request-identification.html", `
		SELECT eventtime, useridentity.arn, json_extract_scalar(requestparameters, '$.bucketName') AS bucketName,
			json_extract_scalar(requestparameters, '$.key') AS object
		FROM cloudtrail_logs WHERE eventname IN ('GetObject') AND eventtime BETWEEN '2023-01-05T00:00:00Z' AND '2023-02-16T00:00:00Z'`, `
2023-02-01T12:00:00Z|arn:aws:iam::111122223333:user/alice|acme-logs|a/b.txt`},
	{"https://aws.amazon.com/blogs/big-data/aws-cloudtrail-and-amazon-athena-dive-deep-to-analyze-security-compliance-and-operational-activity/", `
		SELECT useridentity.username, sourceipaddress, eventtime, additionaleventdata
		FROM default.cloudtrail_logs
		WHERE eventname = 'ConsoleLogin' AND eventtime >= '2023-01-17T00:00:00Z' AND eventtime < '2023-02-17T00:00:00Z'`, `
alice|192.0.2.76|2023-01-24T08:15:30Z|{"LoginTo":"https://console.aws.amazon.com/console/home?region=us-east-1&state=a+b%21","MobileVersion":"No","MFAUsed":"No"}`},
	{"the same: which sessions had MFA", `
		SELECT count (*) AS TotalEvents, useridentity.arn, useridentity.sessioncontext.attributes.mfaauthenticated
		FROM cloudtrail_logs WHERE useridentity.sessioncontext.attributes.mfaauthenticated = 'true' GROUP BY 2, 3`, `
1|arn:aws:sts::111122223333:assumed-role/Admin/bob|true`},
	{"https://docs.aws.amazon.com/prescriptive-guidance/, time between first and last use of a key", `
		SELECT useridentity.accesskeyid AS key, date_diff('day', from_iso8601_timestamp(min(eventtime)), from_iso8601_timestamp(max(eventtime))) AS days,
			array_join(array_sort(array_agg(DISTINCT awsregion)), ', ')
		FROM cloudtrail_logs WHERE useridentity.accesskeyid IS NOT NULL GROUP BY 1 ORDER BY 1`, `
AKIAEXAMPLEALICE0001|9|eu-west-1, us-east-1
ASIAEXAMPLEBOB000001|0|us-west-2`},
	{"security groups opened to the world, as published for Athena", `
		SELECT useridentity.arn, json_extract_scalar(permission, '$.ipProtocol') AS protocol, CAST(json_extract(permission, '$.fromPort') AS VARCHAR) AS port,
			json_extract_scalar(range, '$.cidrIp') AS cidr
		FROM cloudtrail_logs
		CROSS JOIN UNNEST(CAST(json_extract(requestparameters, '$.ipPermissions.items') AS ARRAY(JSON))) AS t(permission)
		CROSS JOIN UNNEST(CAST(json_extract(permission, '$.ipRanges.items') AS ARRAY(JSON))) AS u(range)
		WHERE eventname = 'AuthorizeSecurityGroupIngress' AND contains(ARRAY['0.0.0.0/0', '::/0'], json_extract_scalar(range, '$.cidrIp'))`, `
arn:aws:sts::111122223333:assumed-role/Admin/bob|tcp|22|0.0.0.0/0`},
	{"resources of an event side by side", `
		SELECT eventname, r.arn, n FROM cloudtrail_logs CROSS JOIN UNNEST(resources) WITH ORDINALITY AS t(r, n)
		WHERE cardinality(resources) > 1 AND any_match(resources, x -> x.type = 'AWS::IAM::Role') ORDER BY n`, `
AssumeRole|arn:aws:iam::111122223333:role/Audit|1
AssumeRole|arn:aws:iam::444455556666:root|2`},
	{"resources of an event, their fields as columns", `
		SELECT resource_arn FROM cloudtrail_logs CROSS JOIN UNNEST(resources) AS t (resource_arn, account_id, resource_type)
		WHERE resource_type = 'AWS::IAM::Account'`, `arn:aws:iam::444455556666:root`},

	{"https://docs.aws.amazon.com/awscloudtrail/latest/userguide/lake-console-queries.html", `
		SELECT
		    userIdentity.principalid,
		    eventName
		FROM
		    event_data_store_ID
		WHERE
		    userIdentity.principalid IS NOT NULL
		AND
		    eventTime > '2023-01-22 00:00:00'
		AND
		    eventTime < '2023-01-23 00:00:00'
		AND
		    eventName='CreateBucket'`, `AIDAEXAMPLEALICE00001|CreateBucket`},
	{"the same: queries that were run", `
		SELECT element_at(responseElements, 'queryId'), element_at(requestParameters, 'queryStatement')
		FROM event_data_store_ID
		WHERE eventName='StartQuery' AND eventSource = 'cloudtrail.amazonaws.com' AND responseElements IS NOT NULL
		AND eventTime > '2023-01-01 00:00:00' AND eventTime < '2023-03-01 00:00:00'`, `Q-1|select * from x`},
	{"https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-limitations.html, several stores", `
		Select eventId, eventName from EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE UNION Select eventId, eventName from
		EXAMPLEg741-6y1x-9p3v-bnh6iEXAMPLE EXCEPT Select eventId, eventName from EXAMPLEb529-4e8f9l3d-6m2z-lkp5sEXAMPLE ORDER BY eventId LIMIT 10;`, ``},
	{"the same: a join", `
		SELECT edsA.eventName, element_at(edsB.requestParameters, 'bucketName')
		FROM eds1 as edsA LEFT JOIN eds2 as edsB ON edsA.eventId = edsB.eventId
		WHERE edsA.eventtime <= '2023-01-23' ORDER BY edsB.eventName;`, `CreateBucket|acme-logs`},
	{"https://github.com/aws-samples/cloud-trail-lake-query-samples, console logins without MFA", `
		SELECT eventName, userIdentity.userName FROM $EDS_ID
		WHERE eventsource = 'signin.amazonaws.com' AND eventname = 'ConsoleLogin' AND Element_at(additionaleventdata, 'MFAUsed'
		    ) = 'No'`, `ConsoleLogin|alice`},
	{"the same: across accounts", `
		SELECT userIdentity.principalid, eventName, userIdentity.accountId, recipientAccountId, eventTime FROM <EDS ID>
		WHERE eventTime > '2023-01-01 00:00:00' AND userIdentity.accountId != recipientAccountId`, `
AIDAEXAMPLEOTHER00001|AssumeRole|444455556666|111122223333|2023-01-25 01:02:03`},
	{"the same: by day of the week", `
		SELECT day_of_week(eventTime) as weekday, COUNT(*) as eventCount FROM "1a2b3c4d-0000-4f1e-8bd1-bcf6c1234567"
		WHERE eventCategory = 'Data' GROUP BY day_of_week(eventTime) ORDER BY day_of_week(eventTime)`, `3|1`},
	{"the same: security groups", `
		SELECT userIdentity.arn AS user, element_at(requestParameters, 'groupId') AS securityGroup, element_at(requestParameters, 'ipPermissions') AS rule
		FROM <event_data_store_id>
		WHERE eventName = 'AuthorizeSecurityGroupIngress' AND element_at(requestParameters, 'ipPermissions') LIKE '%0.0.0.0/0%' -- public
		UNION ALL
		SELECT userIdentity.arn AS user, json_extract_scalar(element_at(requestParameters, 'ModifySecurityGroupRulesRequest'), '$.GroupId') securityGroup, ''
		FROM <event_data_store_id> WHERE eventName = 'ModifySecurityGroupRules'`, `
arn:aws:sts::111122223333:assumed-role/Admin/bob|sg-0001|{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"},{"cidrIp":"10.0.0.0/8"}]}}]}`},
	{"the same: by the record's text", `
		SELECT json_extract_scalar(eventjson, '$.requestParameters.ipPermissions.items[0].ipRanges.items[1].cidrIp') AS cidr, json_extract(eventJson, '$.vendorNote["kept"]')
		FROM $EDS_ID WHERE eventName IN ('AuthorizeSecurityGroupIngress', 'StartQuery') ORDER BY eventTime`, "10.0.0.0/8|<nil>\n<nil>|1.5"},
	{"the same: lambdas over JSON", `
		SELECT transform(filter(items, item -> cast(json_extract(item, '$.ipProtocol') as varchar) = 'tcp'), found -> json_extract(found, '$.toPort')) AS ports
		FROM (SELECT map_values(cast(json_extract(json_parse(eventJson), '$.requestParameters.ipPermissions') as map(varchar, json))) AS lists, eventTime
			FROM EDS_ID WHERE eventName = 'AuthorizeSecurityGroupIngress')
		CROSS JOIN UNNEST(transform(lists, l -> cast(l AS ARRAY(JSON)))) AS t(items)`, `[22]`},
	{"the same: names out of stacks", `
		SELECT regexp_replace(element_at(requestParameters, 'bucketName'), '^acme-|(-[a-f0-9]{8})$') AS name FROM $EDS_ID WHERE eventName = 'CreateBucket'`, `logs`},
	{"the same: fields of an element", `
		select eventid, element_at(resources,1
		    ).arn, element_at(resources, -1).accountId from <Event data store Id> where eventName = 'AssumeRole' and errorcode IS NULL`, `
00000000-0000-4000-8000-000000000004|arn:aws:iam::111122223333:role/Audit|444455556666`},
	{"the same: objects, grouped by all parameters", `
		SELECT element_at(requestParameters, 'bucketName'
		    ) as bucketName,  element_at(requestParameters, 'key'
		    ) as key,  COUNT(*
		    ) as requestCount FROM $EDS_ID WHERE eventSource = 's3.amazonaws.com' AND eventCategory = 'Data'
		GROUP BY requestParameters ORDER BY requestCount DESC LIMIT 20;`, `acme-logs|a/b.txt|1`},
	{"the same: a name of one's own for the events", `
		WITH events AS (SELECT useridentity.accountid AS account_id, min(eventtime) OVER (PARTITION BY useridentity.accountid) AS first,
			max(eventtime) OVER (PARTITION BY useridentity.accountid) AS last FROM cloudtrail_logs WHERE useridentity.accountid IS NOT NULL)
		SELECT DISTINCT account_id, DATE_DIFF('hour', from_iso8601_timestamp(first), from_iso8601_timestamp(last)) AS hours FROM events ORDER BY 2`, `
444455556666|0
111122223333|235`},
	{"parameters of an event as rows", `
		SELECT k, v FROM event_data_store CROSS JOIN UNNEST(requestParameters) AS p(k, v) WHERE eventName = 'GetObject' ORDER BY k`, `
bucketName|acme-logs
key|a/b.txt`},
	{"numbers and truth in maps are text", `
		SELECT element_at(additionalEventData, 'bytesTransferredOut'), element_at(responseElements, '_return'), readOnly, resources[1].arnPrefix
		FROM event_data_store WHERE eventName IN ('GetObject', 'AuthorizeSecurityGroupIngress') ORDER BY eventTime`, `
<nil>|true|false|<nil>
243.0|<nil>|true|arn:aws:s3:::acme-logs/`},
	{"the last week before a time, by hour", `
		SELECT date_trunc('hour', eventTime) AS hour, count_if(errorCode IS NOT NULL) AS errors, approx_distinct(sourceIPAddress) AS addresses
		FROM event_data_store WHERE eventTime BETWEEN TIMESTAMP '2023-02-02 00:00:00' - interval '7' day AND date_add('day', 1, date_parse('2023-02-01', '%Y-%m-%d'))
		GROUP BY 1 ORDER BY 1 LIMIT ALL`, `
2023-02-01 12:00:00|1|1`},
	{"hours of New York", `
		SELECT hour(eventTime AT TIME ZONE 'America/New_York'), format_datetime(eventTime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') FROM event_data_store WHERE eventName = 'ConsoleLogin'`, `
3|2023-01-24T08:15:30Z`},
	{"where a login went", `
		SELECT url_extract_host(element_at(additionalEventData, 'LoginTo')), url_extract_parameter(element_at(additionalEventData, 'LoginTo'), 'state')
		FROM event_data_store WHERE eventName = 'ConsoleLogin'`, `console.aws.amazon.com|a b!`},
	{"a partitioned table of an account: keys of a day", `
		select useridentity.accesskeyid, region from cloudtrail_111122223333
		where year = '2023' and month = '02' and day = '01' and useridentity.accesskeyid is not null group by 1, 2 order by 2`, `
AKIAEXAMPLEALICE0001|eu-west-1
AKIAEXAMPLEALICE0001|us-east-1`},
	{"a workshop's table", `
		SELECT eventname, count(eventid) as COUNT FROM "workshopdatabase"."workshoptablecloudtrail"
		WHERE (date_partition >= '2023/01/23' AND date_partition <= '2023/01/24') AND region_partition = 'us-west-2' GROUP BY eventname ORDER BY COUNT DESC;`, `
AuthorizeSecurityGroupIngress|1`},
	{"a template that was not filled in", `
		SELECT coalesce(useridentity.arn, useridentity.principalid) AS identity, date_trunc('hour', from_iso8601_timestamp(eventtime)) AS hour
		FROM "${database}"."${table}" WHERE eventname = 'ConsoleLogin' AND "timestamp" >= cast(date '2023-01-25' - interval '3' day as varchar)`, `
arn:aws:iam::111122223333:user/alice|2023-01-24 08:00:00`},
	{"percentages and shares of whole numbers", `
		SELECT count_if(errorcode IS NOT NULL) / count(*) AS whole, count_if(errorcode IS NOT NULL) * 100 / count(*) AS percent,
			round(count_if(errorcode IS NOT NULL) * 100.0 / count(*), 1), count(*) * 1.0 / (SELECT count(*) FROM cloudtrail_logs) FROM cloudtrail_logs`, `0|16|16.7|1`},
	{"NULL in concat, greatest and least", `
		SELECT concat(split_part(eventsource, '.', 1), ':', eventname), concat(eventname, errorcode), greatest(eventname, errorcode), least(errorcode, eventname, 'x'),
			array_position(ARRAY['us-east-1'], awsregion), extract(dow FROM date(from_iso8601_timestamp(eventtime)))
		FROM cloudtrail_logs WHERE eventname IN ('CreateBucket', 'GetObject') ORDER BY eventtime`, `
s3:CreateBucket|<nil>|<nil>|<nil>|1|7
s3:GetObject|GetObjectAccessDenied|GetObject|AccessDenied|0|3`},
	{"the ids of a graph's nodes", `
		select lower(to_hex(md5(to_utf8(a.eventSource)))) as "~to", a.eventName as "~label"
		from (select * from logs.cloudtrail) a left join (select eventId, r.ARN as resource_arn from logs.cloudtrail cross join unnest(resources) as t (r)) b
		on a.eventId = b.eventId where b.resource_arn = 'arn:aws:s3:::acme-logs'
		and date_parse(a.eventTime, '%Y-%m-%dT%TZ') between date '2023-01-01' and date '2023-01-31'`, `576b67be8c1de540d053ad568a27af45|CreateBucket`},
	{"Lake compares its times with text", `
		SELECT eventName FROM $EDS_ID WHERE eventTime >= date_format(date_add('day', -1, timestamp '2023-02-02 00:00:00'), '%Y-%m-%d %H:%i:%s')
		AND eventtime < ='2023-02-01 12:00:00'`, `GetObject`},
	{"what a resource is called without its prefix", `
		SELECT accountid, replace(resourceArn, 'arn:aws:s3:::') AS bucket FROM <event-data-store-ID> t
		CROSS JOIN UNNEST(t.resources) unnested (accountid, resourceType, resourceArn, resourceArnPrefix) WHERE resourceType = 'AWS::S3::Bucket'`, `111122223333|acme-logs`},
	{"totals", `
		SELECT awsregion, eventname, count(*) FROM cloudtrail_logs WHERE eventsource = 's3.amazonaws.com' GROUP BY GROUPING SETS ((awsregion), ()) , eventname ORDER BY 2, 1`, `
us-east-1|CreateBucket|1
<nil>|CreateBucket|1
eu-west-1|GetObject|1
<nil>|GetObject|1`},
	{"the file of an event, which * does not give", `
		WITH l AS (SELECT *, regexp_extract("$path", '[^/]+$') AS file FROM cloudtrail_logs WHERE "$path" LIKE '%events.json')
		SELECT l.* EXCLUDE (useridentity, requestparameters, additionaleventdata, resources, addendum, tlsdetails) FROM l WHERE eventname = 'GetObject'`, `
1.08|2023-02-01T12:00:00Z|s3.amazonaws.com|GetObject|eu-west-1|192.0.2.76|aws-cli/2.9|AccessDenied|Access Denied|<nil>|R5|00000000-0000-4000-8000-000000000005|true|AwsApiCall|<nil>|111122223333|<nil>|<nil>|<nil>|<nil>|Data|<nil>|<nil>|111122223333|eu-west-1|2023|02|01|2023/02/01|events.json`},
	{"the newest, of the whole table", `
		SELECT eventname, eventtime FROM cloudtrail_logs l ORDER BY l.eventtime DESC, eventname OFFSET 1 LIMIT 2`, `
GetObject|2023-02-01T12:00:00Z
AssumeRole|2023-01-25T01:02:03Z`},
	{"the same, of Lake", `
		SELECT eventName FROM $EDS_ID ORDER BY eventTime FETCH FIRST 2 ROWS ONLY`, `
CreateBucket
AuthorizeSecurityGroupIngress`},
	{"members of JSON in the case of ROW's fields", `
		SELECT p.toport, cardinality(p.ipranges.items), p.ipranges.items[1].cidrip FROM cloudtrail_logs
		CROSS JOIN UNNEST(CAST(json_extract(requestparameters, '$.ipPermissions.items') AS ARRAY(ROW(ipprotocol VARCHAR, toport INTEGER, ipranges ROW(items ARRAY(ROW(cidrip VARCHAR))))))) AS p(ipprotocol, toport, ipranges)`, `22|2|0.0.0.0/0`},
	{"addresses in a network", `
		SELECT eventname FROM cloudtrail_logs WHERE contains('192.0.2.64/27', TRY_CAST(sourceipaddress AS IPADDRESS)) AND NOT contains('::/0', CAST(sourceipaddress AS IPADDRESS)) ORDER BY eventtime LIMIT 1`, `CreateBucket`},
	{"the error before", `
		SELECT eventname, lag(errorcode) IGNORE NULLS OVER (ORDER BY eventtime), format_datetime(from_iso8601_timestamp(eventtime), 'HH:mmZ z')
		FROM cloudtrail_logs WHERE useridentity.username = 'alice' AND year = '2023' AND month = '02' ORDER BY eventtime`, `
GetObject|<nil>|12:00+0000 UTC
StartQuery|AccessDenied|12:30+0000 UTC`},
	{"Lake compares its times with text of any kind", `
		SELECT eventName FROM $EDS_ID WHERE eventTime >= concat('2023-01-24', ' 00:00:00') AND eventTime < CAST(DATE '2023-01-25' AS varchar)`, `ConsoleLogin`},
	{"days without events", `
		SELECT CAST(d AS VARCHAR), count(eventid) FROM UNNEST(sequence(DATE '2023-01-25', DATE '2023-01-26', INTERVAL '1' DAY)) AS t(d)
		LEFT JOIN cloudtrail_logs ON date(from_iso8601_timestamp(eventtime)) = d GROUP BY 1 ORDER BY 1`, `
2023-01-25|1
2023-01-26|0`},
}
