package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/reports"
	"trailscan/rules"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "The detection rules",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("say which: `trailscan rules list` or `trailscan rules show ID`")
		},
	}
	cmd.AddCommand(a.rulesListCommand(), a.rulesShowCommand())
	return cmd
}

func (a *app) rulesListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := a.outputFormat("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			return a.writeOutput(func(w io.Writer) error {
				return reports.WriteRules(w, format, rules.Pack())
			})
		},
	}
	a.outputFlags(cmd.Flags(), "table", "json", "ndjson", "csv")
	return cmd
}

func (a *app) rulesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a rule and the SQL that it runs",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, r := range rules.Pack() {
				if strings.EqualFold(r.ID, args[0]) {
					return a.writeOutput(func(w io.Writer) error {
						_, err := fmt.Fprintf(w, "-- %s: %s\n-- severity %s, %s, %s\n-- %s\n\n%s\n",
							r.ID, r.Title, r.Severity, r.Tactic, strings.Join(r.Techniques, ", "), r.Explain, r.SQL())
						return err
					})
				}
			}
			return fmt.Errorf("rule %q does not exist: see `trailscan rules list`", args[0])
		},
	}
}
