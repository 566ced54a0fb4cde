package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
)

func (a *app) queryCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Run SQL on the case",
		Long: `Run SQL on the case, read-only. Without an argument and without -f the SQL is read
from standard input. The relations are events, sources, rejects, findings,
credentials, principals, case_log and case_info.`,
		Example: `  trailscan query "SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 10"`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			format, err := a.outputFormat("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			text, err := a.sqlText(args, file)
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				rows, err := c.DB.QueryContext(ctx, text)
				if err != nil {
					return fmt.Errorf("query: %w", err)
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
	return cmd
}

// sqlText is the SQL from the argument, the file or standard input.
func (a *app) sqlText(args []string, file string) (string, error) {
	switch {
	case len(args) == 1 && file != "":
		return "", usagef("give the SQL as an argument or with -f, not both")
	case len(args) == 1:
		return args[0], nil
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read SQL: %w", err)
		}
		return string(text), nil
	}
	text, err := io.ReadAll(a.stdin)
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", usageError{errors.New("no SQL: give it as an argument, with -f FILE or on standard input")}
	}
	return string(text), nil
}
