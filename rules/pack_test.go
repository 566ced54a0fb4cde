package rules

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
)

// tactics of ATT&CK v18 for the cloud, by short name.
var tactics = []string{"initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion",
	"credential-access", "discovery", "lateral-movement", "collection", "exfiltration", "impact"}

var (
	ruleID    = regexp.MustCompile(`^TS-(?:[A-Z]{2,3}-\d{3}[a-z]?|API-[a-z0-9-]+\.[A-Za-z0-9]+)$`)
	technique = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	// trinoFunctions are the functions that rules use: Trino has each, DuckDB has
	// it by name or as a macro. trinoWords stand before parentheses as well.
	// https://trino.io/docs/current/functions.html
	trinoFunctions = []string{"array_agg", "array_join", "chr", "coalesce", "count", "date_trunc", "json_extract", "json_extract_scalar", "json_format", "json_parse", "lead", "lower", "max", "min", "nullif",
		"regexp_extract", "regexp_extract_all", "regexp_like", "regexp_split", "replace", "row_number", "strpos", "sum", "try", "unnest", "url_decode"}
	trinoWords = []string{"and", "select", "as", "else", "in", "not", "on", "or", "over", "then", "when", "where", "exists", "by", "cast", "named", "from", "join", "ancestors"}
	called     = regexp.MustCompile(`(?i)\b(\w+)\s*\(`)
	// notTrino are constructs of DuckDB that Trino does not know.
	notTrino = regexp.MustCompile(`(?i)::|\bQUALIFY\b|\blist_\w+\(|\barray_to_string\(|\bstruct_\w+\(|->|\bILIKE\b|\bSIMILAR\s+TO\b|` +
		`\bUSING\s+SAMPLE\b|\bEXCLUDE\b|\bGROUP\s+BY\s+ALL\b|\bjson_extract_string\(|\bregexp_matches\(|\bstring_split\(|` +
		`\bcontains\(|\bprefix\(|\bsuffix\(|\bendswith\(|\bepoch\(|\bstring_agg\(|\bFOR\s+\w+\s+IN\b|==`)
	// jsonDots is a member of a JSON column read like that of a struct.
	jsonDots = regexp.MustCompile(`\b(user_identity|request_parameters|response_elements|additional_event_data|service_event_details|resources|tls_details)\.\w`)
	literal  = regexp.MustCompile(`'(?:[^']|'')*'`)
)

// TestPackIsWellFormed reads the rules. That their SQL runs, TestFixtures and
// TestSharedTablesChangeNothing show.
func TestPackIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Pack() {
		t.Run(r.ID, func(t *testing.T) {
			if seen[r.ID] {
				t.Error("the id is taken")
			}
			seen[r.ID] = true
			if !ruleID.MatchString(r.ID) {
				t.Error("the id is not TS-XX-000 or TS-API-service.Call")
			}
			if r.Title == "" || strings.HasSuffix(r.Title, ".") || strings.Contains(r.Title, "\n") {
				t.Errorf("title %q is not a noun phrase", r.Title)
			}
			if r.Explain == "" {
				t.Error("explains nothing")
			}
			if (r.FalsePositives == "") != (r.Reference == "") {
				t.Error("has one of false positives and reference, and not the other")
			}
			if r.Reference != "" && !strings.HasPrefix(r.Reference, "https://docs.aws.amazon.com/") {
				t.Errorf("reference %q is no page of AWS's documentation", r.Reference)
			}
			if !slices.Contains(tactics, r.Tactic) {
				t.Errorf("tactic %q is none of ATT&CK v18", r.Tactic)
			}
			if len(r.Techniques) == 0 {
				t.Error("names no technique")
			}
			for _, id := range r.Techniques {
				if !technique.MatchString(id) {
					t.Errorf("technique %q is no ATT&CK id", id)
				}
			}
			for _, need := range r.needs() {
				if !slices.ContainsFunc(classes, func(c classInfo) bool { return c.class == need }) {
					t.Errorf("needs the class %q, which does not exist", need)
				}
			}
			if err := r.validate(); err != nil {
				t.Fatal(err)
			}
			sql := literal.ReplaceAllString(r.SQL(), "''")
			if found := notTrino.FindString(sql); found != "" {
				t.Errorf("the SQL has %q, which Trino does not know", found)
			}
			for _, call := range called.FindAllStringSubmatch(sql, -1) {
				if name := strings.ToLower(call[1]); !slices.Contains(trinoFunctions, name) && !slices.Contains(trinoWords, name) {
					t.Errorf("the SQL calls %s, which is not known to be one of Trino's functions", name)
				}
			}
			if found := jsonDots.FindString(sql); found != "" {
				t.Errorf("the SQL reads %q: JSON columns are read with json_extract_scalar", found)
			}
		})
	}
}

