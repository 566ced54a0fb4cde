package trino

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Complaint is an error of DuckDB, as it tells it in JSON (errors_as_json).
type Complaint struct {
	Exception string `json:"exception_type"`
	Message   string `json:"exception_message"`
	Subtype   string `json:"error_subtype"`
	Type      string `json:"type"` // of what is missing
	Name      string `json:"name"` // of that
	Position  string `json:"position"`
}

var (
	// What an extension has that is not linked in, DuckDB would have installed.
	elsewhere      = regexp.MustCompile(`^(\w+ Function) with name "?(.+?)"? is not in the catalog, but it exists in the `)
	missingTable   = regexp.MustCompile(`^Table with name "?(.+?)"? does not exist`)
	otherTypes     = regexp.MustCompile(`^Cannot compare values of type (VARCHAR and type (TIMESTAMP|DATE)|(TIMESTAMP.*|DATE) and type VARCHAR)`)
	missingColumn  = regexp.MustCompile(`^Referenced (?:column|table) "(\w+)" not found|^[\w ]+ "\w+" does not have a column named "(\w+)"`)
	dividedTime    = regexp.MustCompile(`^No function matches the given name and argument types '//\(INTERVAL, `)
	noField        = regexp.MustCompile(`^Cannot extract field '(\w+)' from expression "(\w+)"`)
	missingCatalog = regexp.MustCompile(`^Catalog "(.+)" does not exist`)
)

// Message says an error that DuckDB gave for the statement in terms of what the
// user wrote: what a missing function or table may be, else what is said of it,
// with the names of Trino's functions.
func (s *Statement) Message(ctx context.Context, db *sql.DB, c Complaint, said string) string {
	if m := elsewhere.FindStringSubmatch(c.Message); m != nil {
		c.Subtype, c.Type, c.Name = "MISSING_ENTRY", m[1], m[2]
	}
	if c.Subtype == "MISSING_ENTRY" && strings.Contains(c.Type, "Function") {
		name := ourNames(c.Name)
		if rewrites[strings.ToLower(name)] != nil {
			return fmt.Sprintf("this form of the function %s is not supported: docs/query.md shows those that are", name)
		}
		message := fmt.Sprintf("there is no function %s", name)
		if near := nearest(ctx, db, name, c.Type); near != "" {
			message += fmt.Sprintf(": the nearest that exists is %s", near)
		}
		return message
	}
	if m := missingTable.FindStringSubmatch(c.Message); m != nil {
		return fmt.Sprintf("there is no table %s: when it is Athena's or CloudTrail Lake's table of the events, say so with --table", m[1])
	}
	if m := missingCatalog.FindStringSubmatch(c.Message); m != nil {
		return fmt.Sprintf("there is no catalog %s: when the table is Athena's or CloudTrail Lake's of the events, say so with --table", m[1])
	}
	if m := missingColumn.FindStringSubmatch(c.Message); m != nil && s.lake {
		if of := otherStores[strings.ToLower(m[1]+m[2])]; of != "" {
			return fmt.Sprintf("%s is a column of event data stores of %s, which event_data_store, of CloudTrail's events, does not have", m[1]+m[2], of)
		}
	}
	said = ourNames(said)
	if s.logs && otherTypes.MatchString(c.Message) {
		said += ": eventtime of cloudtrail_logs is text: from_iso8601_timestamp(eventtime) is the time"
	}
	if m := noField.FindStringSubmatch(c.Message); m != nil && s.logs {
		said += fmt.Sprintf(": in cloudtrail_logs it is JSON text: json_extract_scalar(%s, '$.%s')", m[2], m[1])
	}
	return said
}

// otherStores are columns of event data stores that hold something else than a
// trail's events, and what those hold.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html
var otherStores = map[string]string{
	"eventdata": "AWS Config items, Audit Manager evidence or events from outside AWS", "metadata": "events from outside AWS",
	"insightsource": insights, "insightstate": insights, "insighteventsource": insights, "insighteventname": insights,
	"insighterrorcode": insights, "insighttype": insights, "insightcontext": insights,
}

const insights = "Insights events"

// DividesInterval is the place in the user's text of a / that was taken for one of
// whole numbers and divides a length of time, of which DuckDB complains.
func (s *Statement) DividesInterval(c Complaint) (int, bool) {
	at, err := strconv.Atoi(c.Position)
	if err != nil || !dividedTime.MatchString(c.Message) {
		return 0, false
	}
	at = s.Position(at)
	return at, strings.HasPrefix(s.Text[at:], "/")
}

// nearest is the name of a function that differs least from one.
func nearest(ctx context.Context, db *sql.DB, name, kind string) string {
	tables := strings.Contains(kind, "Table")
	own := slices.Sorted(maps.Keys(rewrites))
	if tables {
		own = nil
	}
	var near string
	err := db.QueryRowContext(ctx, `SELECT name FROM (
			SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions()
			WHERE (function_type IN ('table', 'table_macro')) = ? AND function_type <> 'pragma' AND function_name NOT LIKE 'trino\_%' ESCAPE '\'
			UNION SELECT unnest(string_split(?, ' ')))
		WHERE regexp_full_match(name, '[a-z][a-z0-9_]*') AND name <> lower(?)
		ORDER BY damerau_levenshtein(name, lower(?)), abs(length(name) - length(?)), name LIMIT 1`,
		tables, strings.Join(own, " "), name, name, name).Scan(&near)
	if err != nil {
		return ""
	}
	return near
}

// ourNames takes the names of macros that stand for Trino's functions for those.
func ourNames(message string) string {
	message = strings.NewReplacer(TimedLogs, CloudTrailLogs, PathLogs, CloudTrailLogs, LakeBetween, EventDataStore, TimeColumn, "eventtime", BoundedLogsOf, CloudTrailLogs, LogsOf, CloudTrailLogs, BoundedLogs, CloudTrailLogs, LakeOf, EventDataStore).Replace(message)
	return strings.ReplaceAll(message, "trino_", "")
}
