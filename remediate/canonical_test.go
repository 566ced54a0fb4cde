package remediate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func written(t testing.TB, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPlanRoundTrip(t *testing.T) {
	p := smallIncident().plan(t)
	text := written(t, p)
	q, err := ReadPlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if again := written(t, q); again != text {
		t.Error("a plan that was read is written differently")
	}
	if strings.Contains(text, ": null") {
		for _, line := range strings.Split(text, "\n") {
			if strings.Contains(line, ": null") && !strings.Contains(line, `"rollback"`) && !strings.Contains(line, `"for_each"`) && !strings.Contains(line, `"deadline"`) {
				t.Errorf("null where a list is: %s", line)
			}
		}
	}
	digest := p.Digest
	p.GeneratedAt = p.GeneratedAt.Add(time.Hour)
	if d, err := p.ComputeDigest(); err != nil || d != digest {
		t.Errorf("generated_at changes the digest: %s %v", d, err)
	}
	p.Actions[0].Risk += "."
	if d, err := p.ComputeDigest(); err != nil || d == digest {
		t.Errorf("a changed action does not change the digest: %v", err)
	}
}

// TestDigestIsRFC8785 checks the digest against one that was computed by hand:
// members sorted, no white space, numbers and strings in their shortest form.
func TestDigestIsRFC8785(t *testing.T) {
	a, err := digest([]byte(`{ "b": 1.0, "a": "\u20ac<", "digest": "x", "generated_at": "y" }`))
	if err != nil {
		t.Fatal(err)
	}
	// printf '{"a":"€<","b":1}' | sha256sum
	const want = "2f00fe0a86ed014cc9d6f327ecefd172811684dc11bd8d3f7a13405a138699cf"
	if a != want {
		t.Errorf("digest %s, want %s", a, want)
	}
}

func TestReadPlanRefuses(t *testing.T) {
	whole := written(t, smallIncident().plan(t))
	sealed := func(p Plan) string {
		var err error
		if p.Digest, err = p.ComputeDigest(); err != nil {
			t.Fatal(err)
		}
		return written(t, &p)
	}
	base := func(actions ...Action) Plan { return Plan{Version: PlanVersion, Actions: actions} }
	for _, test := range []struct {
		name, text, says string
		is               error
	}{
		{name: "an edited plan", text: strings.Replace(whole, `"mode": "review"`, `"mode": "auto"`, 1), is: ErrDigest},
		{name: "a member that trailscan does not know", text: strings.Replace(whole, `"version": 1`, `"version": 1, "extra": 1`, 1), is: ErrDigest},
		{name: "a name that stands twice", text: strings.Replace(whole, `"version": 1`, `"version": 1, "version": 1`, 1), says: "duplicate"},
		{name: "a plan that was cut", text: whole[:len(whole)/2], says: "cut short"},
		{name: "two plans", text: whole + whole, says: "cut short"},
		{name: "another document", text: `{"Version":"2012-10-17"}`, says: "version"},
		{name: "a list", text: `[]`, says: "not a plan.json: it is an array"},
		{name: "another version", text: `{"version":99}`, says: "version 99"},
		{name: "an unknown phase", text: sealed(base(Action{ID: "a", Phase: "hope", Mode: Manual})), says: "unknown phase"},
		{name: "an unknown mode", text: sealed(base(Action{ID: "a", Phase: Contain, Mode: "fast"})), says: "unknown mode"},
		{name: "phases out of order", text: sealed(base(Action{ID: "a", Phase: Evict, Mode: Manual}, Action{ID: "b", Phase: Contain, Mode: Manual})), says: "comes after"},
		{name: "an id twice", text: sealed(base(Action{ID: "a", Phase: Contain, Mode: Manual}, Action{ID: "a", Phase: Contain, Mode: Manual})), says: "not unique"},
		{name: "a dependency on a later action", text: sealed(base(Action{ID: "a", Phase: Contain, Mode: Manual, DependsOn: []string{"b"}}, Action{ID: "b", Phase: Contain, Mode: Manual})), says: "no earlier action"},
		{name: "an automatic action without a way back", text: sealed(base(Action{ID: "a", Phase: Contain, Mode: Auto, Service: "iam", Operation: "UpdateAccessKey"})), says: "no rollback"},
		{name: "an automatic deletion", text: sealed(base(Action{ID: "a", Phase: Evict, Mode: Auto, Service: "iam", Operation: "DeleteUserPolicy", Rollback: []Call{{}}})), says: "cannot be started again"},
		{name: "an automatic restoration", text: sealed(base(Action{ID: "a", Phase: Restore, Mode: Auto, Service: "iam", Operation: "UpdateAccessKey", Rollback: []Call{{}}})), says: "gives access back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadPlan(strings.NewReader(test.text))
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %v %q", err, test.is, test.says)
			}
		})
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"version":1,"actions":[],"digest":"x"}`))
	f.Add([]byte(`{"version":1,"actions":[{"id":"a","phase":"evict","mode":"auto","rollback":null}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadPlan(bytes.NewReader(text))
		if err != nil {
			return
		}
		want, err := digest(text)
		if err != nil || want != p.Digest {
			t.Errorf("a plan was read whose digest is not its own: %v", err)
		}
	})
}

func TestDigestSeal(t *testing.T) {
	p := smallIncident().plan(t)
	var members map[string]any
	if err := json.Unmarshal([]byte(written(t, p)), &members); err != nil {
		t.Fatal(err)
	}
	if members["digest"] != p.Digest || len(p.Digest) != 64 {
		t.Errorf("digest %v", members["digest"])
	}
}
