package main

import (
	"slices"
	"testing"
)

func TestCommentsLast(t *testing.T) {
	const sql = "-- who\nSELECT 1"
	for _, tc := range []struct{ args, want []string }{
		{[]string{"query", sql, "--format", "csv"}, []string{"query", "--format", "csv", "--", sql}},
		{[]string{"query", "--case", "c", "---- rule ----\nSELECT 1"}, []string{"query", "--case", "c", "--", "---- rule ----\nSELECT 1"}},
		{[]string{"query", "--list", "--format", "csv"}, nil},
		{[]string{"query", "SELECT 1 -- one"}, nil},
		{[]string{"query", "--", sql}, nil},
		{[]string{"scan", sql}, nil},
		{nil, nil},
	} {
		if tc.want == nil {
			tc.want = tc.args
		}
		if got := commentsLast(tc.args); !slices.Equal(got, tc.want) {
			t.Errorf("%q becomes %q", tc.args, got)
		}
	}
}
