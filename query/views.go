package query

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"trailscan/query/trino"
)

// prepareViews gives a case made before it had the published views this version's.
func prepareViews(e driver.ExecerContext) error {
	exec := func(stmt string) error {
		_, err := e.ExecContext(context.Background(), stmt, nil)
		return err
	}
	if exec(`SELECT "`+trino.PathColumn+`" FROM `+trino.PathLogs+`(true, true) LIMIT 0`) == nil || exec(`SELECT event_id FROM whole_records LIMIT 0`) != nil {
		return nil // it has them, or it is no case yet
	}
	list := published("TEMP ")
	if exec(`SELECT eventid FROM `+trino.CloudTrailLogs+` LIMIT 0`) == nil {
		list = macrosOf("TEMP ")
	}
	for _, stmt := range list {
		if err := exec(stmt); err != nil {
			return fmt.Errorf("prepare connection: %w", err)
		}
	}
	return nil
}

// published makes the views that have the columns which AWS documents, and the
// macro that gives the first of them between two times. temp is "TEMP " where
// the case cannot keep them.
func published(temp string) []string {
	return append([]string{
		strings.ReplaceAll(publishedSQL, "CREATE VIEW", "CREATE "+temp+"VIEW"),
		"CREATE " + temp + "MACRO " + trino.BoundedLogs + "(low, high) AS TABLE " + publishedView(trino.CloudTrailLogs) + between,
	}, macrosOf(temp)...)
}

const between = " WHERE event_time >= low AND event_time < high"

// Columns that the macros have beside those of cloudtrail_logs.
const (
	timeColumn = ", event_time AS " + trino.TimeColumn
	pathColumn = ", (SELECT uri FROM sources WHERE sources.source_id = records.source_id) AS \"" + trino.PathColumn + "\""
)

// publishedView is the query of one of the views.
func publishedView(name string) string {
	_, of, _ := strings.Cut(publishedSQL, "CREATE VIEW "+name+" AS ")
	of, _, _ = strings.Cut(of, ";")
	return of
}

// macrosOf makes the macros that give the views of some identities: who is a
// condition on the columns of identities.
func macrosOf(temp string) []string {
	of := func(name, params, view, rest string) string {
		return "CREATE " + temp + "MACRO " + name + "(" + params + ") AS TABLE " +
			strings.Replace(publishedView(view), "FROM identities\n", "FROM identities WHERE who\n", 1) + rest
	}
	more := func(macro, columns string) string {
		return strings.Replace(macro, "AS \"timestamp\"\n", "AS \"timestamp\""+columns+"\n", 1)
	}
	return []string{
		of(trino.LogsOf, "who", trino.CloudTrailLogs, ""),
		of(trino.BoundedLogsOf, "low, high, who", trino.CloudTrailLogs, between),
		more(of(trino.TimedLogs, "times, who", trino.CloudTrailLogs, " WHERE times"), timeColumn),
		more(of(trino.PathLogs, "times, who", trino.CloudTrailLogs, " WHERE times"), timeColumn+pathColumn),
		of(trino.LakeOf, "who", trino.EventDataStore, ""),
		"CREATE " + temp + "MACRO " + trino.LakeBetween + "(low, high) AS TABLE " + publishedView(trino.EventDataStore) + between,
	}
}
