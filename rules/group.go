package rules

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// How much of a finding's events a finding names. Its count is of all, and so
// are the resources of what the lineage did: lists to rotate and to clean up.
const (
	maxEventIDs = 1000
	maxValues   = 1000
)

// groupedAtOnce is how many matches are grouped in one go, so that what is kept
// of them stays small; a rule's own are not divided.
const groupedAtOnce = 1_000_000

// valueLists are the lists of a finding that hold each value once, in order: of
// the calls' names, which only the summary tells, and of the columns of findings.
var valueLists = []string{"names", "regions", "access_key_ids", "source_ips", "user_agents", "resources"}

// findingKey is what makes matches one finding. whose stands for the principal.
const findingKey = "rule, account, whose, outcome, in_lineage"

// principalsSQL says who each identity is, and one identity for all that are the
// same. A failed sign-in has no principal when the name typed is none of the
// account's; CloudTrail then hides what was typed.
const principalsSQL = `
CREATE OR REPLACE TEMP TABLE scan_principals AS
SELECT identity_id, who, min(identity_id) OVER (PARTITION BY who) AS whose
FROM (SELECT identity_id, coalesce(nullif(principal_id, ''), nullif(identity_arn, ''),
        nullif(nullif(user_name, ''), 'HIDDEN_DUE_TO_SECURITY_REASONS'), nullif(invoked_by, ''), '') AS who
    FROM identities)`

// locatedSQL reads of the matches of some rules what their findings tell.
const locatedSQL = `
CREATE OR REPLACE TEMP TABLE scan_located AS
SELECT m.rule, m.outcome, t.source_id IS NOT NULL OR about_lineage AS in_lineage, resource,
    event_time, event_uuid, event_id_text, event_name, aws_region, source_ip_address, r.identity_id, r.context_id
FROM temp.rule_matches AS m
JOIN (SELECT DISTINCT rule, about_lineage FROM temp.scan_rules) AS ran USING (rule)
JOIN records AS r ON r.source_id = m.source_id AND r.record_index = m.record_index
LEFT JOIN temp.scan_tainted AS t ON t.source_id = m.source_id AND t.record_index = m.record_index
WHERE rule IN (%s)`

// valuesSQL numbers the texts of all lists in their order, so that all that
// follows works with numbers: few texts, each many times.
const valuesSQL = `
CREATE OR REPLACE TEMP TABLE scan_values AS
WITH identity AS (FROM identities SEMI JOIN temp.scan_located USING (identity_id)),
texts AS (
    SELECT event_name AS value FROM temp.scan_located UNION SELECT aws_region FROM temp.scan_located
    UNION SELECT source_ip_address FROM temp.scan_located
    UNION SELECT unnest(string_split(resource, chr(31))) FROM (SELECT DISTINCT resource FROM temp.scan_located)
    UNION SELECT access_key_id FROM identity UNION SELECT identity_arn FROM identity UNION SELECT invoked_by FROM identity
    UNION SELECT user_agent FROM contexts
)
SELECT value, CAST(row_number() OVER (ORDER BY value) AS INTEGER) AS place FROM texts WHERE value <> ''`

// codedSQL puts the numbers in place of the texts. value_1 to value_6 are of
// valueLists. A match with several resources has a row for each, of which one is
// counted.
const codedSQL = `
CREATE OR REPLACE TEMP TABLE scan_coded AS
WITH by_identity AS (
    SELECT identity_id, identity_account_id, whose, k.place AS value_3, a.place AS arn, s.place AS service
    FROM identities JOIN temp.scan_principals USING (identity_id)
    LEFT JOIN temp.scan_values AS k ON k.value = access_key_id
    LEFT JOIN temp.scan_values AS a ON a.value = identity_arn
    LEFT JOIN temp.scan_values AS s ON s.value = invoked_by
),
by_context AS (
    SELECT context_id, recipient_account_id, place AS value_5 FROM contexts LEFT JOIN temp.scan_values ON value = user_agent
)
SELECT rule, coalesce(recipient_account_id, identity_account_id, '') AS account, whose, outcome, in_lineage,
    event_time, event_uuid, event_id_text, counted, arn, service,
    n.place AS value_1, r.place AS value_2, value_3, i.place AS value_4, value_5, o.place AS value_6
FROM (
    SELECT *, true AS counted FROM temp.scan_located WHERE NOT contains(coalesce(resource, ''), chr(31))
    UNION ALL SELECT * EXCLUDE (parts, part) REPLACE (parts[part] AS resource), part = 1
    FROM (SELECT *, string_split(resource, chr(31)) AS parts, unnest(range(1, len(parts) + 1)) AS part FROM temp.scan_located WHERE contains(resource, chr(31)))
) JOIN by_identity USING (identity_id) JOIN by_context USING (context_id)
LEFT JOIN temp.scan_values AS n ON n.value = event_name
LEFT JOIN temp.scan_values AS r ON r.value = aws_region
LEFT JOIN temp.scan_values AS i ON i.value = source_ip_address
LEFT JOIN temp.scan_values AS o ON o.value = resource`

