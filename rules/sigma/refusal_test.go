package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/rules"
)

func TestRefusals(t *testing.T) {
	one := func(fields string) string { return detection("s: {" + fields + "}\ncondition: s") }
	for _, tc := range []struct{ name, text, want string }{
		{"no YAML", "title: x\n\tlevel: y\n", "rule.yml:2: is no YAML: found"},
		{"a text", "just words\n", "rule.yml:1: is no Sigma rule"},
		{"no title", "detection: {}\n", "neither title nor id"},
		{"no logsource", "title: x\ndetection: {s: {a: b}, condition: s}\n", "no logsource"},
		{"no detection", "title: x\nlogsource: {product: aws}\n", "neither detection nor correlation"},
		{"filter", "title: x\nlogsource: {product: aws}\nfilter: {rules: any}\n", "Sigma filter"},
		{"no condition", about + "detection: {s: {a: b}}\n", "rule.yml:3: Sigma rule \"Test\": detection has no condition"},
		{"level", strings.Replace(one("a: b"), "title: Test", "title: Test\nlevel: severe", 1), `rule.yml:2: Sigma rule "Test": level "severe"`},
		{"unknown search", detection("s: {a: b}\ncondition: s and t"), `rule.yml:5: Sigma rule "Test": condition names "t"`},
		{"no such pattern", detection("s: {a: b}\ncondition: 1 of t*"), `"t*"`},
		{"open parenthesis", detection("s: {a: b}\ncondition: (s"), "closing parenthesis"},
		{"closed parenthesis", detection("s: {a: b}\ncondition: s)"), `has ")"`},
		{"two names", detection("s: {a: b}\ncondition: s s"), `has "s" where it should end`},
		{"empty condition", detection("s: {a: b}\ncondition: ''"), "ends too early"},
		{"operator without operand", detection("s: {a: b}\ncondition: s and"), "ends too early"},
		{"two operators", detection("s: {a: b}\ncondition: s and or s"), `has "or"`},
		{"more than there are", detection("s: {a: b}\ncondition: 2 of them"), "2 of 1"},
		{"of without number", detection("s: {a: b}\ncondition: some of them"), "some"},
		{"deep condition", detection("s: {a: b}\ncondition: " + strings.Repeat("(", 200) + "s" + strings.Repeat(")", 200)), "nested more than"},
		{"unknown modifier", one("a|sometimes: b"), `modifier "sometimes" is not supported`},
		{"lookaround", one("a|re: '(?!x)y'"), "RE2 has no lookahead"},
		{"backreference", one(`a|re: '(x)\1'`), "RE2 has no backreferences"},
		{"broken expression", one("a|re: '(x'"), "missing closing )"},
		{"large expression", one(`a|re: '\p{L}{900}'`), "too large"},
		{"flag without re", one("a|i: b"), "belongs after re"},
		{"cidr", one("a|cidr: 10.0.0.0/40"), "CIDR"},
		{"number", one("a|gt: many"), "no number"},
		{"exists", one("a|exists: perhaps"), "true or false"},
		{"base64 of a wildcard", one("a|base64: 'x*'"), "no wildcards"},
		{"wide alone", one("a|wide: x"), "needs base64"},
		{"two kinds", one("a|re|cidr: x"), "exclude each other"},
		{"null with a modifier", one("a|contains: null"), "takes no null"},
		{"no values", one("a: []"), "no values"},
		{"a map as a value", one("a: {b: c}"), "a map or a list"},
		{"key twice", detection("s:\n  a: b\n  a: c\ncondition: s"), `rule.yml:6: "a" stands twice`},
		{"field name", one("'a..b': c"), "no name of a field"},
		{"placeholder", one("a|expand: '%gone%'"), "placeholder %gone% has no values: give them with --sigma-vars"},
		{"empty search", detection("s: {}\ncondition: s"), "empty"},
		{"yaml that contains itself", "title: x\nlogsource: {product: aws}\ndetection: &d\n  s: [*d]\n  condition: s\n", "refers to itself"},
		{"aggregation", detection("s: {a: b}\ncondition: s | sum(x) by y > 3"), "only count"},
		{"count of nothing", detection("s: {a: b}\ncondition: s | count() < 1"), "no events"},
		{"near without time", detection("s: {a: b}\nt: {a: c}\ncondition: s | near t"), "near has no timeframe"},
		{"timeframe", detection("s: {a: b}\ntimeframe: soon\ncondition: s | count() > 1"), "no time span"},
		{"unknown reference", correlated("type: event_count\nrules: [gone]\ntimespan: 1m\ncondition: {gte: 1}"), `rule.yml:5: Sigma rule "Correlated": it refers to "gone"`},
		{"reference to a broken rule", correlated("type: event_count\nrules: [Test]\ntimespan: 1m\ncondition: {gte: 1}", one("a|x: b")), `it refers to "Test", which cannot be compiled: line 4: search s`},
		{"reference to itself", correlated("type: event_count\nrules: [Correlated]\ntimespan: 1m\ncondition: {gte: 1}"), "refers to itself"},
		{"correlation type", correlated("type: value_avg\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}", base("a", "A")), "value_avg"},
		{"no timespan", correlated("type: event_count\nrules: [a]\ncondition: {gte: 1}", base("a", "A")), "no timespan"},
		{"no condition of a count", correlated("type: event_count\nrules: [a]\ntimespan: 1m", base("a", "A")), "no condition"},
		{"value_count without field", correlated("type: value_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}", base("a", "A")), "no field"},
		{"other than so many rules", correlated("type: temporal\nrules: [a, b]\ntimespan: 1m\ncondition: {neq: 1}", base("a", "A"), base("b", "B")), "not \"at least\""},
		{"alias of another rule", correlated("type: temporal\nrules: [a, b]\ntimespan: 1m\ngroup-by: [x]\naliases: {x: {a: eventName}}", base("a", "A"), base("b", "B")), "alias x says nothing"},
		{"condition of names", correlated("type: temporal\nrules: [a, b]\ntimespan: 1m\ncondition: a or b", base("a", "A"), base("b", "B")), "all rules linked by and"},
		{"same id", base("a", "A") + "---\n" + base("a", "A"), "has the id of the rule at rule.yml:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set := compileText(tc.text, nil)
			var got []string
			for _, r := range set.Refused {
				got = append(got, r.String())
			}
			if !strings.Contains(strings.Join(got, "\n"), tc.want) {
				t.Errorf("refused: %q, want %q", got, tc.want)
			}
			for _, r := range set.Refused {
				if r.Line == 0 || r.Assessment().Assessed != rules.NotAssessed {
					t.Errorf("%+v has no line", r)
				}
			}
		})
	}
}

