package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/internal/casetest"
	"trailscan/internal/scenario"
	"trailscan/query"
)

func TestMain(m *testing.M) { casetest.FewerChecks(m) }

// empty makes a case as good as new; to make one takes longer.
func empty(tb testing.TB, c *query.Case) {
	tb.Helper()
	if _, err := c.DB.Exec(`DELETE FROM records; DELETE FROM rejects; DELETE FROM sources`); err != nil {
		tb.Fatal(err)
	}
}

func TestDuplicates(t *testing.T) {
	c := newCase(t)
	a := event("a", `"requestParameters":{"n":1.0,"m":[1,2]}`)
	replace := func(old, new string) string { return strings.Replace(a, old, new, 1) }
	for _, tc := range []struct {
		name, copy                    string
		stored, duplicates, conflicts int64
		rejected                      int64
	}{
		{"the same text", a, 1, 1, 0, 0},
		{"another order and spacing", replace(`{"n":1.0,"m":[1,2]}`, `{ "m": [1, 2], "n": 1.0 }`), 1, 1, 0, 0},
		{"another escape", replace("ListUsers", `List\u0055sers`), 1, 1, 0, 0},
		{"another spelling of the time", replace("2026-03-01T10:00:00Z", "2026-03-01 10:00:00"), 1, 1, 0, 0},
		{"another number", replace("1.0", "1"), 1, 0, 0, 1},
		{"one member more", replace("{", `{"errorCode":"AccessDenied",`), 1, 0, 0, 1},
		{"null for nothing", replace("{", `{"errorCode":null,`), 1, 0, 0, 1},
		{"another time", replace("10:00:00", "10:00:01"), 2, 0, 1, 0},
		{"another source", replace("iam.", "sts."), 2, 0, 1, 0},
		{"another name", replace("ListUsers", "ListRoles"), 2, 0, 1, 0},
		{"another recipient", replace(`"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`), 2, 0, 1, 0},
		{"another id", replace(`"eventID":"a"`, `"eventID":"b"`), 2, 0, 0, 0},
	} {
		for _, where := range []string{"in one file", "in two files", "in two loads"} {
			t.Run(tc.name+" "+where, func(t *testing.T) {
				empty(t, c)
				files := map[string]string{"1": a, "2": tc.copy}
				if where == "in one file" {
					files = map[string]string{"1": a + "\n" + tc.copy}
				}
				dir := write(t, files)
				var s Summary
				sources := []string{dir}
				if where == "in two loads" {
					sources = []string{filepath.Join(dir, "1"), filepath.Join(dir, "2")}
				}
				for _, source := range sources {
					x := load(t, c, source)
					s.Duplicates += x.Duplicates
					s.Conflicts += x.Conflicts
					s.Rejected += x.Rejected
					if len(x.Damaged) > 0 {
						t.Errorf("damaged: %v", x.Damaged)
					}
				}
				stored := dump(t, c, `SELECT source_id, record_index FROM events ORDER BY ALL`)
				if int64(len(stored)) != tc.stored || s.Duplicates != tc.duplicates || s.Conflicts != tc.conflicts || s.Rejected != tc.rejected {
					t.Errorf("stored %q, %+v", stored, s)
				}
				if tc.copy == a && stored[0] != "1|0" {
					t.Errorf("the first record is gone: %q", stored)
				}
				if got := dump(t, c, `SELECT sum(records - duplicates) FROM sources`); got[0] != fmt.Sprint(tc.stored) {
					t.Errorf("sources count %s events", got)
				}
				if tc.rejected > 0 {
					if got := dump(t, c, `SELECT reason, raw IS NOT NULL FROM rejects`); !strings.HasPrefix(got[0], "copy of an event") || !strings.HasSuffix(got[0], "true") {
						t.Errorf("rejects %q", got)
					}
				}
			})
		}
	}
}

// state is all that a load decides, and nothing that depends on the machine.
func state(tb testing.TB, dir string, threads int) []string {
	tb.Helper()
	c := openCase(tb, filepath.Join(tb.TempDir(), "case.duckdb"), threads)
	if _, err := Load(context.Background(), c, []string{dir}, Options{Threads: threads}); err != nil {
		tb.Fatal(err)
	}
	return slices.Concat(
		dump(tb, c, `SELECT * FROM whole_records ORDER BY source_id, record_index`),
		dump(tb, c, `SELECT * EXCLUDE (uri, ingested_at), parse_filename(uri) FROM sources ORDER BY source_id`),
		dump(tb, c, `SELECT * FROM rejects ORDER BY ALL`))
}

func TestThreadsDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	files := map[string]string{}
	for i := range 60 {
		var records []string
		for range 50 {
			n := rng.IntN(2000)
			records = append(records, event(fmt.Sprint(n), fmt.Sprintf(`"errorMessage":"%d"`, rng.IntN(2)), fmt.Sprintf(`"apiVersion":"%d"`, n)))
		}
		if i%20 == 7 {
			records = append(records, `{"eventVersion"`)
		}
		files[fmt.Sprintf("%02d/log", i)] = strings.Join(records, "\n")
	}
	dir := write(t, files)
	want := state(t, dir, 1)
	for _, threads := range []int{2, 8} {
		if got := state(t, dir, threads); !slices.Equal(got, want) {
			t.Errorf("%d threads give another case than one", threads)
		}
	}
}