// groupsSQL makes the groups. Most have one value or none in a list.
var groupsSQL = `
CREATE OR REPLACE TEMP TABLE scan_groups AS
SELECT row_number() OVER () AS number, *, rule IN (SELECT rule FROM temp.scan_rules WHERE of_lineage) AS whole FROM (
    SELECT ` + findingKey + `, count(*) FILTER (counted) AS events, min(event_time) AS first_seen, max(event_time) AS last_seen,
        min(arn) AS arn, min(service) AS service, min(event_uuid) AS uuid, min(event_id_text) AS id_text,
        ` + eachList(",\n        ", "min(value_%[1]d) AS least_%[1]d, max(value_%[1]d) AS most_%[1]d") + `
    FROM temp.scan_coded
    GROUP BY ` + findingKey + `)`

// severalSQL takes the matches of the groups that have several, and of the lists
// those that hold several values.
var severalSQL = `
CREATE OR REPLACE TEMP TABLE scan_several AS
SELECT number, event_time, event_uuid, event_id_text, counted AND events > 1 AS counted,
    ` + eachList(",\n    ", "CASE WHEN least_%[1]d <> most_%[1]d THEN value_%[1]d END AS value_%[1]d") + `
FROM temp.scan_coded JOIN temp.scan_groups USING (` + findingKey + `)
WHERE events > 1 OR least_6 <> most_6`

// findingsSQL makes findings of the groups. Lists are cut before they are made,
// for there is no limit to what one group may hold; of one value they need not be
// gathered.
var findingsSQL = `
INSERT INTO temp.scan_findings BY NAME
WITH held AS (
    ` + eachList("\n    UNION ALL ", "SELECT number, %[1]d AS list, value_%[1]d AS place FROM temp.scan_several WHERE value_%[1]d IS NOT NULL") + `
),
ranked AS (
    SELECT number, list, place, row_number() OVER (PARTITION BY number, list ORDER BY place) AS nth,
        count(*) OVER (PARTITION BY number, list) AS total
    FROM (SELECT DISTINCT number, list, place FROM held)
),
listed AS MATERIALIZED (
    SELECT number, list, list_sort(list(value)) AS texts, max(total) AS total
    FROM ranked JOIN temp.scan_values USING (place)
    WHERE nth <= ` + fmt.Sprint(maxValues) + ` OR list = 6 AND number IN (SELECT number FROM temp.scan_groups WHERE whole)
    GROUP BY number, list
),
named AS (
    SELECT number, list_transform(list_sort(list(struct_pack(nth := nth, id := coalesce(event_id_text, CAST(event_uuid AS VARCHAR))))), lambda e: e.id) AS ids
    FROM (SELECT *, row_number() OVER (PARTITION BY number ORDER BY event_time, event_id_text NULLS FIRST, event_uuid) AS nth FROM temp.scan_several WHERE counted)
    WHERE nth <= ` + fmt.Sprint(maxEventIDs) + `
    GROUP BY number
),
actors AS (
    SELECT place AS arn, value AS principal_arn, ` + actorSQL + ` AS actor
    FROM (SELECT value AS principal_arn, * FROM temp.scan_values SEMI JOIN temp.scan_groups ON arn = place)
),
told AS (
    SELECT rule, account, who, outcome, in_lineage, events, first_seen, last_seen, coalesce(principal_arn, '') AS principal_arn, actor,
        coalesce(s.value, '') AS service,
        CASE WHEN events = 1 THEN [coalesce(id_text, CAST(uuid AS VARCHAR))] ELSE ids END AS event_ids,
        ` + eachList(",\n        ", `CASE WHEN least_%[1]d = most_%[1]d THEN [only_%[1]d.value] ELSE coalesce(listed_%[1]d.texts, []) END AS list_%[1]d,
        CASE WHEN least_%[1]d = most_%[1]d THEN 1 ELSE coalesce(listed_%[1]d.total, 0) END AS held_%[1]d`) + `
    FROM temp.scan_groups AS g
    LEFT JOIN named USING (number)
    ` + eachList("\n    ", `LEFT JOIN temp.scan_values AS only_%[1]d ON only_%[1]d.place = least_%[1]d
    LEFT JOIN (SELECT number, texts, total FROM listed WHERE list = %[1]d) AS listed_%[1]d ON listed_%[1]d.number = g.number`) + `
    JOIN temp.scan_principals AS p ON p.identity_id = g.whose
    LEFT JOIN actors USING (arn)
    LEFT JOIN temp.scan_values AS s ON s.place = g.service
)
SELECT ` + findingIDSQL + ` AS id, r.id AS rule, title, CASE outcome WHEN 'success' THEN severity ELSE attempt END AS severity, tactic, techniques, outcome,
    first_seen, last_seen, events AS count, account AS account_id, who AS principal_id, principal_arn,
    list_2 AS regions, list_3 AS access_key_ids, list_4 AS source_ips, list_5 AS user_agents, list_6 AS resources,
    event_ids, in_lineage,
    ` + summarySQL + ` AS summary
FROM told JOIN temp.scan_rules AS r USING (rule)`

