package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"trailscan/query/trino"
)

// SQLError is what is wrong with a statement. Its text has a line that says so
// and, where DuckDB knows the place, the line of the statement with a caret.
type SQLError struct {
	Message string
	Line    int    // of the text that the statement stands in; 0: unknown
	Source  string // that line, or the part of it around the place
	Column  int    // of the caret in Source, from 0
}

func (e *SQLError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	mark := fmt.Sprintf("line %d: ", e.Line)
	return e.Message + "\n" + mark + e.Source + "\n" + strings.Repeat(" ", len(mark)+e.Column) + "^"
}

// said reads what DuckDB says, whether as JSON or, as parts of the driver do, as text.
func said(err error) trino.Complaint {
	text := err.Error()
	if begin := strings.IndexByte(text, '{'); begin >= 0 {
		var c trino.Complaint
		if json.NewDecoder(strings.NewReader(text[begin:])).Decode(&c) == nil && c.Message != "" {
			return c
		}
	}
	return trino.Complaint{Message: text}
}

// runError is the error of a run: DuckDB's words for a context that ended are not
// those that a caller looks for.
func (c *Case) runError(ctx context.Context, err error, st Statement, head int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cause := err
	err = sqlError(err, st, head)
	if e, ok := err.(*SQLError); ok && st.trino != nil {
		e.Message = st.trino.Message(ctx, c.DB, said(cause), e.Message)
	}
	return err
}

// sqlError says what DuckDB says in one line, with what to do about it, and shows
// the place. head is how much stood before the statement when it ran.
func sqlError(err error, st Statement, head int) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	c := said(err)
	message, _, _ := strings.Cut(c.Message, "Possible solutions:") // which name settings that are locked
	e := &SQLError{Message: oneLine(message)}
	if strings.Contains(c.Message, "read-only mode") && st.Word() != "" {
		e.Message = fmt.Sprintf("the case is open read-only, and %s would change it: add --write", st.Word())
	} else if hint := hintFor(c.Message); hint != "" {
		e.Message = strings.TrimRight(e.Message, ".!") + ": " + hint
	}
	at, convErr := strconv.Atoi(c.Position)
	at -= head
	if convErr == nil && st.trino != nil && at >= 0 {
		at = st.trino.Position(at)
	}
	if convErr == nil && at >= 0 && at <= len(st.Text) && st.Text != "" {
		e.show(st, at)
	}
	return e
}

// hintFor is what to do about what a case that is open for queries forbids.
func hintFor(message string) string {
	switch {
	case strings.Contains(message, "disabled by configuration"), strings.Contains(message, "disabled through configuration"),
		strings.Contains(message, "Persistent secrets are disabled"):
		return "queries reach no file and no network: -o FILE writes the answer, and --allow-external lifts the ban"
	case strings.Contains(message, "memory_limit"):
		return "give more with --memory-limit, or ask for fewer rows or columns"
	case strings.Contains(message, "configuration has been locked"):
		return "queries change no setting: there are --threads and --memory-limit, and --allow-external lifts the ban"
	}
	return ""
}

// oneLine folds DuckDB's message, which may go over lines, into one.
func oneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, " ")
}

// shownWidth is how much of a long line is shown around the place.
const shownWidth = 90

// show takes the line around byte at of the statement.
func (e *SQLError) show(st Statement, at int) {
	begin := strings.LastIndexByte(st.Text[:at], '\n') + 1
	end := len(st.Text)
	if n := strings.IndexByte(st.Text[at:], '\n'); n >= 0 {
		end = at + n
	}
	e.Line = st.Line + strings.Count(st.Text[:begin], "\n")
	before, after := plain(st.Text[begin:at]), plain(st.Text[at:end])
	if n := utf8.RuneCountInString(before); n > shownWidth/2 {
		before = "…" + string([]rune(before)[n-shownWidth/2:])
	}
	if n := utf8.RuneCountInString(after); n > shownWidth/2 {
		after = string([]rune(after)[:shownWidth/2]) + "…"
	}
	e.Source = before + after
	e.Column = utf8.RuneCountInString(before)
}

// plain has a blank for whatever does not stand on a line in one place, so that
// the caret is under what it means.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Mn, r) {
			return ' '
		}
		return r
	}, s)
}

// refusedCalls are functions that would write to files or standard output past
// trailscan; the first ends the process where files are forbidden.
var refusedCalls = []string{"enable_logging", "enable_profiling", "enable_profile"}

func refused(st Statement) error {
	for _, name := range refusedCalls {
		if st.calls(name) {
			return &SQLError{Message: name + " is not for queries: EXPLAIN ANALYZE shows what a statement costs"}
		}
	}
	return nil
}
