package rules

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestAlternativesThatNothingIsOfAreLeftOut(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "CreateUser", who: "alice", on: "bob", ip: "198.51.100.7"}})
	for _, tc := range []struct{ where, left string }{
		{`event_name = 'CreateUser' AND principal_id = 'alice'`, `event_name = 'CreateUser' AND principal_id = 'alice'`},
		{`event_name = 'CreateUser' AND principal_id = 'bob'`, ""},
		{`event_name = 'DeleteTrail' OR principal_id = 'bob'`, ""},
		{`(event_name = 'DeleteTrail' AND principal_id = 'alice' OR event_name = 'CreateUser' AND principal_id = 'alice')`, `((event_name = 'CreateUser' AND principal_id = 'alice'))`},
		{`event_source IS NOT NULL AND (principal_id = 'bob' OR source_ip_address LIKE '198.%')`, `event_source IS NOT NULL AND (((source_ip_address LIKE '198.%')))`},
		{`event_source IS NOT NULL AND (principal_id = 'bob' OR source_ip_address LIKE '10.%')`, ""},
		{`NOT (principal_id = 'alice' OR principal_id = 'bob')`, ""},
		{`event_name = 'CreateUser' OR principal_id = 'bob' -- or not`, `event_name = 'CreateUser' OR principal_id = 'bob' -- or not`},
	} {
		conn, err := c.DB.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := scanner{shared: shared{conn: conn, copy: copying{part: 1}}, pack: []Rule{{ID: "TS-XX-901", Where: tc.where}}}
		if err := s.survey(context.Background()); err != nil {
			t.Fatal(err)
		}
		left := ""
		if len(s.reached[0]) > 0 {
			left = strings.Join(strings.Fields(s.pack[0].Where), " ")
		}
		if left != tc.left {
			t.Errorf("of %s %q is left, want %q", tc.where, left, tc.left)
		}
		if err := dropShared(context.Background(), conn); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCandidatesAreEnough looks at thresholds and spikes that lie across two
// stretches of time, and at those that just miss.
func TestCandidatesAreEnough(t *testing.T) {
	var events []ev
	for i := range 6 { // 3 and 3 about the end of an hour
		events = append(events, ev{at: 3600 - 3 + i, name: "CreateUser", who: "alice", on: "u" + string(rune('0'+i))})
		events = append(events, ev{at: 1800 * i, name: "CreateUser", who: "bob", on: "u1"})
	}
	for i, at := range []int{1799, 3600, 5000, 5399} { // an hour from the first to the last, in three half hours
		events = append(events, ev{at: at, name: "Get" + string(rune('A'+i)), who: "carol", on: "u1"})
	}
	c := openCase(t)
	put(t, c, events)
	for name, r := range map[string]Rule{
		"count":    {Threshold: &Threshold{By: []string{"principal_id"}, Count: 6, Window: time.Hour}},
		"distinct": {Threshold: &Threshold{By: []string{"principal_id"}, Count: 6, Window: time.Minute, Distinct: onName}, Resource: onName},
		"calls":    {Where: `event_name LIKE 'Get%'`, Threshold: &Threshold{By: []string{"principal_id"}, Count: 4, Window: time.Hour, Distinct: "event_source || event_name"}},
		"spike":    {Spike: &Spike{By: []string{"principal_id"}, Count: 3, Per: time.Minute}},
		"key":      {FirstSeen: &FirstSeen{Scope: []string{"account_id"}, Key: []string{"principal_id"}, Learn: time.Second}},
	} {
		if r.ID = "TS-XX-902"; r.Where == "" {
			r.Where = `event_name = 'CreateUser'`
		}
		want, err := Match(context.Background(), c, r)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := c.DB.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := scanner{shared: shared{conn: conn, copy: copying{part: 1}}, pack: []Rule{r}}
		if err := s.survey(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := s.run(context.Background(), func(Rule) bool { return true }); err != nil {
			t.Fatal(err)
		}
		if got := matchesByRule(t, conn, 1)[0]; len(strings.Fields(got)) != len(want) || len(want) == 0 && name != "key" && name != "spike" {
			t.Errorf("%s: found %s, its own SQL finds %v", name, got, want)
		}
		if err := dropShared(context.Background(), conn); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
