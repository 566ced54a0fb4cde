package reports

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"trailscan/lineage"
)

// manySessions is a key with n like sessions, of which every 500th is alive and
// has one of its own.
func manySessions(n int) *lineage.Lineage {
	at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	key := "AKIAIOSFODNN7EXAMPLE"
	l := &lineage.Lineage{Keys: []string{key}, AsOf: at, Credentials: []lineage.Credential{{ID: key, Kind: lineage.LongTerm, Certainty: lineage.Confirmed}}}
	add := func(id string, parent string, alive bool) {
		issued := at.Add(time.Duration(len(l.Credentials)) * time.Second)
		l.Credentials = append(l.Credentials, lineage.Credential{ID: id, Kind: lineage.RoleSession, Parent: &parent, Via: "sts:AssumeRole",
			PrincipalARN: "arn:aws:sts::111122223333:assumed-role/R/" + id, IssuedAt: &issued, LiveAtEnd: alive, Certainty: lineage.Confirmed})
		l.Edges = append(l.Edges, lineage.Edge{From: parent, To: id, Via: "sts:AssumeRole", Time: issued, Certainty: lineage.Confirmed})
	}
	for i := range n {
		id := fmt.Sprintf("ASIA%016d", i)
		add(id, key, i%500 == 7)
		if i%500 == 7 {
			add(fmt.Sprintf("ASIB%016d", i), id, false)
		}
	}
	return l
}