func TestOrderOfCopiesDoesNotMatter(t *testing.T) {
	c := newCase(t)
	rapid.Check(t, func(rt *rapid.T) {
		// What is stored of a set of records, wherever each of them stands.
		ids := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 30).Draw(rt, "ids")
		order := rapid.Permutation(ids).Draw(rt, "order")
		events := func(ids []int) []string {
			empty(t, c)
			files := map[string]string{}
			for i, id := range ids {
				files[fmt.Sprint(i%4)] += event(fmt.Sprint(id)) + "\n"
			}
			s := load(t, c, write(t, files))
			if s.Records != int64(len(ids)) {
				rt.Fatalf("%+v", s)
			}
			return dump(t, c, `SELECT event_id FROM events ORDER BY 1`)
		}
		if a, b := events(ids), events(order); !slices.Equal(a, b) {
			rt.Fatalf("%q and %q", a, b)
		}
	})
}

// TestOrderOfDifferingCopiesDoesNotMatter loads copies that differ in what they
// say, or only in how they spell it, in every order and over one to three loads.
func TestOrderOfDifferingCopiesDoesNotMatter(t *testing.T) {
	a := event("a", `"requestParameters":{"n":1,"m":[1,2]}`)
	b := strings.Replace(a, `"n":1,`, `"n":2,`, 1)
	spelt := strings.Replace(strings.Replace(a, `{"n":1,"m":[1,2]}`, `{"m":[1,2],"n":1}`, 1), "01T10", "01 10", 1)
	other := strings.Replace(a, "10:00:00", "11:00:00", 1)
	const (
		events  = `SELECT * EXCLUDE (source_id, record_index) FROM events ORDER BY ALL`
		counts  = `SELECT sum(records), sum(rejected), sum(duplicates), sum(conflicts) FROM sources`
		rejects = `SELECT raw FROM rejects ORDER BY 1`
	)
	c := newCase(t)
	for _, set := range [][]string{{a, spelt, b}, {b, other, a}} {
		var want []string
		for _, order := range permutations(set) {
			for loads := 1; loads <= len(order); loads++ {
				empty(t, c)
				for i := range loads {
					part := order[i:]
					if i+1 < loads {
						part = order[i : i+1]
					}
					load(t, c, write(t, map[string]string{"log": strings.Join(part, "\n")}))
				}
				got := slices.Concat(dump(t, c, events), dump(t, c, counts), dump(t, c, rejects))
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d loads of %q give\n%q, want\n%q", loads, order, got, want)
				}
				stored := dump(t, c, `SELECT (SELECT sum(records - duplicates) FROM sources) = (SELECT count(*) FROM events), (SELECT sum(rejected) FROM sources) = (SELECT count(*) FROM rejects)`)
				if stored[0] != "true|true" {
					t.Errorf("%d loads of %q: sources count otherwise: %s", loads, order, stored)
				}
			}
		}
	}
}

func permutations(set []string) [][]string {
	if len(set) <= 1 {
		return [][]string{set}
	}
	var out [][]string
	for i := range set {
		rest := slices.Delete(slices.Clone(set), i, i+1)
		for _, p := range permutations(rest) {
			out = append(out, append([]string{set[i]}, p...))
		}
	}
	return out
}

// TestStopAndGoOn stops loads at points all over and has the next one go on.
func TestStopAndGoOn(t *testing.T) {
	dir := t.TempDir()
	if err := (scenario.Volume{Events: 12_000, Files: 60, Seed: 2}).Write(dir); err != nil {
		t.Fatal(err)
	}
	c := openCase(t, filepath.Join(t.TempDir(), "case.duckdb"), 2)
	stops := 0
	for delay := 5 * time.Millisecond; ; delay += 25 * time.Millisecond {
		ctx, cancel := context.WithTimeout(context.Background(), delay)
		_, err := run(ctx, c, []string{dir}, Options{}, 1000)
		cancel()
		counts := dump(t, c, `SELECT (SELECT count(*) FROM events) = (SELECT coalesce(sum(records), 0) FROM sources)`)
		if counts[0] != "true" {
			t.Fatal("events and sources disagree after a stop")
		}
		if err == nil {
			break
		}
		stops++
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "run the same command again") {
			t.Fatal(err)
		}
		if stops > 200 {
			t.Fatal("the load makes no headway")
		}
	}
	if stops < 2 {
		t.Errorf("stopped %d times only", stops)
	}
	whole := newCase(t)
	load(t, whole, dir)
	const all = `SELECT source_id, record_index, event_id, extra FROM events ORDER BY ALL`
	if !slices.Equal(dump(t, c, all), dump(t, whole, all)) {
		t.Error("the case differs from one that was loaded at once")
	}
}

// TestWholeRecordBeforeARow has the same event as CloudTrail wrote it and as a row
// of its event history, which lacks the request.
func TestWholeRecordBeforeARow(t *testing.T) {
	whole := `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"ana","accountId":"111122223333"},"eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1","eventID":"5d8a4b1e-0000-4000-8000-000000000001","requestParameters":{"userName":"mallory"},"recipientAccountId":"111122223333"}`
	row := "Event ID,Event time,Event source,Event name,AWS region,Recipient Account Id,User name\n" +
		"5d8a4b1e-0000-4000-8000-000000000001,2026-03-01T10:00:00Z,iam.amazonaws.com,CreateUser,us-east-1,111122223333,ana\n"
	for _, files := range []map[string]string{{"a": whole, "b": row}, {"a": row, "b": whole}} {
		c := newCase(t)
		load(t, c, write(t, files))
		if got := dump(t, c, `SELECT user_identity, request_parameters, extra IS NULL FROM events`); len(got) != 1 ||
			!strings.HasSuffix(got[0], `|{"userName":"mallory"}|true`) {
			t.Errorf("%v: the case has %q", files, got)
		}
	}
}
