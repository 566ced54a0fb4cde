package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
	"trailscan/reports"
	"trailscan/rules"
)

func (a *app) rulesTestCommand() *cobra.Command {
	var from sigmaFlags
	var given, keys []string
	formats := []string{"table", "json", "ndjson", "csv"}
	cmd := &cobra.Command{
		Use:   "test RULE FILE…",
		Short: "Run a rule over files of events and print those that it matches",
		Long: `Run a rule over files of events and print those that it matches. RULE is the id
of a rule, or a file of Sigma rules; FILE is whatever ingest reads. No case is
needed or changed.

The exit status is 0 when an event matches, and 1 when none does or the test
fails; standard error says which.

--list gives a list that the rule needs: hostile, trusted_accounts,
allowed_regions or countries (192.0.2.7=NL), as values with commas or a file with one a line. A rule about
what descends from a key needs that --key. A rule that looks at what other rules
find sees what the pack finds in the files.`,
		Example: `  trailscan rules test TS-PE-002 events.json
  trailscan rules test our-rule.yml ./AWSLogs --format json
  trailscan rules test TS-IA-017 events.json --list hostile=tor-exits.txt
  trailscan rules test TS-KEY-014 ./AWSLogs --key AKIAIOSFODNN7EXAMPLE`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := a.outputFormat(formats...)
			if err != nil {
				return err
			}
			if err := checkSources(args[1:]); err != nil {
				return err
			}
			if err := checkNames("--key", keys); err != nil && len(keys) > 0 {
				return err
			}
			tested, err := a.rulesToTest(args[0], from)
			if err != nil {
				return err
			}
			lists, err := namedLists(given)
			if err != nil {
				return err
			}
			for _, r := range tested {
				if _, has := lists[r.List]; r.List != "" && !has {
					return usagef("rule %s needs the list %s: give --list %s=FILE", r.ID, r.List, r.List)
				}
				if r.Lineage && len(keys) == 0 {
					return usagef("rule %s is about what descends from a leaked key: give --key KEY", r.ID)
				}
			}
			for _, r := range tested {
				if r.Lineage && len(keys) == 0 {
					return usagef("rule %s is about what descends from a leaked key: give it with --key KEY", r.ID)
				}
			}
			return a.testRules(cmd.Context(), tested, args[1:], keys, lists, format)
		},
	}
	cmd.Flags().StringArrayVar(&given, "list", nil, "the values of a list that the rule needs: `NAME=FILE`; may be repeated")
	cmd.Flags().StringArrayVar(&keys, "key", nil, "leaked access `KEY` whose lineage is traced first; may be repeated")
	a.outputFlags(cmd.Flags(), formats...)
	a.resourceFlags(cmd.Flags())
	from.add(cmd.Flags())
	return cmd
}

// rulesToTest are the rule of that id, or the rules in the Sigma file.
func (a *app) rulesToTest(name string, from sigmaFlags) ([]rules.Rule, error) {
	info, err := os.Stat(name)
	isFile := err == nil && info.Mode().IsRegular()
	if ext := strings.ToLower(filepath.Ext(name)); !isFile && ext != ".yml" && ext != ".yaml" {
		added, _, err := from.load(a)
		if err != nil {
			return nil, err
		}
		r, err := findRule(append(rules.Pack(), added...), name)
		return []rules.Rule{r}, err
	}
	from.paths = append([]string{name}, from.paths...)
	set, refused, err := from.load(a)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("not every rule of %s can run", name)
	}
	if err == nil && len(set) == 0 {
		err = fmt.Errorf("%s holds no rule about CloudTrail", name)
	}
	return set, err
}

// namedLists reads --list NAME=VALUES.
func namedLists(given []string) (map[string][]string, error) {
	lists := map[string][]string{}
	for _, text := range given {
		name, values, ok := strings.Cut(text, "=")
		name = strings.ReplaceAll(name, "-", "_")
		if !ok {
			return nil, usagef("--list %s: write NAME=FILE", text)
		}
		read, err := listValues("--list", name, strings.Split(values, ","))
		if err != nil {
			return nil, err
		}
		lists[name] = append(lists[name], read...)
	}
	return lists, nil
}

// testRules loads the files into a case of their own and prints what the rules
// match there.
func (a *app) testRules(ctx context.Context, tested []rules.Rule, files, keys []string, lists map[string][]string, format string) error {
	dir, err := os.MkdirTemp("", "trailscan-test-")
	if err != nil {
		return fmt.Errorf("make a case for the test: %w", err)
	}
	defer os.RemoveAll(dir)
	a.caseFile, a.noProgress = filepath.Join(dir, "case.duckdb"), true
	return a.withCase(ctx, query.Create, func(c *query.Case) error {
		if _, err := a.load(ctx, c, files, ingest.Options{}, false); err != nil {
			return err
		}
		if len(keys) > 0 {
			if _, err := lineage.Trace(ctx, c, keys, lineage.Options{}); err != nil {
				return err
			}
		}
		if err := completeLists(ctx, c, lists, nil); err != nil {
			return err
		}
		pack := tested
		if slices.ContainsFunc(tested, func(r rules.Rule) bool { return r.OnFindings }) {
			pack = append(slices.DeleteFunc(rules.Pack(), func(r rules.Rule) bool {
				return slices.ContainsFunc(tested, func(t rules.Rule) bool { return t.ID == r.ID })
			}), tested...)
		}
		assessments, err := rules.Scan(ctx, c, pack, rules.Options{Lists: lists})
		if err != nil {
			return err
		}
		matched := 0
		for _, r := range tested {
			ids, err := rules.Match(ctx, c, r)
			if err != nil {
				return err
			}
			matched += len(ids)
		}
		sql, args := rules.MatchesSQL(tested)
		rows, err := c.DB.QueryContext(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("run the rule: %w", err)
		}
		defer rows.Close()
		if err := a.writeOutput(func(w io.Writer) error { return reports.WriteRows(w, format, rows) }); err != nil {
			return err
		}
		if matched > 0 {
			return nil
		}
		return noMatch(tested, files, assessments)
	})
}

// noMatch says that nothing matches, and what kept a rule from looking.
func noMatch(tested []rules.Rule, files []string, assessments []rules.Assessment) error {
	text := fmt.Sprintf("no event of %s matches", strings.Join(files, ", "))
	if len(tested) == 1 {
		text += " rule " + tested[0].ID
	}
	for _, as := range assessments {
		if as.Assessed != rules.Assessed && slices.ContainsFunc(tested, func(r rules.Rule) bool { return r.ID == as.Rule }) {
			text += fmt.Sprintf("\nrule %s is %s: %s", as.Rule, strings.ReplaceAll(as.Assessed, "_", " "), as.Reason)
		}
	}
	return errors.New(text)
}