func text(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestManySessionsStayReadable(t *testing.T) {
	l := manySessions(10_000)
	o := LineageOptions{Zone: time.UTC, Columns: 80}
	tree := text(t, func(w io.Writer) error { return LineageTree(w, l, o) })
	if n := strings.Count(tree, "\n"); n > 150 {
		t.Errorf("the tree has %d lines", n)
	}
	for _, want := range []string{"10,021 credentials, 20 alive", "9,980 more", "ASIA0000000000009507"} {
		if !strings.Contains(tree, want) {
			t.Errorf("the tree lacks %q:\n%s", want, tree)
		}
	}
	o.Full = true
	if n := strings.Count(text(t, func(w io.Writer) error { return LineageTree(w, l, o) }), "role session"); n != 10_020 {
		t.Errorf("the full tree has %d sessions", n)
	}
	o.Full = false
	for name, write := range map[string]func(io.Writer, *lineage.Lineage, LineageOptions) error{"dot": LineageDOT, "mermaid": LineageMermaid} {
		o.Full = false
		graph := text(t, func(w io.Writer) error { return write(w, l, o) })
		if n := strings.Count(graph, "\n"); n > 120 || !strings.Contains(graph, "9,980 like") || !strings.Contains(graph, "--full") {
			t.Errorf("%s has %d lines:\n%.2000s", name, n, graph)
		}
		o.Full = true
		if n := strings.Count(text(t, func(w io.Writer) error { return write(w, l, o) }), "/ASI"); n != 10_020 {
			t.Errorf("the full %s has %d sessions", name, n)
		}
	}
}

// What is left out for length is counted, however the tree is shaped.
func TestTreeSaysWhatItLeavesOut(t *testing.T) {
	l := manySessions(3)
	for i := range 600 { // a user each, all different
		l.Principals = append(l.Principals, lineage.Principal{ARN: fmt.Sprintf("arn:aws:iam::111122223333:user/u%d", i), Kind: "user", How: lineage.Created})
	}
	tree := text(t, func(w io.Writer) error { return LineageTree(w, l, LineageOptions{Zone: time.UTC}) })
	if !strings.Contains(tree, "581 more here") && !strings.Contains(tree, "581 credentials and principals are not shown: --full shows all") {
		t.Errorf("%s", tree)
	}
}

// Roles that assume each other make circles and chains of any depth; all forms
// end, and no line of the tree grows with the depth.
func TestCirclesAndChains(t *testing.T) {
	l := manySessions(0)
	a, b := "ASIAA", "ASIAB"
	l.Credentials = append(l.Credentials, lineage.Credential{ID: a, Parent: &b}, lineage.Credential{ID: b, Parent: &a})
	l.Edges = append(l.Edges, lineage.Edge{From: a, To: b}, lineage.Edge{From: b, To: a})
	parent := l.Credentials[0].ID
	for i := range 2000 {
		up, id := parent, fmt.Sprintf("ASIA%016d", i)
		l.Credentials = append(l.Credentials, lineage.Credential{ID: id, Parent: &up})
		l.Edges = append(l.Edges, lineage.Edge{From: up, To: id})
		parent = id
	}
	for _, full := range []bool{false, true} {
		o := LineageOptions{Zone: time.UTC, Columns: 80, Full: full}
		tree := text(t, func(w io.Writer) error { return LineageTree(w, l, o) })
		for _, line := range strings.Split(tree, "\n") {
			if n := utf8.RuneCountInString(line); n > 120 {
				t.Fatalf("a line of %d columns: %s", n, line)
			}
		}
		if strings.Contains(tree, parent) != full {
			t.Errorf("full %t: the last of the chain is there: %t", full, !full)
		}
		for _, write := range []func(io.Writer, *lineage.Lineage, LineageOptions) error{LineageDOT, LineageMermaid} {
			if graph := text(t, func(w io.Writer) error { return write(w, l, o) }); !strings.Contains(graph, parent) {
				t.Error("a graph lacks the last of the chain")
			}
		}
	}
}

// A line of a graph is one of these, whatever the logs put into names: quoted
// text ends where it is meant to.
var (
	dotLine = regexp.MustCompile(`^(digraph lineage \{|\}|  (graph|node|edge) \[(.*)\];|` +
		`  n\d+( -> n\d+)? \[label="([^"\\]|\\n|\\\\|\\")*"(, (fillcolor|color)="#[0-9a-f]{6}"|, (shape=ellipse|style=(filled|dashed|dotted)|penwidth=2|peripheries=2))*\];)$`)
	mermaidLine = regexp.MustCompile(`^(%% [a-zA-Z0-9 ,:'-]*|flowchart LR|` +
		`  n\d+(\["LABEL"\]|\(\["LABEL"\]\))|  n\d+ (-->|-\.->)(\|"LABEL"\|)? n\d+|  linkStyle [\d,]+ stroke-dasharray:1 4|` +
		`  classDef (principal|alive|root) [a-z0-9#:,-]+|  class [n\d,]+ (principal|alive|root))$`)
	mermaidLabel = regexp.MustCompile(`"([a-zA-Z0-9 ./:,=@_-]|#\d+;|<br/>)*"`)
)

func TestGraphsHoldWhateverTheLogsHold(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, l *lineage.Lineage) {
		var dot, mermaid strings.Builder
		if err := LineageDOT(&dot, l, LineageOptions{Zone: time.UTC}); err != nil {
			t.Errorf("%v", err)
		}
		if err := LineageMermaid(&mermaid, l, LineageOptions{Zone: time.UTC}); err != nil {
			t.Errorf("%v", err)
		}
		for _, line := range strings.Split(strings.TrimSuffix(dot.String(), "\n"), "\n") {
			if !dotLine.MatchString(line) {
				t.Errorf("no line of DOT: %s", line)
			}
		}
		for _, line := range strings.Split(strings.TrimSuffix(mermaid.String(), "\n"), "\n") {
			if !mermaidLine.MatchString(mermaidLabel.ReplaceAllString(line, `"LABEL"`)) {
				t.Errorf("no line of mermaid: %s", line)
			}
		}
	}
	inc, _ := hostileIncident()
	check(t, inc.Lineage)
	rapid.Check(t, func(r *rapid.T) {
		some := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{hostileHTML, hostileMarkdown, hostileTerminal, `"]`, `\`, `\"`, `#quot;`,
			"%%{init: {}}%%", "-->", "end", "`x`", "1. a", "- b", "&lt;", "click n0 href", "\n", "\xff", "a --> b;"}))
		id, other := some.Draw(r, "id"), some.Draw(r, "other")
		l := &lineage.Lineage{Keys: []string{some.Draw(r, "key")}, Credentials: []lineage.Credential{{ID: id, PrincipalARN: some.Draw(r, "arn"), EndedVia: some.Draw(r, "via"), EndedAt: &time.Time{}}},
			Principals: []lineage.Principal{{ARN: other, Kind: some.Draw(r, "kind")}},
			Edges:      []lineage.Edge{{From: id, To: other, Via: some.Draw(r, "call"), Certainty: lineage.Unexplained}, {From: other, To: some.Draw(r, "third"), Certainty: lineage.Inferred}}}
		check(r, l)
	})
}

