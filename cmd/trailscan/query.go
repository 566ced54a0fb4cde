package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/query/trino"
	"trailscan/reports"
)

func (a *app) queryCommand() *cobra.Command {
	var file string
	var tables []string
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Run SQL on the case",
		Long: `Run SQL on the case, read-only. Without an argument and without -f the SQL is read
from standard input. The relations are events, sources, rejects, findings,
credentials, principals, case_log and case_info.

Queries written for Athena and for CloudTrail Lake run unchanged, on the same
events as cloudtrail_logs and event_data_store; --table says what yours call
them. docs/query.md lists which functions they may use.`,
		Example: `  trailscan query "SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 10"`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			format, err := a.outputFormat("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			text, err := a.sqlText(ctx, args, file)
			if err != nil {
				return err
			}
			options, err := tableNames(tables)
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				statement := trino.Rewrite(text, options)
				rows, err := c.DB.QueryContext(ctx, statement.SQL)
				if err != nil {
					return fmt.Errorf("query: %w", statement.Explain(ctx, c.DB, err))
				}
				defer rows.Close()
				return a.writeOutput(func(w io.Writer) error {
					return reports.WriteRows(w, format, rows)
				})
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), "table", "json", "ndjson", "csv")
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` to read the SQL from")
	cmd.Flags().StringArrayVar(&tables, "table", nil, "`NAME` of the table that the query reads, for cloudtrail_logs; NAME=event_data_store for CloudTrail Lake's (repeatable)")
	return cmd
}

// tableNames reads --table.
func tableNames(list []string) (trino.Options, error) {
	o := trino.Options{Tables: map[string]string{}}
	for _, t := range list {
		name, view, given := strings.Cut(t, "=")
		if !given {
			view = trino.CloudTrailLogs
		}
		if name == "" || view != trino.CloudTrailLogs && view != trino.EventDataStore {
			return o, usagef("--table %s: give NAME, NAME=%s or NAME=%s", t, trino.CloudTrailLogs, trino.EventDataStore)
		}
		o.Tables[name] = view
	}
	return o, nil
}

// sqlText is the SQL from the argument, the file or standard input.
func (a *app) sqlText(ctx context.Context, args []string, file string) (string, error) {
	var text []byte
	var err error
	switch {
	case len(args) == 1 && file != "":
		return "", usagef("give the SQL as an argument or with -f, not both")
	case len(args) == 1:
		text = []byte(args[0])
	case file != "":
		text, err = os.ReadFile(file)
	default:
		text, err = readAll(ctx, a.stdin)
	}
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return "", usagef("no SQL: give it as an argument, with -f FILE or on standard input")
	}
	return string(text), nil
}

// readAll is io.ReadAll that does not outlast ctx: a read of a terminal cannot
// be interrupted otherwise.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	var text []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, err = io.ReadAll(r)
	}()
	select {
	case <-done:
		return text, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
