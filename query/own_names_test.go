package query_test

import (
	"testing"

	"trailscan/query"
	"trailscan/query/trino"
)

// A relation that the user made is not taken for Athena's table, whatever it is called.
func TestOwnRelationsKeepTheirNames(t *testing.T) {
	c := published(t)
	if _, err := c.DB.Exec(`CREATE TABLE my_cloudtrail AS SELECT 'mine' AS eventname`); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]int{"my_cloudtrail": 1, "main.My_CloudTrail": 1, "cloudtrail_111122223333": 6, "`default`.`cloudtrail_of_bucket`": 6} {
		list, rest, _ := query.Statements("SELECT eventname FROM " + from)
		if len(list) != 0 || rest == nil {
			t.Fatalf("%s: %v, %v", from, list, rest)
		}
		a, err := c.Run(t.Context(), rest.Translated(trino.Options{}), nil)
		if err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		rows := 0
		for a.Next() {
			rows++
		}
		if err := a.Err(); err != nil || rows != want {
			t.Errorf("%s has %d rows, want %d: %v", from, rows, want, err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
