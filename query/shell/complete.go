package shell

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"trailscan/query"
)

// keywords are the words of SQL that are completed.
var keywords = strings.Fields(`SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT AND OR NOT IN IS NULL LIKE BETWEEN AS DISTINCT
	JOIN LEFT INNER CROSS ON USING UNION ALL EXCEPT INTERSECT WITH CASE WHEN THEN ELSE END CAST DESC ASC COUNT SUM MIN MAX
	COUNT_IF MIN_BY MAX_BY DATE_TRUNC DATE_DIFF JSON_EXTRACT_SCALAR REGEXP_LIKE ARRAY_AGG COALESCE TIMESTAMP INTERVAL
	OVER PARTITION FILTER UNNEST DESCRIBE EXPLAIN VALUES TRUE FALSE`)

// loadTime is how long a press of Tab may wait for the case, which somebody else
// may be writing.
const loadTime = time.Second

// Completer completes the names of tables, columns and functions, and within
// quotes the names of events, of services and of regions that the case has. It
// reads them when it is first asked.
type Completer struct {
	Open  func(ctx context.Context) (*query.Case, error)
	Modes []string

	mu      sync.Mutex
	loaded  bool
	tables  []string
	columns []string
	values  []string // of event_name, event_source and aws_region
}

// Complete is liner's WordCompleter: pos is in runes.
func (c *Completer) Complete(line string, pos int) (head string, words []string, tail string) {
	runes := []rune(line)
	pos = min(pos, len(runes))
	before, tail := string(runes[:pos]), string(runes[pos:])
	inText := strings.Count(before, "'")%2 == 1
	begin := strings.LastIndexFunc(before, func(r rune) bool {
		if inText {
			return r == '\''
		}
		return r != '_' && r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) + 1
	head, word := before[:begin], before[begin:]
	return head, c.candidates(head, word, inText), tail
}

func (c *Completer) candidates(head, word string, inText bool) []string {
	command := strings.Fields(head)
	switch {
	case strings.HasPrefix(strings.TrimSpace(head+word), ".") && len(command) == 0:
		var names []string
		for _, cmd := range commands {
			names = append(names, cmd.name)
		}
		return matching(names, word)
	case len(command) > 0 && command[0] == ".mode":
		return matching(c.Modes, word)
	case len(command) == 1 && command[0] == ".run":
		all, _ := query.Investigations() // a test reads them all
		var names []string
		for _, inv := range all {
			names = append(names, inv.Name)
		}
		return matching(names, word)
	case len(command) == 1 && command[0] == ".timing":
		return matching([]string{"on", "off"}, word)
	}
	c.load()
	switch {
	case len(command) == 1 && command[0] == ".schema":
		return matching(c.tables, word)
	case inText:
		return matching(c.values, word)
	case word == "":
		return nil
	}
	words := keywords
	if word == strings.ToLower(word) {
		words = make([]string, len(keywords))
		for i, k := range keywords {
			words[i] = strings.ToLower(k)
		}
	}
	names := slices.Concat(c.tables, c.columns)
	found := matching(names, word)
	for _, w := range matching(words, word) {
		if !slices.Contains(found, w) {
			found = append(found, w)
		}
	}
	return found
}

// matching are the words that begin with a text: in the case in which it is typed,
// or where none does, in any. Of words that differ only in that, as eventname and
// eventName do, there is one, for what both begin with is shorter than what was typed.
func matching(words []string, text string) []string {
	var exact, folded []string
	add := func(list []string, w string) []string {
		if slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, w) }) {
			return list
		}
		return append(list, w)
	}
	for _, w := range words {
		if len(w) < len(text) || !strings.EqualFold(w[:len(text)], text) {
			continue
		}
		folded = add(folded, w)
		if strings.HasPrefix(w, text) {
			exact = add(exact, w)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return folded
}

// load reads the names from the case, once that succeeds.
func (c *Completer) load() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	cs, err := c.Open(ctx)
	if err != nil {
		return // the statement will say why
	}
	defer cs.Close()
	list := func(sql string) []string {
		var out []string
		rows, err := cs.DB.QueryContext(ctx, sql)
		if err != nil {
			return nil
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if rows.Scan(&s) == nil {
				out = append(out, s)
			}
		}
		return out
	}
	c.tables = list(`SELECT DISTINCT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1`)
	c.columns = list(`SELECT DISTINCT column_name FROM information_schema.columns WHERE table_schema = 'main' ORDER BY 1`)
	c.values = list(`SELECT name FROM (SELECT DISTINCT event_name AS name FROM events UNION SELECT DISTINCT event_source FROM events
		UNION SELECT DISTINCT aws_region FROM events) WHERE regexp_full_match(name, '[A-Za-z0-9_.:-]{1,128}') ORDER BY 1`)
	c.loaded = len(c.tables) > 0
}
