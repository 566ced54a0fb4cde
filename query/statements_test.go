package query_test

import (
	"slices"
	"strings"
	"testing"

	"trailscan/query"
)

func TestStatements(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
		rest       string
		ended      bool
	}{
		{"one without semicolon", "SELECT 1", nil, "SELECT 1", true},
		{"two", "SELECT 1; SELECT 2;\n", []string{"SELECT 1", "SELECT 2"}, "", true},
		{"empty ones", ";; ; -- nothing;\n;", nil, "", true},
		{"semicolons in strings", `SELECT ';', 'it''s;', E'\';', ";" FROM "a"";b"; x`, []string{`SELECT ';', 'it''s;', E'\';', ";" FROM "a"";b"`}, "x", true},
		{"semicolons in comments", "SELECT 1 -- a;b\n /* ; /* ; */ ; */ + 1; y", []string{"SELECT 1 -- a;b\n /* ; /* ; */ ; */ + 1"}, "y", true},
		{"semicolons between dollars", "SELECT $$a;b$$, $q$;$q$, $1, $name; z", []string{"SELECT $$a;b$$, $q$;$q$, $1, $name"}, "z", true},
		{"open string", "SELECT 'abc; ", nil, "SELECT 'abc;", false},
		{"open comment", "SELECT 1; /* ; ", []string{"SELECT 1"}, " /* ; ", false},
		{"open dollars", "SELECT $a$ ; $b$", nil, "SELECT $a$ ; $b$", false},
		{"comment before", "-- about\n\nSELECT 1;", []string{"SELECT 1"}, "", true},
		{"nothing", " \n", nil, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, rest, ended := query.Statements(tc.text)
			var got []string
			for _, st := range list {
				got = append(got, st.Text)
			}
			left := ""
			if rest != nil {
				left = rest.Text
			}
			if !slices.Equal(got, tc.want) || left != tc.rest || ended != tc.ended {
				t.Errorf("%q, rest %q, ended %v", got, left, ended)
			}
		})
	}
}

func TestStatement(t *testing.T) {
	list, _, _ := query.Statements("-- head\nSELECT 1;\n\n ( WITH x AS (SELECT $b, $a, $B, '$c', $$ $d $$)  -- why\n SELECT * FROM\tx);")
	st := list[1]
	if st.Line != 4 || st.Word() != "WITH" || !slices.Equal(st.Params, []string{"b", "a"}) {
		t.Errorf("line %d, word %s, parameters %v", st.Line, st.Word(), st.Params)
	}
	if got, want := st.OneLine(), "( WITH x AS (SELECT $b, $a, $B, '$c', $$ $d $$) SELECT * FROM x)"; got != want {
		t.Errorf("on one line it is %s", got)
	}
	for text, reads := range map[string]bool{
		"SELECT 1": true, "from x": true, "EXPLAIN SELECT 1": true, "WITH x AS (SELECT 1) DELETE FROM y": false, "UPDATE x SET a = 1": false, "(SELECT 1)": true,
	} {
		if _, st, _ := query.Statements(text); st.Reads() != reads {
			t.Errorf("%s reads: %v", text, st.Reads())
		}
	}
}

// FuzzStatements looks that no text is lost: the statements stand in it, one
// after another, and a shell that gets it line by line finds the same.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{"SELECT 1; x", "a 'b;' \"c;\" $x$;$x$ -- d;\n e; /* f; */ g", "E'\\'; ';", "$1;$", "é;'", "/*/;*/;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, rest, _ := query.Statements(text)
		if rest != nil {
			list = append(list, *rest)
		}
		left := text
		for _, st := range list {
			i := strings.Index(left, st.Text)
			if i < 0 {
				t.Fatalf("%q is not in %q", st.Text, left)
			}
			left = left[i+len(st.Text):]
			st.OneLine()
			st.Word()
		}
	})
}