// eachList writes a text for every one of valueLists, by its number from 1.
func eachList(divider, format string) string {
	texts := make([]string, len(valueLists))
	for i := range texts {
		texts[i] = fmt.Sprintf(format, i+1)
	}
	return strings.Join(texts, divider)
}

// findingIDSQL hashes what makes a finding one.
var findingIDSQL = `left(sha256('[' || ` + strings.Join([]string{
	inQuotes("r.id"), inQuotes("account"), inQuotes("who"), inQuotes("outcome"), inQuotes("CAST(in_lineage AS VARCHAR)")}, ` || ' ' || `) + ` || ']'), 16)`

func inQuotes(expression string) string {
	return `'"' || replace(replace(` + expression + `, '\', '\\'), '"', '\"') || '"'`
}

// storeRules makes the table of what findings say of their rules.
func (s *scanner) storeRules(ctx context.Context) error {
	const table = `CREATE OR REPLACE TEMP TABLE scan_rules (rule INTEGER, id VARCHAR, title VARCHAR, severity VARCHAR, attempt VARCHAR,
		tactic VARCHAR, techniques VARCHAR[], about_lineage BOOLEAN, of_lineage BOOLEAN)`
	for _, statement := range []string{table, principalsSQL,
		`CREATE OR REPLACE TEMP TABLE scan_findings AS FROM findings LIMIT 0`} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("prepare the findings: %w", err)
		}
	}
	ran := make([]int32, len(s.all.pack))
	for place, alike := range s.all.places {
		for _, i := range alike {
			ran[i] = int32(place)
		}
	}
	return appendRows(s.conn, "temp", "scan_rules", len(s.all.pack), func(i int) []driver.Value {
		r := s.all.pack[i]
		return []driver.Value{ran[i], r.ID, r.Title, r.severityOf(Success).String(), r.severityOf(Denied).String(),
			r.Tactic, append([]string{}, r.Techniques...), r.Lineage, r.OfLineage}
	})
}

// group makes findings of what was gathered, and of it no more than once.
func (s *scanner) group(ctx context.Context) error {
	return s.step("group the findings", func() (made int64, err error) {
		for _, places := range s.portions() {
			for _, statement := range []string{fmt.Sprintf(locatedSQL, places), valuesSQL, codedSQL, groupsSQL, severalSQL, findingsSQL} {
				result, err := s.conn.ExecContext(ctx, statement)
				if err != nil {
					return 0, fmt.Errorf("group the matches: %w", err)
				}
				if strings.Contains(statement, "INSERT INTO") {
					n, err := result.RowsAffected()
					if err != nil {
						return 0, fmt.Errorf("group the matches: %w", err)
					}
					made += n
				}
			}
		}
		clear(s.matched)
		s.findings += made
		_, err = s.conn.ExecContext(ctx, `DELETE FROM temp.rule_matches`)
		return made, err
	})
}

// portions are the rules with matches, as many as are grouped at once.
func (s *scanner) portions() []string {
	var all []string
	var sum int64
	for i, n := range s.matched {
		switch {
		case n == 0:
			continue
		case len(all) == 0 || sum+n > groupedAtOnce:
			all, sum = append(all, fmt.Sprint(i)), n
		default:
			all[len(all)-1] += fmt.Sprintf(", %d", i)
			sum += n
		}
	}
	return all
}

// severityOf is the rule's severity, one step lower for an attempt.
func (r Rule) severityOf(o Outcome) Severity {
	aboutAttempts := len(r.Outcomes) > 0 && !slices.Contains(r.Outcomes, Success)
	if o == Success || aboutAttempts {
		return r.Severity
	}
	return r.Severity.lower()
}
