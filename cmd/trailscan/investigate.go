package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
	"trailscan/reports"
	"trailscan/rules"
)

func (a *app) investigateCommand() *cobra.Command {
	var keys []string
	var dir string
	var strict bool
	var from sourceFlags
	var tracing traceFlags
	var narrow filterFlags
	var lists listFlags
	var sigma sigmaFlags
	cmd := &cobra.Command{
		Use:   "investigate SOURCE… --key AKIA…",
		Short: "Everything in one go: load logs, trace the key, scan, plan, report",
		Long: `Load CloudTrail logs, trace what descends from the key, run the rules, plan the
way out and write the report. Into the output folder go case.duckdb,
findings.json, assessment.json, lineage.json, plan.json, plan.md (the runbook),
summary.html (one page for those who decide), timeline.csv, report.html and
report.md. Nothing in AWS is changed.

--since and --until filter findings and the timeline. Of an s3:// or
lookup-events: source they also choose what is fetched, and nothing is known of
what came before.`,
		Example: `  trailscan investigate ./AWSLogs --key AKIAIOSFODNN7EXAMPLE
  trailscan investigate s3://my-trail-bucket --since 90d --key AKIAIOSFODNN7EXAMPLE`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, sources []string) error {
			if len(keys) == 0 {
				return usagef("--key is missing: name the leaked access key")
			}
			if err := checkNames("--key", keys); err != nil {
				return err
			}
			if err := checkSources(sources); err != nil {
				return err
			}
			if err := a.checkFailOn(cmd.Flags()); err != nil {
				return err
			}
			zone, err := a.location()
			if err != nil {
				return err
			}
			since, until, err := a.timeRange()
			if err != nil {
				return err
			}
			load, err := from.options()
			if err != nil {
				return err
			}
			load.Filter.Since, load.Filter.Until, load.WholeFolders = since, until, true
			trace, err := a.traceOptions(&tracing)
			if err != nil {
				return err
			}
			known, err := openDatabases(tracing.mmdb, false)
			if err != nil {
				return err
			}
			defer known.close()
			trace.ASNs = known.asns
			wanted, err := narrow.compile(nil)
			if err != nil {
				return err
			}
			added, refused, err := sigma.load(a)
			if err != nil {
				return err
			}
			given, err := lists.options()
			if err != nil {
				return err
			}
			if dir == "" {
				dir = "trailscan-" + fileName(keys[0])
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("make the output folder: %w", err)
			}
			a.caseFile = filepath.Join(dir, "case.duckdb")
			i := investigation{app: a, dir: dir, keys: keys, sources: sources, load: load, strict: strict,
				zone: zone, trace: trace, attack: wanted.attack, pack: append(rules.Pack(), added...), countries: known.countries,
				scan: rules.Options{Since: since, Until: until, Lists: given, Refused: refused}}
			return i.run(cmd.Context())
		},
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "leaked access `KEY`: its id, or the ARN of a principal; may be repeated")
	cmd.Flags().StringVarP(&dir, "output", "o", "", "`DIR` to write into (default: ./trailscan-<key>)")
	cmd.Flags().BoolVar(&strict, "strict", false, "fail when anything of a source cannot be read")
	tracing.add(cmd.Flags())
	cmd.Flags().Lookup("mmdb").Usage = "database `FILE` in MaxMind's format (GeoLite2, DB-IP, IPinfo) of AS numbers or of countries; give both by repeating it"
	lists.add(cmd.Flags())
	sigma.add(cmd.Flags())
	narrow.addAttack(cmd.Flags())
	a.timezoneFlag(cmd.Flags())
	a.resourceFlags(cmd.Flags())
	a.progressFlags(cmd.Flags())
	a.timeFlags(cmd.Flags())
	from.add(cmd.Flags())
	from.addKeep(cmd.Flags())
	a.compromisedFlag(cmd.Flags())
	a.failOnFlag(cmd.Flags())
	return cmd
}

// investigation is one run of the main job.
type investigation struct {
	*app
	dir       string
	keys      []string
	sources   []string
	load      ingest.Options
	strict    bool
	zone      *time.Location
	trace     lineage.Options
	pack      []rules.Rule
	scan      rules.Options
	countries *lineage.Countries
	attack    rules.AttackVersion
}

func (i *investigation) run(ctx context.Context) error {
	defer i.step("") // an error stands on a line of its own
	return i.withCase(ctx, query.Create, func(c *query.Case) error {
		if _, err := i.app.load(ctx, c, i.sources, i.load, i.strict); err != nil {
			return err
		}
		if err := i.sayIfNone(ctx, c, i.scan.Since, i.scan.Until); err != nil {
			return err
		}
		i.step("tracing what descends from %s", strings.Join(i.keys, ", "))
		l, err := lineage.Trace(ctx, c, i.keys, i.trace)
		if err != nil {
			return err
		}
		i.sayIfUnused(l)
		i.step("running the rules")
		if err := completeLists(ctx, c, i.scan.Lists, i.countries); err != nil {
			return err
		}
		i.scan.Observe = i.sayIfFailed
		assessments, err := rules.Scan(ctx, c, i.pack, i.scan)
		if err != nil {
			return err
		}
		i.step("planning")
		plan, err := remediate.NewPlan(ctx, c, l)
		if err != nil {
			return err
		}
		i.step("writing the report")
		incident, err := reports.Load(ctx, c)
		if err != nil {
			return err
		}
		incident.Plan, incident.Findings = plan, i.attack.Findings(incident.Findings)
		for _, artifact := range []struct {
			name  string
			write func(io.Writer) error
		}{
			{"findings.json", func(w io.Writer) error { return reports.JSON(w, incident.Findings) }},
			{"assessment.json", func(w io.Writer) error { return reports.JSON(w, assessments) }},
			{"lineage.json", func(w io.Writer) error { return reports.JSON(w, l) }},
			{"plan.json", plan.Write},
			{"plan.md", func(w io.Writer) error { return reports.PlanRunbook(w, plan, i.zone) }},
			{"summary.html", func(w io.Writer) error { return reports.PlanDecision(w, "html", plan, incident, i.zone) }},
			{"timeline.csv", func(w io.Writer) error {
				return reports.TimelineCSV(ctx, w, c, reports.Filter{Lineage: true, Since: i.scan.Since, Until: i.scan.Until})
			}},
			{"report.html", func(w io.Writer) error { return reports.HTML(w, incident, i.zone) }},
			{"report.md", func(w io.Writer) error { return reports.Markdown(w, incident, i.zone) }},
		} {
			if err := writeFile(filepath.Join(i.dir, artifact.name), artifact.write); err != nil {
				return err
			}
		}
		i.step("")
		if !i.quiet {
			if err := reports.Summary(i.stdout, incident, i.dir, i.zone, columns(i.stdout)); err != nil {
				return err
			}
		}
		seen := shown{all: len(incident.Findings), written: len(incident.Findings)}
		for _, f := range incident.Findings {
			seen.worst = max(seen.worst, f.Severity)
		}
		return i.reachesFailOn(seen)
	})
}

// step shows what is being done on a terminal; an empty text clears the line.
func (i *investigation) step(format string, args ...any) {
	if i.quiet || i.noProgress || !isTerminal(i.stderr) {
		return
	}
	fmt.Fprint(i.stderr, "\r\x1b[K")
	if format != "" {
		fmt.Fprintf(i.stderr, format+" …", args...)
	}
}

// fileName makes a key or an ARN fit for the name of a folder.
func fileName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, key)
}