func TestChainsThatGrowAreRefused(t *testing.T) {
	text := base("c0", "A")
	for i := range 30 {
		text += fmt.Sprintf("---\ntitle: c%d\ncorrelation: {type: temporal, rules: [c%d, c%d], timespan: 1m}\n", i+1, i, i)
	}
	set := compileText(text, nil)
	if len(set.Refused) == 0 || !strings.Contains(set.Refused[0].Reason, "MB of SQL") {
		t.Errorf("refused %v", set.Refused)
	}
}

func TestOneBadRuleLeavesTheOthers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yml", detection("s: {eventName: A}\ncondition: s"))
	write("sub/b.yaml", base("b", "B")+"---\n"+base("broken", "{x: y}"))
	write("sub/c.YML", "{{{{")
	write("sub/correlation.yml", correlated("type: event_count\nrules: [other]\ntimespan: 1m\ncondition: {gte: 1}"))
	write("z/other.yml", base("other", "O"))
	write("windows.yml", strings.ReplaceAll(base("w", "W"), "aws", "windows"))
	write("on-windows.yml", strings.ReplaceAll(correlated("type: event_count\nrules: [w]\ntimespan: 1m\ncondition: {gte: 1}"), "Correlated", "On Windows"))
	write("compose.yml", "services: {db: {image: x}}\n")
	outside := filepath.Join(t.TempDir(), "linked")
	if err := os.WriteFile(outside, []byte(base("linked", "L")), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"linked.yml": outside, "dangling.yml": outside + ".gone"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	write("list.yml", "- 1\n")
	write("notes.txt", "not read\n")
	set, err := Load([]string{dir, filepath.Join(dir, "a.yml")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range set.Rules {
		got = append(got, r.ID)
	}
	if want := "sigma:test sigma:id-linked sigma:id-b sigma:correlated"; strings.Join(got, " ") != want {
		t.Errorf("rules are %v, want %s", got, want)
	}
	if set.Skipped != 2 {
		t.Errorf("skipped %d", set.Skipped)
	}
	if len(set.Refused) != 2 || !strings.HasSuffix(set.Refused[0].File, "c.YML") || set.Refused[1].Rule != "sigma:id-broken" {
		t.Errorf("refused %v", set.Refused)
	}
	// Named outright, a file without rules is refused.
	set, err = Load([]string{filepath.Join(dir, "compose.yml"), filepath.Join(dir, "list.yml"), filepath.Join(dir, "notes.txt")}, nil)
	if err != nil || len(set.Refused) != 3 {
		t.Errorf("refused %v, error %v", set.Refused, err)
	}
}

func TestPathsThatAreMissing(t *testing.T) {
	empty := t.TempDir()
	for _, path := range []string{filepath.Join(empty, "gone"), empty} {
		if _, err := Load([]string{path}, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error is %v", path, err)
		}
	}
}

func TestReadVars(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vars.yml")
	for _, tc := range []struct{ name, text, want string }{
		{"yaml", "Admins: [ann, bob]\n'%One%': 7\n", ""},
		{"json", `{"Admins": ["ann", "bob"], "One": "7"}`, ""},
		{"under vars", "vars:\n  Admins: [ann, bob]\n  One: 7\n", ""},
		{"a list of maps", "Admins: [{a: b}]\n", "vars.yml:1: Admins must be a list of values"},
		{"a map", "Admins: {a: b}\n", "vars.yml:1: Admins must be a value"},
		{"no YAML", "Admins: [\n", "is no YAML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			vars, err := ReadVars(file)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error is %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil || strings.Join(vars["Admins"], " ") != "ann bob" || strings.Join(vars["One"], " ") != "7" {
				t.Errorf("vars are %v, error %v", vars, err)
			}
		})
	}
	if _, err := ReadVars(file + ".gone"); err == nil {
		t.Error("a missing file is read")
	}
}
