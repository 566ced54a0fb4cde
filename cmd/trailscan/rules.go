package main

import (
	"fmt"
	"io"
	"slices"
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
			return usagef("say which: `trailscan rules list`, `trailscan rules show ID` or `trailscan rules test RULE FILE`")
		},
	}
	cmd.AddCommand(a.rulesListCommand(), a.rulesShowCommand(), a.rulesTestCommand())
	return cmd
}

func (a *app) rulesListCommand() *cobra.Command {
	var narrow filterFlags
	var from sigmaFlags
	var severities []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := a.outputFormat("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			added, _, err := from.load(a)
			if err != nil {
				return err
			}
			pack := append(rules.Pack(), added...)
			wanted, err := narrow.compile(pack)
			if err != nil {
				return err
			}
			shown := wanted.pack(pack)
			if err := refuseEmpty(cmd.Flags(), "severity"); err != nil {
				return err
			}
			if len(severities) > 0 {
				var levels []rules.Severity
				for _, text := range severities {
					level, err := parseSeverity("severity", text)
					if err != nil {
						return err
					}
					levels = append(levels, level)
				}
				shown = slices.DeleteFunc(shown, func(r rules.Rule) bool { return !slices.Contains(levels, r.Severity) })
			}
			if len(shown) == 0 {
				a.say("trailscan: no rule is all that was asked for")
			}
			return a.writeOutput(func(w io.Writer) error { return reports.WriteRules(w, format, shown) })
		},
	}
	a.outputFlags(cmd.Flags(), "table", "json", "ndjson", "csv")
	narrow.add(cmd.Flags())
	cmd.Flags().StringSliceVar(&severities, "severity", nil, "only rules of this `SEVERITY`; may be repeated, or a list with commas")
	from.add(cmd.Flags())
	return cmd
}

func (a *app) rulesShowCommand() *cobra.Command {
	var narrow filterFlags
	var from sigmaFlags
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a rule and the SQL that it runs",
		Long: "Show a rule and the SQL that it runs. `trailscan query` takes it as it is printed:\n\n" +
			"  trailscan rules show TS-PE-002 | trailscan query",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			added, _, err := from.load(a)
			if err != nil {
				return err
			}
			wanted, err := narrow.compile(nil)
			if err != nil {
				return err
			}
			r, err := findRule(append(rules.Pack(), added...), args[0])
			if err != nil {
				return err
			}
			text := wanted.attack.Rules([]rules.Rule{r})[0].Script()
			if a.output == "" && isTerminal(a.stdout) {
				text = reports.Lines(text) // a rule of somebody else's may hold anything
			}
			return a.writeOutput(func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return err
			})
		},
	}
	narrow.addAttack(cmd.Flags())
	from.add(cmd.Flags())
	cmd.Flags().StringVarP(&a.output, "output", "o", "", "`FILE` to write to (default: standard output)")
	return cmd
}

func findRule(pack []rules.Rule, id string) (rules.Rule, error) {
	ids := make([]string, len(pack))
	for i, r := range pack {
		if strings.EqualFold(r.ID, id) {
			return r, nil
		}
		ids[i] = r.ID
	}
	return rules.Rule{}, fmt.Errorf("rule %q does not exist: %s `trailscan rules list` lists them", id, didYouMean(id, ids))
}
