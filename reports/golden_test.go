package reports

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/remediate"
	"trailscan/rules"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs from its golden file: look at it and run with -update if it is right; first difference at byte %d", name, differsAt(b.Bytes(), want))
	}
	return b.String()
}

func differsAt(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestOutputsOfAHostileIncident(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine:", err)
	}
	for name, write := range map[string]func(io.Writer, *Incident) error{
		"report.html": func(w io.Writer, inc *Incident) error { return HTML(w, inc, time.UTC) },
		"report.md":   func(w io.Writer, inc *Incident) error { return Markdown(w, inc, time.UTC) },
		"report.json": func(w io.Writer, inc *Incident) error { return JSON(w, inc) },
		"summary.txt": func(w io.Writer, inc *Incident) error {
			return Summary(w, inc, "trailscan-AKIAIOSFODNN7EXAMPLE", berlin, 100)
		},
		"lineage.txt": func(w io.Writer, inc *Incident) error {
			return LineageTree(w, inc.Lineage, LineageOptions{Zone: time.UTC, Columns: 100})
		},
		"lineage.dot": func(w io.Writer, inc *Incident) error {
			return LineageDOT(w, inc.Lineage, LineageOptions{Zone: time.UTC})
		},
		"lineage.mmd": func(w io.Writer, inc *Incident) error {
			return LineageMermaid(w, inc.Lineage, LineageOptions{Zone: time.UTC})
		},
		"plan.txt":      func(w io.Writer, inc *Incident) error { return PlanTable(w, inc.Plan, time.UTC) },
		"plan.md":       func(w io.Writer, inc *Incident) error { return PlanRunbook(w, everyAction(inc.Plan), time.UTC) },
		"plan.sh":       func(w io.Writer, inc *Incident) error { return PlanScript(w, everyAction(inc.Plan), time.UTC) },
		"decision.html": func(w io.Writer, inc *Incident) error { return PlanDecision(w, "html", inc.Plan, inc, time.UTC) },
		"decision.md": func(w io.Writer, inc *Incident) error {
			return PlanDecision(w, "md", everyAction(inc.Plan), nil, time.UTC)
		},
		"plan.csv":                func(w io.Writer, inc *Incident) error { return WritePlan(w, "csv", inc.Plan) },
		"coverage.txt":            func(w io.Writer, inc *Incident) error { return WriteCoverage(w, "table", inc, berlin) },
		"coverage.md":             func(w io.Writer, inc *Incident) error { return WriteCoverage(w, "md", inc, time.UTC) },
		"coverage.csv":            func(w io.Writer, inc *Incident) error { return WriteCoverage(w, "csv", inc, time.UTC) },
		"coverage.json":           func(w io.Writer, inc *Incident) error { return WriteCoverage(w, "json", inc, time.UTC) },
		"coverage.ndjson":         func(w io.Writer, inc *Incident) error { return WriteCoverage(w, "ndjson", inc, time.UTC) },
		"findings.txt":            findingsIn("table", rules.AttackV18),
		"findings.csv":            findingsIn("csv", rules.AttackV18),
		"findings.ndjson":         findingsIn("ndjson", rules.AttackV18),
		"findings.sarif":          findingsIn("sarif", rules.AttackV18),
		"findings.ocsf.ndjson":    findingsIn("ocsf", rules.AttackV18),
		"findings.navigator.json": findingsIn("navigator", rules.AttackV19),
	} {
		t.Run(name, func(t *testing.T) {
			inc, _ := hostileIncident()
			out := golden(t, name, func(w io.Writer) error { return write(w, inc) })
			for _, r := range out {
				if deceptive(r) && r != '\n' && r != '\t' {
					t.Errorf("%s holds the control or format character %U", name, r)
				}
			}
		})
	}
}

// findingsIn writes the incident's findings, with what is known of one of their
// rules, sources with odd names and rules that could not run.
func findingsIn(format string, v rules.AttackVersion) func(io.Writer, *Incident) error {
	return func(w io.Writer, inc *Incident) error {
		findings := slices.Clone(inc.Findings)
		if format != "table" && format != "csv" && format != "ndjson" {
			findings[0].Tactic, findings[0].Techniques = "defense-evasion", []string{"T1562.008", "T1078.004", "T1619"}
			findings[0].SourceIPs = append(findings[0].SourceIPs, "ec2.amazonaws.com")
		}
		return WriteFindings(w, format, FindingSet{
			Findings: each(v.Findings(findings)),
			Assessments: []rules.Assessment{
				{Rule: "TS-CO-001", Assessed: rules.NotAssessable, Reason: "the case holds no S3 data events"},
				{Rule: "TS-IA-017", Assessed: rules.NotAssessed, Reason: "the list hostile was not given: use --hostile"},
				{Rule: "TS-PE-001", Assessed: rules.Assessed},
			},
			Rules: v.Rules([]rules.Rule{{
				ID: findings[0].Rule, Title: findings[0].Title, Severity: rules.High, Tactic: "defense-evasion",
				Techniques: []string{"T1562.008", "T1078.004", "T1619"}, Explain: "See [this](1), {0} & <b>that</b>.\x1b[2J",
				FalsePositives: "| None | `" + "x` |", Reference: "https://docs.aws.amazon.com/a b",
			}, {ID: findings[2].Rule, Title: "x", Reference: "javascript:alert(1)", Spike: &rules.Spike{}}}),
			Origins: Origins{findings[0].ID: {
				{URI: "logs/a b\x1b[31m#1.json.gz"}, {URI: "/var/log/trail.json"}, {URI: "s3://bucket/AWSLogs/x y?.json.gz", Record: 7}, {URI: "-"},
			}},
			Attack: v, Version: "0.0.0",
		}, time.UTC)
	}
}

