package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
)

func (a *app) exportCommand() *cobra.Command {
	var x query.Export
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "The case's events as a partitioned Parquet data set",
		Long: `Writes the events into DIR as Parquet files that Athena, Trino, Spark and DuckDB read,
one folder an account, region and day. Session tokens and secrets are left out, unless
--keep-secrets asks for an exact copy, which trailscan ingest reads back as it was.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, dir := cmd.Context(), args[0]
			if _, err := a.outputFormat("parquet"); err != nil {
				return err
			}
			if strings.Contains(dir, "://") {
				return usagef("DIR %s: must be a local folder: copy the finished one, e.g. with `aws s3 sync`", dir)
			}
			var err error
			if x.Since, x.Until, err = a.timeRange(); err != nil {
				return err
			}
			if !a.quiet && !a.noProgress && isTerminal(a.stderr) {
				x.Progress = func(done, total int64) {
					fmt.Fprintf(a.stderr, "\r\x1b[K%d/%d events", done, total)
				}
				defer fmt.Fprint(a.stderr, "\r\x1b[K")
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				done, err := x.Write(ctx, c, dir)
				if err != nil {
					return err
				}
				if x.Progress != nil {
					fmt.Fprint(a.stderr, "\r\x1b[K")
				}
				if done.Events == 0 {
					a.say("trailscan: no event of %s to export: nothing was written", c.Path)
					return nil
				}
				if !a.quiet {
					reports.Exported(a.stdout, done, dir)
				}
				if x.KeepSecrets {
					a.say("trailscan: warning: %s holds the session tokens and secrets of the logs: keep it as private as the case", reports.Terminal(dir))
				}
				return nil
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.progressFlags(cmd.Flags())
	a.timeFlags(cmd.Flags())
	cmd.Flags().StringVar(&a.format, "format", "parquet", "`FORMAT`: parquet")
	cmd.Flags().BoolVar(&x.Overwrite, "overwrite", false, "replace the export that DIR holds")
	cmd.Flags().BoolVar(&x.KeepSecrets, "keep-secrets", false, "write session tokens and secrets too: an exact copy")
	return cmd
}
