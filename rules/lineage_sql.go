package rules

// SQL that the rules over the stored lineage share. Most are about its events
// alone (Rule.OfLineage), which are few: there calls holds no others.

// ofCredentials are the events e of the lineage with the credential of it, l,
// that made them.
const ofCredentials = `calls AS e
                JOIN lineage_events AS l ON l.source_id = e.source_id AND l.record_index = e.record_index AND l.actor <> 'owner'`

// among holds for the events e of the lineage, by the credential c of it, for
// which a condition holds; joined brings in more tables.
func among(joined, condition string) string {
	return `event_id IN (
                SELECT e.event_id FROM ` + ofCredentials + `
                JOIN credentials AS c ON c.id = l.credential_id
                ` + joined + `
                WHERE ` + condition + `)`
}

// issuing holds for the events of the lineage that issued a credential c of it
// for which a condition holds.
func issuing(condition string) string {
	return `event_id IN (
                SELECT c.issued_event_id FROM credentials AS c
                WHERE c.parent IS NOT NULL AND ` + condition + `)`
}

// issued is the credential that a call issued: a password, which has no id, by
// whose it is.
const issued = `(SELECT min(CASE WHEN c.kind = 'password' THEN c.principal_arn ELSE c.id END) FROM credentials AS c WHERE c.issued_event_id = calls.event_id)`

// endings are the credentials of the lineage that were ended, when, and until
// when: a key that is disabled may be set to active again. Of two changes in a
// second the one to active counts as the later.
const endings = `(
                    SELECT id, ended_at, CAST(NULL AS TIMESTAMP) AS active_again FROM credentials WHERE ended_at IS NOT NULL
                    UNION ALL
                    SELECT id, event_time, active_again
                    FROM (
                        SELECT id, event_time, active,
                            min(CASE WHEN active THEN event_time END) OVER (PARTITION BY id ORDER BY event_time, active
                                ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS active_again
                        FROM (
                            SELECT json_extract_scalar(request_parameters, '$.accessKeyId') AS id, event_time,
                                lower(json_extract_scalar(request_parameters, '$.status')) = 'active' AS active
                            FROM events
                            WHERE event_source = 'iam.amazonaws.com' AND event_name = 'UpdateAccessKey'
                                AND error_code IS NULL AND error_message IS NULL) AS changes) AS statuses
                    WHERE NOT active)`

// ancestry are the pairs of a credential and one that it descends from. Trino
// goes ten steps deep, unless it is told otherwise.
// https://trino.io/docs/current/sql/select.html#with-recursive-clause
const ancestry = `(
                    WITH RECURSIVE ancestors (id, ancestor, depth) AS (
                        SELECT id, parent, 1 FROM credentials WHERE parent IS NOT NULL
                        UNION ALL
                        SELECT a.id, c.parent, a.depth + 1
                        FROM ancestors AS a JOIN credentials AS c ON c.id = a.ancestor
                        WHERE c.parent IS NOT NULL AND a.depth < 9)
                    SELECT id, ancestor FROM ancestors)`

// acted is what a call acts on, as far as that can be compared with another
// call of the same name: the last part of what it names first, but a role's and
// an object's whole name. A denied call often tells it in its message alone,
// where the ARN of a secret ends in six characters of AWS's.
var acted = func() string {
	refused := `nullif(regexp_extract(error_message, 'on resource: (?:(?:user|role|group|policy) )?([^ ]+)', 1), '')`
	last := `regexp_extract(coalesce(` + param("userName", "roleName", "groupName", "policyArn", "secretId",
		"functionName", "keyName", "keyId", "instanceId", "tableName", "groupId", "snapshotId", "dBInstanceIdentifier", "trailName", "name") + `,
                    ` + refused + `, ''), '[^/:*]*$', 0)`
	return `CASE event_source
                    WHEN 's3.amazonaws.com' THEN coalesce(` + param("bucketName") + ` || coalesce('/' || ` + param("key") + `, ''), regexp_extract(` + refused + `, ':::(.*)$', 1))
                    WHEN 'sts.amazonaws.com' THEN coalesce(` + param("roleArn") + `, ` + refused + `)
                    WHEN 'secretsmanager.amazonaws.com' THEN regexp_extract(` + last + `, '^(.*?)(?:-[A-Za-z0-9]{6})?$', 1)
                    ELSE ` + last + ` END`
}()

// thing is a call, where, and on what; sameThing tells it from that of another
// account as well.
var (
	thing     = `event_source || ':' || event_name || coalesce(' ' || aws_region, '') || coalesce(' ' || nullif(lower(` + acted + `), ''), '')`
	sameThing = `coalesce(account_id, '') || ' ' || ` + thing
)

// didThings are the things that credentials of the lineage did or tried.
var didThings = `(
                    SELECT l.credential_id AS doer, event_id, event_time, ` + sameThing + ` AS thing,
                        outcome AS became
                    FROM ` + ofCredentials + `)`

// network24 is the /24 of an IPv4 address and the /64 of an IPv6 one, as trace
// counts networks.
const network24 = `nullif(regexp_extract(source_ip_address, '^([0-9]+\.[0-9]+\.[0-9]+\.|(?:[0-9a-fA-F]+:){4}|(?:[0-9a-fA-F]+:){1,3}:)', 1), '')`

// intruderNetworks are the networks that the intruder used, but those that
// somebody else used before the compromise and those of workloads, where AWS
// lets others be as well.
const intruderNetworks = `(
                SELECT ` + network24 + ` FROM events
                JOIN lineage_events AS l ON events.source_id = l.source_id AND events.record_index = l.record_index
                JOIN credentials AS c ON c.id = l.credential_id
                WHERE ` + publicAddress + ` AND NOT (` + ofWorkload + `)
                GROUP BY 1
                HAVING count(CASE WHEN l.actor = 'intruder' THEN 1 END) > 0 AND count(CASE WHEN l.actor = 'owner' THEN 1 END) = 0)
            AND ` + network24 + ` NOT IN (
                SELECT ` + network24 + ` FROM events
                WHERE event_time < (SELECT min(compromised_since) FROM lineage) AND ` + network24 + ` IS NOT NULL)`

// lineageUsers are the accounts and names of the users of the lineage.
const lineageUsers = `(
                SELECT regexp_extract(arn, '^arn:[^:]*:iam::([0-9]+):user/', 1) || ' ' || lower(regexp_extract(arn, '([^/]+)$', 1))
                FROM (SELECT principal_arn AS arn FROM credentials UNION ALL SELECT arn FROM principals) AS named
                WHERE arn LIKE '%:user/%')`
