package reports

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/rules"
)

// dataEventSQL tells data events. Records older than event version 1.07 have no
// category; of those the data events that CloudTrail had then are told by name.
const dataEventSQL = `(event_category = 'Data' OR management_event = FALSE
    OR (event_category IS NULL AND management_event IS NULL AND (
        (event_source = 's3.amazonaws.com' AND event_name IN ('GetObject', 'HeadObject', 'PutObject', 'DeleteObject',
            'DeleteObjects', 'CopyObject', 'ListObjects', 'ListObjectsV2', 'SelectObjectContent', 'UploadPart'))
        OR (event_source = 'lambda.amazonaws.com' AND event_name = 'Invoke'))))`

// dataEventGap tells whether access to data was recorded, and to which.
func (inc *Incident) dataEventGap() {
	var present []string
	s3 := false
	for _, v := range inc.Coverage.Classes {
		if v.Class != "data" {
			continue
		}
		s3 = s3 || v.EventSource == "s3.amazonaws.com"
		what := shortSource(v.EventSource)
		if v.ResourceType != "" {
			what += " " + v.ResourceType
		}
		present = append(present, fmt.Sprintf("recorded: %s (%s of %s in %s)", what,
			plural(v.Events, "event"), plural(v.Names, "kind"), plural(v.Accounts, "account")))
	}
	switch {
	case len(present) == 0:
		inc.gap("no-data-events", rules.High, "No data events were recorded",
			"Reads and writes of data itself (objects in S3, items in DynamoDB, calls of Lambda functions, mail sent, …) leave no trace here: theft of "+
				"data can be neither shown nor ruled out. Look at S3 server access logs, the metrics of buckets, cost reports and VPC flow logs.")
	case !s3:
		inc.gap("no-s3-data-events", rules.High, "No data events of S3 were recorded",
			"Objects read, written or deleted leave no trace here: theft from buckets can be neither shown nor ruled out. "+
				"Look at S3 server access logs and the metrics of buckets.", present...)
	default:
		inc.gap("some-data-events", rules.Info, "Data events were recorded in part",
			"Trails record data events for the resources that were chosen. What was not chosen leaves no trace.", present...)
	}
}

// loggingSQL finds the calls that stopped a trail or changed what it records,
// and for a stopped one when it was started again.
const loggingSQL = `
WITH switches AS (
    SELECT event_time, account_id, aws_region, event_name,
        coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.trailName'),
            json_extract_scalar(request_parameters, '$.eventDataStore'), '') AS trail
    FROM events
    WHERE event_source = 'cloudtrail.amazonaws.com' AND error_code IS NULL AND event_name IN ('StopLogging', 'DeleteTrail',
        'StartLogging', 'PutEventSelectors', 'UpdateTrail', 'StopEventDataStoreIngestion', 'DeleteEventDataStore',
        'StartEventDataStoreIngestion')
)
SELECT s.event_time, coalesce(s.account_id, ''), coalesce(s.aws_region, ''), s.event_name, s.trail, (
        SELECT min(r.event_time) FROM switches r
        WHERE r.event_name IN ('StartLogging', 'StartEventDataStoreIngestion') AND r.event_time > s.event_time
            AND r.account_id IS NOT DISTINCT FROM s.account_id
            AND (regexp_replace(r.trail, '^.*/', '') = regexp_replace(s.trail, '^.*/', ''))
    )
FROM switches s
WHERE s.event_name NOT LIKE 'Start%'
ORDER BY 1, 2, 4, 5`

// loggingGap tells when logging was off or told to record something else.
func (inc *Incident) loggingGap(ctx context.Context, c *query.Case) error {
	var stopped, changed []string
	err := eachRow(ctx, c, loggingSQL, nil, func(scan func(...any) error) error {
		var at, again time.Time
		var account, region, name, trail string
		if err := scan(when{&at}, &account, &region, &name, &trail, when{&again}); err != nil {
			return err
		}
		line := fmt.Sprintf("%s %s %s in account %s, %s", stamp(at), name, clip(trail, 120), account, region)
		if name == "PutEventSelectors" || name == "UpdateTrail" {
			changed = append(changed, line)
			return nil
		}
		if again.IsZero() {
			line += ": not started again within the logs"
		} else {
			line += fmt.Sprintf(": started again %s, %s later", stamp(again), span(again.Sub(at)))
		}
		stopped = append(stopped, line)
		return nil
	})
	if len(stopped) > 0 {
		inc.gap("logging-stopped", rules.Critical, "Logging was stopped",
			"From then on this trail or event data store recorded nothing. Events after it come from another trail or do not exist here: calls of that time "+
				"may still be in CloudTrail's event history (management events of 90 days).", stopped...)
	}
	if len(changed) > 0 {
		inc.gap("logging-changed", rules.Medium, "What a trail records was changed",
			"From then on it may record more or less than before: fewer kinds of events, fewer regions, another bucket.", changed...)
	}
	return err
}

// sessionLife is the longest that a temporary credential lives (36 hours, STS
// GetSessionToken): one first used so soon after the logs begin may have been
// issued before them.
const sessionLife = 36 * time.Hour

