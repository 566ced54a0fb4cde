package lineage

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"trailscan/ingest"
	"trailscan/query"
)

// newCase opens an empty case.
func newCase(t testing.TB) *query.Case {
	t.Helper()
	c, err := query.Open(t.Context(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

type truth struct {
	Keys    []string  `json:"keys"`
	Since   time.Time `json:"compromised_since"`
	Lineage struct {
		Credentials []struct {
			Name               string   `json:"name"`
			AccessKeyIDs       []string `json:"access_key_ids"`
			Kind               Kind     `json:"kind"`
			PrincipalARN       string   `json:"principal_arn"`
			PrincipalID        string   `json:"principal_id"`
			Parent             string   `json:"parent"`
			Via                string   `json:"via"`
			IssuedEventID      string   `json:"issued_event_id"`
			IssuedAt           string   `json:"issued_at"`
			ExpiresAt          string   `json:"expires_at"`
			LiveAtEnd          bool     `json:"live_at_end"`
			SurvivesKeyDisable bool     `json:"survives_key_disable"`
			EventCount         int64    `json:"event_count"`
		} `json:"credentials"`
		Principals []struct {
			ARN string `json:"arn"`
			How []How  `json:"how"`
		} `json:"principals"`
	} `json:"lineage"`
	IntruderEvents []string `json:"intruder_events"`
	Everyday       struct {
		Events        []string `json:"events"`
		CredentialIDs []string `json:"credential_ids"`
		ARNs          []string `json:"arns"`
	} `json:"everyday"`
}

func TestLeakedKeyAgainstItsTruth(t *testing.T) {
	dir := filepath.Join("..", "testdata", "leaked-key")
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want truth
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	c := newCase(t)
	if _, err := ingest.Load(t.Context(), c, []string{dir}, ingest.Options{}); err != nil && !errors.Is(err, ingest.ErrNothingReadable) {
		t.Fatal(err)
	}
	got, err := Trace(t.Context(), c, want.Keys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !got.CompromisedSince.Equal(want.Since) {
		t.Errorf("compromised since %s (%s), want %s", got.CompromisedSince, got.CompromisedSinceWhy, want.Since)
	}
	byKey := map[string]*Credential{}
	for i := range got.Credentials {
		d := &got.Credentials[i]
		byKey[d.ID] = d
		for _, id := range d.AccessKeyIDs {
			byKey[id] = d
		}
	}

	names := map[string]string{} // credential id by the scenario's name
	matched := map[string]bool{}
	for _, w := range want.Lineage.Credentials {
		d := byKey[w.AccessKeyIDs[0]]
		if d == nil {
			t.Errorf("%s (%s) is missing", w.Name, w.AccessKeyIDs[0])
			continue
		}
		names[w.Name] = d.ID
		matched[d.ID] = true
		ids := slices.Sorted(slices.Values(w.AccessKeyIDs))
		if !slices.Equal(ids, d.AccessKeyIDs) {
			t.Errorf("%s has the ids %v, want %v", w.Name, d.AccessKeyIDs, ids)
		}
		var count int64
		for _, u := range d.Uses {
			if u.Actor != Owner {
				count += u.Count
			}
		}
		type facts struct {
			kind                Kind
			arn, id, via, event string
			issued, expires     string
			live, survives      bool
			count               int64
		}
		format := func(p *time.Time) string {
			if p == nil {
				return ""
			}
			return p.Format(time.RFC3339)
		}
		g := facts{d.Kind, d.PrincipalARN, d.PrincipalID, d.Via, d.IssuedEventID, format(d.IssuedAt), format(d.ExpiresAt), d.LiveAtEnd, d.SurvivesKeyDisable, count}
		f := facts{w.Kind, w.PrincipalARN, w.PrincipalID, w.Via, w.IssuedEventID, w.IssuedAt, w.ExpiresAt, w.LiveAtEnd, w.SurvivesKeyDisable, w.EventCount}
		if d.ExpiresDerived && d.ExpiresAt != nil && w.ExpiresAt != "" {
			end, err := time.Parse(time.RFC3339, w.ExpiresAt)
			if err != nil {
				t.Fatal(err)
			}
			if d.ExpiresAt.Sub(end).Abs() < time.Minute { // the scenario states the session's length in whole minutes
				g.expires = f.expires
			}
		}
		if g != f {
			t.Errorf("%s is\n%+v, want\n%+v", w.Name, g, f)
		}
		if w.Parent != "" && (d.Parent == nil || *d.Parent != names[w.Parent]) {
			t.Errorf("%s descends from %v, want %s (%s)", w.Name, deref(d.Parent), names[w.Parent], w.Parent)
		}
	}
	for _, d := range got.Credentials {
		if !matched[d.ID] && d.Kind != Password { // the truth lists what calls are made with
			t.Errorf("%s (%s of %s) is not in the truth: %s", d.ID, d.Kind, d.PrincipalARN, d.Why)
		}
	}

	hows := map[string][]How{}
	for _, p := range got.Principals {
		hows[p.ARN] = append(hows[p.ARN], p.How)
	}
	for _, w := range want.Lineage.Principals {
		if !slices.ContainsFunc(hows[w.ARN], func(h How) bool { return slices.Contains(w.How, h) }) {
			t.Errorf("%s is in the lineage as %v, want one of %v", w.ARN, hows[w.ARN], w.How)
		}
		delete(hows, w.ARN)
	}
	for a, how := range hows {
		t.Errorf("%s is in the lineage as %v and not in the truth", a, how)
	}

	for _, id := range want.Everyday.CredentialIDs {
		if byKey[id] != nil {
			t.Errorf("everyday credential %s is in the lineage", id)
		}
	}
	tainted := eventIDs(t, c, `actor <> 'owner'`)
	for _, id := range want.IntruderEvents {
		if !tainted[id] {
			t.Errorf("the intruder's event %s is not in the lineage: %s", id, eventLine(t, c, id))
		}
		delete(tainted, id)
	}
	for id := range tainted {
		t.Errorf("event %s is in the lineage and not the intruder's: %s", id, eventLine(t, c, id))
	}

	stored, err := Load(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(stored, got) {
		t.Errorf("the stored lineage differs from the traced one:\n%+v\n%+v", stored, got)
	}
}

func deref(s *string) string {
	if s == nil {
		return "nothing"
	}
	return *s
}

func eventIDs(t *testing.T, c *query.Case, where string) map[string]bool {
	t.Helper()
	rows, err := c.DB.Query(`SELECT DISTINCT e.event_id FROM events e JOIN lineage_events l USING (source_id, record_index) WHERE ` + where)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	ids := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

func eventLine(t *testing.T, c *query.Case, id string) string {
	t.Helper()
	var line string
	err := c.DB.QueryRow(`SELECT concat_ws(' ', event_time, event_name, error_code, access_key_id, identity_arn, source_ip_address) FROM events WHERE event_id = ?`, id).Scan(&line)
	if err != nil {
		t.Fatal(err)
	}
	return line
}
