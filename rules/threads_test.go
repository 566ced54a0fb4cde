package rules

import (
	"context"
	"testing"
)

func TestScanSetsThreadsBack(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{at: 10, name: "CreateUser", who: "alice", on: "bob"}})
	if _, err := c.DB.Exec(`SET threads = 3`); err != nil {
		t.Fatal(err)
	}
	if _, err := Scan(context.Background(), c, []Rule{{ID: "A", Where: "event_name = 'CreateUser'"}}, Options{}); err != nil {
		t.Fatal(err)
	}
	var threads int
	if err := c.DB.QueryRow(`SELECT current_setting('threads')`).Scan(&threads); err != nil {
		t.Fatal(err)
	}
	if threads != 3 {
		t.Errorf("the database has %d threads after a scan, want 3", threads)
	}
}