// Whatever the incident holds, the summary fits 24 lines of 80 or of 100 columns.
func TestSummaryFitsAScreen(t *testing.T) {
	for _, columns := range []int{0, 80, 93, 100, 240} {
		for name, full := range map[string]bool{"as it is": false, "with many of everything": true} {
			t.Run(fmt.Sprintf("%d columns, %s", columns, name), func(t *testing.T) { summaryFits(t, columns, full) })
		}
	}
}

func summaryFits(t *testing.T, columns int, full bool) {
	inc, _ := hostileIncident()
	inc.Lineage.CompromisedSinceWhy = strings.Repeat(inc.Lineage.CompromisedSinceWhy, 3)
	for n := 0; full && n < 40; n++ {
		inc.Findings = append(inc.Findings, inc.Findings[0])
		inc.Plan.Actions = append(inc.Plan.Actions, inc.Plan.Actions[1])
		inc.Gaps = append(inc.Gaps, inc.Gaps[0])
		alive := inc.Lineage.Credentials[1]
		alive.Uses = nil
		inc.Lineage.Credentials = append(inc.Lineage.Credentials, alive)
	}
	var b strings.Builder
	if err := Summary(&b, inc, strings.Repeat("out/", 40), time.UTC, columns); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines, want at most 24:\n%s", len(lines), b.String())
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > min(max(columns, 80), 100) {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

// An incident with nothing in it must give every document all the same.
func TestDocumentsOfAnEmptyIncident(t *testing.T) {
	inc := &Incident{}
	for name, write := range map[string]func(io.Writer) error{
		"HTML":     func(w io.Writer) error { return HTML(w, inc, time.UTC) },
		"Markdown": func(w io.Writer) error { return Markdown(w, inc, time.UTC) },
		"JSON":     func(w io.Writer) error { return JSON(w, inc) },
		"summary":  func(w io.Writer) error { return Summary(w, inc, "out", time.UTC, 100) },
		"decision": func(w io.Writer) error { return PlanDecision(w, "html", &remediate.Plan{}, inc, time.UTC) },
		"runbook":  func(w io.Writer) error { return PlanRunbook(w, &remediate.Plan{}, time.UTC) },
		"script":   func(w io.Writer) error { return PlanScript(w, &remediate.Plan{}, time.UTC) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(b.String(), "0001-01-01 ") {
			t.Errorf("%s shows the zero time", name)
		}
	}
}

var (
	tags       = regexp.MustCompile(`<[^>]*>`)
	attribute  = regexp.MustCompile(`\s([a-z-]+)="([^"]*)"`)
	fetches    = regexp.MustCompile(`(?i)^<(script|link|iframe|object|embed|img|image|base|form|audio|video|use)\b`)
	attributes = regexp.MustCompile(`(?i)^(src|srcset|data|action|formaction|background|poster|xlink:href|on.*)$`)
	styleLoads = regexp.MustCompile(`(?i)@import|url\(|expression`)
)

func TestHTMLLoadsNothing(t *testing.T) {
	inc, _ := hostileIncident()
	var b strings.Builder
	if err := HTML(&b, inc, time.UTC); err != nil {
		t.Fatal(err)
	}
	// Text between tags may say anything; tags may not.
	for _, tag := range tags.FindAllString(b.String(), -1) {
		if fetches.MatchString(tag) {
			t.Errorf("the page has %s", tag)
		}
		for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
			if attributes.MatchString(a[1]) || a[1] == "style" || a[1] == "href" && !strings.HasPrefix(a[2], "#") {
				t.Errorf("the attribute %s of %s", a[0], tag)
			}
		}
	}
	if !strings.Contains(b.String(), "default-src 'none'") {
		t.Error("no content security policy")
	}
	if m := styleLoads.FindString(styleText); m != "" {
		t.Errorf("the style has %q", m)
	}
}