// TestFixtures runs every rule over its own fixtures: testdata/ID/match*.json
// are records in which it must find something, nomatch*.json near misses. A rule
// with a list has its values in testdata/ID/LIST.txt, one about the lineage the
// keys to trace in testdata/ID/key.txt.
func TestFixtures(t *testing.T) {
	known := map[string]bool{}
	c := openCase(t)
	sources := stashFixtures(t, c)
	for _, r := range Pack() {
		known[r.ID] = true
		if strings.HasPrefix(r.ID, "TS-API-") {
			continue // TestAPICalls makes up what they must find
		}
		t.Run(r.ID, func(t *testing.T) {
			if r.List != "" {
				giveList(t, c, r.List, filepath.Join("testdata", r.ID, r.List+".txt"))
			}
			for _, kind := range []string{"match", "nomatch"} {
				files, err := filepath.Glob(filepath.Join("testdata", r.ID, kind+"*.json"))
				if err != nil {
					t.Fatal(err)
				}
				if len(files) == 0 {
					t.Errorf("has no testdata/%s/%s.json", r.ID, kind)
				}
				for _, file := range files {
					if r.Lineage {
						loadOnly(t, c, file)
						traceOf(t, c, filepath.Join("testdata", r.ID, "key.txt"))
					} else {
						putStashed(t, c, sources[file])
					}
					if r.OnFindings {
						if _, _, err := scanAll(context.Background(), c, readBy(r), Options{}); err != nil {
							t.Fatal(err)
						}
					}
					found, err := Match(context.Background(), c, r)
					if err != nil {
						t.Fatal(err)
					}
					if kind == "match" && len(found) == 0 {
						t.Errorf("%s: finds nothing", file)
					}
					if kind == "nomatch" && len(found) > 0 {
						t.Errorf("%s: finds %v", file, found)
					}
				}
			}
		})
	}
	dirs, err := filepath.Glob("testdata/TS-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if !known[filepath.Base(dir)] {
			t.Errorf("%s belongs to no rule", dir)
		}
	}
}

// stashFixtures loads the fixtures of all rules but those about the lineage, which
// share records, into a table beside the case's, and returns their sources. To
// load each by itself would take most of the test's time.
func stashFixtures(t *testing.T, c *query.Case) map[string]int64 {
	t.Helper()
	var files []string
	for _, r := range Pack() {
		if !r.Lineage {
			found, err := filepath.Glob(filepath.Join("testdata", r.ID, "*match*.json"))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
	}
	s, err := ingest.Load(context.Background(), c, files, ingest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Rejected > 0 || s.Conflicts > 0 || s.Duplicates > 0 {
		t.Errorf("%d records rejected, %d duplicates, %d conflicts: every record of the fixtures has an event id of its own", s.Rejected, s.Duplicates, s.Conflicts)
	}
	rows, err := c.DB.Query(`CREATE TABLE stash AS FROM records; SELECT uri, source_id FROM sources`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sources := map[string]int64{}
	for rows.Next() {
		var uri string
		var id int64
		if err := rows.Scan(&uri, &id); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(uri, "testdata"); i >= 0 {
			sources[uri[i:]] = id
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(sources) != len(files) {
		t.Fatalf("%d sources of %d files", len(sources), len(files))
	}
	return sources
}

// putStashed makes the records of a source all that the case holds.
func putStashed(t *testing.T, c *query.Case, source int64) {
	t.Helper()
	if _, err := c.DB.Exec(`DELETE FROM records; DELETE FROM lineage; DELETE FROM lineage_events`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DB.Exec(`INSERT INTO records FROM stash WHERE source_id = ?`, source); err != nil {
		t.Fatal(err)
	}
}

// giveList makes the file's lines the values of a list.
func giveList(t *testing.T, c *query.Case, name, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.DB.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := storeLists(context.Background(), conn, map[string][]string{name: strings.Fields(string(text))}); err != nil {
		t.Fatal(err)
	}
}

// readBy are the rules whose findings a rule reads.
func readBy(r Rule) []Rule {
	return slices.DeleteFunc(Pack(), func(other Rule) bool {
		return r.Rerun != nil && !slices.ContainsFunc(r.Rerun, func(again Rule) bool { return again.ID == other.ID })
	})
}

// traceOf traces the keys in the file, one a line.
func traceOf(t *testing.T, c *query.Case, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lineage.Trace(context.Background(), c, strings.Fields(string(text)), lineage.Options{}); err != nil {
		t.Fatal(err)
	}
}

// loadOnly makes the file's records all that the case holds.
func loadOnly(t *testing.T, c *query.Case, file string) {
	t.Helper()
	s := replaceEvents(t, c, file)
	if s.Rejected > 0 || s.Conflicts > 0 || s.Duplicates > 0 {
		t.Errorf("%s: %d records rejected, %d duplicates, %d conflicts", file, s.Rejected, s.Duplicates, s.Conflicts)
	}
}

func replaceEvents(t *testing.T, c *query.Case, file string) *ingest.Summary {
	t.Helper()
	if _, err := c.DB.Exec(`DELETE FROM records; DELETE FROM sources; DELETE FROM rejects;
		DELETE FROM lineage; DELETE FROM credentials; DELETE FROM principals; DELETE FROM lineage_edges; DELETE FROM lineage_events`); err != nil {
		t.Fatal(err)
	}
	s, err := ingest.Load(context.Background(), c, []string{file}, ingest.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLReadsWell(t *testing.T) {
	for name, r := range map[string]Rule{"predicate": anyCreate, "threshold": failedLogins, "distinct": sprayed, "sequence": threeSteps, "first_seen": newAddress, "spike": moreThanUsual} {
		t.Run(name, func(t *testing.T) { golden(t, filepath.Join("testdata", "sql", name+".sql"), r.SQL()+"\n") })
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (accept with -update):\n%s", file, got)
	}
}
