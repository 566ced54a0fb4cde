package main

import (
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
	"trailscan/rules"
)

// scanMemory is what the database may use unless --memory-limit says otherwise:
// what does not fit goes to disk, and takes no longer. Left to itself it takes
// 80 % of the machine.
const scanMemory = "1GB"

func (a *app) scanCommand() *cobra.Command {
	var from sigmaFlags
	var timing bool
	var narrow filterFlags
	var lists listFlags
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Run the detection rules over the case",
		Long: `Run the detection rules over the case, store the findings in it and print them.
Findings of a traced key's lineage are marked.

--rule, --exclude, --tactic and --min-severity choose what is printed and what
--fail-on looks at. All rules run and the case keeps all that they find, so that
a report made of it later lacks nothing.

--allowed-regions, --trusted-accounts and --hostile give lists that some rules
need; those are not assessed without. --mmdb gives the countries of the case's
addresses to rules about new ones. The case keeps a list until it is given
anew: after more logs were loaded, give --mmdb again.

--sigma adds Sigma rules about CloudTrail. One that cannot be compiled is named
with its file, line and reason, and the others run; so is one whose SQL fails.

--format sarif writes SARIF 2.1.0, ocsf one OCSF Detection Finding a line, and
navigator a layer of the ATT&CK Navigator.

--timing tells what each rule and the shared work took, in milliseconds. Rules
that one query ran share its time evenly (~).`,
		Example: `  trailscan scan --min-severity medium --fail-on high
  trailscan scan --rule TS-CA,TS-PE-002 --exclude 'TS-API-*'
  trailscan scan --allowed-regions eu-central-1,us-east-1 --trusted-accounts accounts.txt -o findings.sarif`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			format, zone, err := a.show(reports.FindingFormats...)
			if err != nil {
				return err
			}
			since, until, err := a.timeRange()
			if err != nil {
				return err
			}
			if err := a.checkFailOn(cmd.Flags()); err != nil {
				return err
			}
			given, err := lists.options()
			if err != nil {
				return err
			}
			added, refused, err := from.load(a)
			if err != nil {
				return err
			}
			if err := refuseEmpty(cmd.Flags(), "mmdb"); err != nil {
				return err
			}
			known, err := openDatabases(lists.mmdb, true)
			if err != nil {
				return err
			}
			defer known.close()
			if known.asns != nil && known.countries == nil {
				return usagef("--mmdb %s: holds AS numbers and no countries, which scan asks for: give it to trace", lists.mmdb[0])
			}
			pack := append(rules.Pack(), added...)
			wanted, err := narrow.compile(pack)
			if err != nil {
				return err
			}
			a.memoryLimit = cmp.Or(a.memoryLimit, scanMemory)
			return a.withCase(ctx, query.ReadWrite, func(c *query.Case) error {
				if err := completeLists(ctx, c, given, known.countries); err != nil {
					return err
				}
				var took []rules.Timing
				assessments, err := rules.Scan(ctx, c, pack, rules.Options{
					Since: since, Until: until, Lists: given, Refused: refused,
					Observe: func(t rules.Timing) {
						a.sayIfFailed(t)
						took = append(took, t)
					},
				})
				if err != nil {
					return err
				}
				if timing {
					if err := reports.TimingTable(a.stderr, took); err != nil {
						return err
					}
				}
				found, err := a.writeFindings(ctx, c, assessments, pack, wanted, format, zone)
				if err != nil {
					return err
				}
				if err := a.sayIfNone(ctx, c, since, until); err != nil {
					return err
				}
				if found.all == 0 {
					looked := 0
					for _, as := range assessments {
						if as.Assessed == rules.Assessed {
							looked++
						}
					}
					a.say("trailscan: no rule found anything in the events of %s: %d of %d could look", c.Path, looked, len(assessments))
				}
				return a.reachesFailOn(found)
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.timeFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), reports.FindingFormats...)
	a.failOnFlag(cmd.Flags())
	narrow.add(cmd.Flags())
	lists.add(cmd.Flags())
	lists.addKnown(cmd.Flags())
	from.add(cmd.Flags())
	cmd.Flags().BoolVar(&timing, "timing", false, "tell on standard error what each rule and the work for all of them took")
	return cmd
}

// sayIfFailed tells of a rule whose SQL the database refuses.
func (a *app) sayIfFailed(t rules.Timing) {
	if t.Err != nil {
		reason, _, _ := strings.Cut(t.Err.Error(), "\n")
		a.say("trailscan: rule %s is not assessed, for its SQL fails: %s", reports.Terminal(t.Rule), reports.Terminal(reason))
	}
}

// shown is what became of the findings of a case.
type shown struct {
	all, written int
	worst        rules.Severity // of those written
}

// writeFindings writes the findings that are asked for as it reads them. It says
// when they are none of those found, and which of the rules asked for could not
// look.
func (a *app) writeFindings(ctx context.Context, c *query.Case, assessments []rules.Assessment,
	pack []rules.Rule, wanted *filter, format string, zone *time.Location) (shown, error) {
	var seen shown
	asked := wanted.pack(pack)
	set := reports.FindingSet{
		Findings: func(yield func(rules.Finding, error) bool) {
			for f, err := range rules.Findings(ctx, c) {
				if err == nil {
					seen.all++
					f = wanted.attack.Finding(f)
					if !wanted.keepsFinding(f) {
						continue
					}
					seen.written++
					seen.worst = max(seen.worst, f.Severity)
				}
				if !yield(f, err) {
					return
				}
			}
		},
		Assessments: wanted.assessments(assessments, pack, asked),
		Rules:       asked, Attack: wanted.attack, Version: version,
	}
	if format == "sarif" || format == "ocsf" {
		var err error
		if set.Origins, err = reports.LoadOrigins(ctx, c); err != nil {
			return seen, err
		}
	}
	if err := a.writeOutput(func(w io.Writer) error { return reports.WriteFindings(w, format, set, zone) }); err != nil {
		return seen, err
	}
	for _, line := range reports.Unassessed(set.Assessments) {
		a.say("trailscan: %s", reports.Terminal(line))
	}
	if seen.written == 0 && seen.all > 0 {
		a.say("trailscan: none of the %d findings of %s is one of %s", seen.all, c.Path, reports.Terminal(wanted.asked))
	}
	return seen, nil
}