func TestExplanation(t *testing.T) {
	inc, _ := hostileIncident()
	l := inc.Lineage
	at := l.CompromisedSince
	step := func(n int, from, to, via string, c lineage.Certainty) lineage.Step {
		return lineage.Step{Number: n, Time: at, From: from, To: to, Via: via, EventID: "e-1", AccountID: "111122223333", Region: "us-east-1",
			PrincipalARN: "arn:aws:iam::111122223333:user/" + hostileHTML, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SourceIP: "203.0.113.66", UserAgent: hostileTerminal,
			Certainty: c, Why: hostileMarkdown}
	}
	x := &lineage.Explanation{ID: hostileTerminal, Keys: l.Keys, Subjects: []lineage.Subject{
		{ID: l.Credentials[0].ID, Credential: &l.Credentials[0]},
		{ID: l.Credentials[1].ID, Credential: &l.Credentials[1], Ways: []lineage.Way{{Certainty: lineage.Confirmed, Steps: []lineage.Step{
			step(1, l.Credentials[0].ID, l.Credentials[1].ID, "sts:GetSessionToken", lineage.Confirmed)}}}},
		{ID: l.Credentials[2].ID, Credential: &l.Credentials[2], Principals: l.Principals[:1], Ways: []lineage.Way{
			{Certainty: lineage.Inferred, Steps: []lineage.Step{step(1, l.Credentials[0].ID, l.Credentials[1].ID, "sts:GetSessionToken", lineage.Confirmed),
				step(2, l.Credentials[1].ID, l.Credentials[2].ID, "sts:AssumeRole", lineage.Inferred)}},
			{Certainty: lineage.Unexplained, Steps: []lineage.Step{{Number: 1, From: l.Credentials[0].ID, To: l.Credentials[2].ID, Certainty: lineage.Unexplained}}}}},
		{ID: l.Principals[1].ARN, Principals: l.Principals[1:], Ways: []lineage.Way{{Certainty: lineage.Inferred, Steps: []lineage.Step{
			step(1, l.Credentials[0].ID, l.Principals[1].ARN, "iam:UpdateAssumeRolePolicy", lineage.Inferred)}}}},
	}}
	out := golden(t, "explain.txt", func(w io.Writer) error {
		return WriteExplanation(w, x, l, LineageOptions{Zone: time.UTC, Columns: 100})
	})
	for _, r := range out {
		if deceptive(r) && r != '\n' {
			t.Errorf("it holds the control or format character %U", r)
		}
	}
	for range 50 {
		x.Subjects = append(x.Subjects, x.Subjects[1])
		x.Subjects[2].Ways = append(x.Subjects[2].Ways, x.Subjects[2].Ways[0])
	}
	short := text(t, func(w io.Writer) error {
		return WriteExplanation(w, x, l, LineageOptions{Zone: time.UTC})
	})
	for _, want := range []string{"44 more are not shown: --full shows all", "47 more ways are not shown: --full shows all"} {
		if !strings.Contains(short, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// However deep a chain is, no line is wider than the terminal.
func TestDeepTreeFits(t *testing.T) {
	l := manySessions(0)
	parent := l.Credentials[0].ID
	at := l.AsOf.Add(-time.Hour)
	for i := range 100 {
		up, id := parent, fmt.Sprintf("ASIA%016d", i)
		l.Credentials = append(l.Credentials, lineage.Credential{ID: id, Kind: lineage.RoleSession, Parent: &up, Via: "sts:AssumeRole", LiveAtEnd: true, IssuedAt: &at,
			PrincipalARN: fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/Role%d/session", i), SurvivesKeyDisable: true,
			EndedBy: "deny on the role for sessions issued before now, at once on every role of the chain: sessions taken from each other renew each other"})
		parent = id
	}
	for _, columns := range []int{80, 100, 120} {
		tree := text(t, func(w io.Writer) error {
			return LineageTree(w, l, LineageOptions{Zone: time.UTC, Columns: columns, Full: true})
		})
		for line := range strings.Lines(tree) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d columns of %d: %s", n, columns, line)
			}
		}
	}
}

// What lets somebody in again is shown before sessions that are over.
func TestTreeShowsChangesBeforeWhatIsOver(t *testing.T) {
	l := manySessions(0)
	key := l.Credentials[0].ID
	for i := range 40 {
		at := l.AsOf.Add(time.Duration(i) * time.Second)
		l.Credentials = append(l.Credentials, lineage.Credential{ID: fmt.Sprintf("ASIA%016d", i), Kind: lineage.RoleSession, Parent: &key, IssuedAt: &at,
			PrincipalARN: fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/Role%d/s", i)})
	}
	const provider = "arn:aws:iam::111122223333:saml-provider/way-back"
	at := l.AsOf.Add(time.Minute)
	l.Principals = append(l.Principals, lineage.Principal{ARN: provider, Kind: "identity_provider", How: lineage.Created, EventID: "e", Time: at})
	l.Edges = append(l.Edges, lineage.Edge{From: key, To: provider, Via: "iam:CreateSAMLProvider", EventID: "e", Time: at})
	tree := text(t, func(w io.Writer) error { return LineageTree(w, l, LineageOptions{Zone: time.UTC}) })
	if !strings.Contains(tree, provider) || !strings.Contains(tree, "21 more here") {
		t.Errorf("%s", tree)
	}
}

// A responder must not act on what is over.
func TestReportSaysWhatIsOver(t *testing.T) {
	l := manySessions(0)
	key := l.Credentials[0].ID
	l.Credentials[0].LiveAtEnd = true
	add := func(id string, expires time.Duration, ended bool) {
		issued, until := l.AsOf.Add(-time.Hour), l.AsOf.Add(expires)
		c := lineage.Credential{ID: id, Kind: lineage.RoleSession, Parent: &key, IssuedAt: &issued, ExpiresAt: &until, Certainty: lineage.Confirmed,
			PrincipalARN: "arn:aws:sts::111122223333:assumed-role/" + id + "/s", EndedBy: "deny on " + id, LiveAtEnd: expires > 0 && !ended}
		if ended {
			c.EndedAt, c.EndedVia = &l.AsOf, "iam:DeleteRole"
		}
		l.Credentials = append(l.Credentials, c)
	}
	add("ASIALIVE", time.Minute, false)
	add("ASIAOVER", -time.Minute, false)
	add("ASIAENDED", time.Minute, true)
	inc := &Incident{Lineage: l}
	for name, write := range map[string]func(io.Writer) error{
		"html": func(w io.Writer) error { return HTML(w, inc, time.UTC) }, "md": func(w io.Writer) error { return Markdown(w, inc, time.UTC) },
	} {
		got := text(t, write)
		for part, want := range map[string]bool{"deny on ASIALIVE": true, "deny on ASIAOVER": false, "deny on ASIAENDED": false, "expired": true, "DeleteRole": true} {
			if strings.Contains(got, part) != want {
				t.Errorf("%s: %q is there: %t", name, part, !want)
			}
		}
	}
}

// The columns of the CSV are the fields of lineage.json, in their order.
func TestCredentialColumns(t *testing.T) {
	var want []string
	for f := range reflect.TypeFor[lineage.Credential]().Fields() {
		want = append(want, f.Tag.Get("json"))
	}
	got := text(t, func(w io.Writer) error { return WriteCredentials(w, "csv", manySessions(1)) })
	head, rest, _ := strings.Cut(got, "\n")
	names := strings.Split(head, ",")
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("columns %v, want %v", names, want)
	}
	if !strings.Contains(rest, "ASIA0000000000000000,,role_session,,arn:aws:sts::111122223333:assumed-role/R/ASIA0000000000000000,") {
		t.Errorf("%s", rest)
	}
}