// originSQL counts the temporary keys that no event of the case issued. The
// console's own are never shown as issued; those of a service that calls on
// someone's behalf neither.
const originSQL = `
WITH used AS (
    SELECT access_key_id AS id, min(event_time) AS first, bool_or(coalesce(session_credential_from_console, FALSE)) AS console,
        bool_and(invoked_by IS NOT NULL) AS forwarded
    FROM events WHERE access_key_id LIKE 'ASIA%' GROUP BY 1
), issued AS (
    SELECT DISTINCT issued_access_key_id AS id FROM events WHERE issued_access_key_id IS NOT NULL
)
SELECT count(*), count(*) FILTER (u.console), count(*) FILTER (NOT u.console AND u.forwarded),
    count(*) FILTER (NOT u.console AND NOT u.forwarded AND u.first < ?),
    count(*) FILTER (NOT u.console AND NOT u.forwarded AND u.first >= ?)
FROM used u ANTI JOIN issued i ON i.id = u.id`

// originGap tells of credentials whose origin is not in the logs.
func (inc *Incident) originGap(ctx context.Context, c *query.Case) error {
	var all, console, forwarded, early, unexplained int64
	begin := inc.Totals.FirstEvent.Add(sessionLife)
	err := eachRow(ctx, c, originSQL, []any{begin, begin}, func(scan func(...any) error) error {
		return scan(&all, &console, &forwarded, &early, &unexplained)
	})
	if err != nil {
		return err
	}
	var mine []string
	if inc.Lineage != nil {
		for _, cred := range inc.Lineage.Credentials {
			if cred.Certainty == lineage.Unexplained {
				mine = append(mine, strings.TrimSuffix(fmt.Sprintf("%s of %s: %s", cred.ID, cred.PrincipalARN, cred.Why), ": "))
			}
		}
	}
	if len(mine) > 0 {
		inc.gap("unexplained-credentials", rules.High, fmt.Sprintf("%s of the lineage %s no origin in the logs",
			plural(int64(len(mine)), "credential"), verbOnly(len(mine), "has", "have")),
			"They act for a principal that the intruder holds, and nothing shows who issued them. More may exist that were not used yet. "+
				"The plan's denials cover the principal and so these too.", mine...)
	}
	if early+unexplained > 0 {
		inc.gap("unknown-origin", rules.Low, fmt.Sprintf("%s used without an issuing event", plural(early+unexplained, "temporary key was", "temporary keys were")),
			"The event that issued a credential may be older than the logs, in another account's logs, in a region that was not loaded, or not recorded. "+
				"A credential that the intruder got in such a way is not in the lineage.",
			fmt.Sprintf("first used within 36 hours of the beginning of the logs, which may explain it: %d", early),
			fmt.Sprintf("first used later: %d", unexplained),
			fmt.Sprintf("not counted here: %s and %s, which are never logged as issued",
				plural(console, "console session key"), plural(forwarded, "key")+" that AWS services used for a caller"))
	}
	return nil
}

// foreignSQL lists accounts that took part and whose own logs are not in the
// case: callers from outside, and accounts that handed out credentials. The
// last column says that the intruder's lineage was there.
const foreignSQL = `
WITH own AS (SELECT DISTINCT account_id AS id FROM events WHERE account_id IS NOT NULL),
intruder AS (SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'),
seen AS (
    SELECT identity_account_id AS id, FALSE AS entered, source_id, record_index FROM events
    WHERE identity_account_id IS DISTINCT FROM account_id
    UNION ALL
    SELECT split_part(issued_principal_arn, ':', 5), TRUE, source_id, record_index FROM events
    WHERE issued_principal_arn IS NOT NULL AND split_part(issued_principal_arn, ':', 5) IS DISTINCT FROM account_id
)
SELECT s.id, count(*) FILTER (NOT s.entered), count(*) FILTER (s.entered), count(i.source_id)
FROM seen s ANTI JOIN own o ON o.id = s.id
LEFT JOIN intruder i ON i.source_id = s.source_id AND i.record_index = s.record_index
WHERE regexp_like(s.id, '^[0-9]{12}$') GROUP BY s.id ORDER BY 4 DESC, 3 DESC, 2 DESC, 1`

// foreignGap tells of accounts whose own logs are not in the case.
func (inc *Incident) foreignGap(ctx context.Context, c *query.Case) error {
	severity := rules.Info
	var details []string
	err := eachRow(ctx, c, foreignSQL, nil, func(scan func(...any) error) error {
		var id string
		var calls, entered, intruder int64
		if err := scan(&id, &calls, &entered, &intruder); err != nil {
			return err
		}
		var parts []string
		if calls > 0 {
			parts = append(parts, plural(calls, "call")+" from it")
		}
		if entered > 0 {
			parts = append(parts, plural(entered, "credential")+" issued for it")
		}
		if intruder > 0 {
			severity = rules.High
			parts = append(parts, fmt.Sprintf("%d of these by the lineage", intruder))
		}
		details = append(details, "account "+id+": "+strings.Join(parts, ", "))
		return nil
	})
	if len(details) > 0 {
		inc.gap("foreign-accounts", severity, fmt.Sprintf("%s took part whose logs are not here", plural(int64(len(details)), "account")),
			"What was done in an account is in its own logs. Where the lineage has entered one, load that account's logs and trace again.", details...)
	}
	return err
}
