package trino

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// complaint is an error of DuckDB's binder or parser, as it tells it in JSON.
type complaint struct {
	Exception string `json:"exception_type"`
	Message   string `json:"exception_message"`
	Subtype   string `json:"error_subtype"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Position  string `json:"position"`
}

// Explain says an error that DuckDB gave for the statement in terms of what the
// user wrote: the line with a caret, and for a function that is missing the
// nearest that exists.
func (s *Statement) Explain(ctx context.Context, db *sql.DB, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	c, ok := s.complaint(ctx, db)
	if !ok {
		said, _, _ := strings.Cut(err.Error(), "\n\nLINE ") // of DuckDB's SQL
		return errors.New(lowerFirst(ourNames(said)))
	}
	message := s.message(ctx, db, c)
	at, numeric := strconv.Atoi(c.Position)
	if numeric != nil {
		return errors.New(message)
	}
	return errors.New(message + "\n" + caret(s.Text, s.position(at)))
}

// complaint asks DuckDB again what is wrong, without running anything.
func (s *Statement) complaint(ctx context.Context, db *sql.DB) (complaint, bool) {
	var c complaint
	conn, err := db.Conn(ctx)
	if err != nil {
		return c, false
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SET errors_as_json = true`); err != nil {
		return c, false
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `RESET errors_as_json`)
	prepared, err := conn.PrepareContext(ctx, s.SQL)
	if err == nil {
		return c, errors.Join(prepared.Close()) != nil
	}
	start := strings.IndexByte(err.Error(), '{')
	if start < 0 || json.Unmarshal([]byte(err.Error()[start:]), &c) != nil {
		return c, false
	}
	return c, c.Message != ""
}

var (
	missingTable   = regexp.MustCompile(`^Table with name "?(.+?)"? does not exist`)
	missingCatalog = regexp.MustCompile(`^Catalog "(.+)" does not exist`)
)

func (s *Statement) message(ctx context.Context, db *sql.DB, c complaint) string {
	if c.Subtype == "MISSING_ENTRY" && strings.Contains(c.Type, "Function") {
		name := ourNames(c.Name)
		if rewrites[strings.ToLower(name)] != nil {
			return fmt.Sprintf("this form of the function %s is not supported: docs/query.md shows those that are", name)
		}
		message := fmt.Sprintf("there is no function %s", name)
		if near := nearest(ctx, db, name, c.Type); near != "" {
			message += fmt.Sprintf(": the nearest that exists is %s", near)
		}
		return message
	}
	if m := missingTable.FindStringSubmatch(c.Message); m != nil {
		return fmt.Sprintf("there is no table %s: when it is Athena's or CloudTrail Lake's table of the events, say so with --table", m[1])
	}
	if m := missingCatalog.FindStringSubmatch(c.Message); m != nil {
		return fmt.Sprintf("there is no catalog %s: when the table is Athena's or CloudTrail Lake's of the events, say so with --table", m[1])
	}
	lines := strings.FieldsFunc(ourNames(c.Message), func(r rune) bool { return r == '\n' || r == '\t' })
	message := strings.Join(lines, " ")
	if c.Exception != "" {
		message = lowerFirst(c.Exception) + " error: " + message
	}
	return message
}

// lowerFirst is a message of DuckDB as the rest of a sentence.
func lowerFirst(s string) string {
	kind, rest, found := strings.Cut(s, " Error: ")
	if found && !strings.Contains(kind, " ") {
		return strings.ToLower(kind) + " error: " + rest
	}
	if s != "" && s[0] < utf8.RuneSelf {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// nearest is the name of a function that differs least from one.
func nearest(ctx context.Context, db *sql.DB, name, kind string) string {
	tables := strings.Contains(kind, "Table")
	own := slices.Sorted(maps.Keys(rewrites))
	if tables {
		own = nil
	}
	var near string
	err := db.QueryRowContext(ctx, `SELECT name FROM (
			SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions()
			WHERE (function_type IN ('table', 'table_macro')) = ? AND function_type <> 'pragma' AND function_name NOT LIKE 'trino\_%' ESCAPE '\'
			UNION SELECT unnest(string_split(?, ' ')))
		WHERE regexp_full_match(name, '[a-z][a-z0-9_]*') AND name <> lower(?)
		ORDER BY damerau_levenshtein(name, lower(?)), abs(length(name) - length(?)), name LIMIT 1`,
		tables, strings.Join(own, " "), name, name, name).Scan(&near)
	if err != nil {
		return ""
	}
	return near
}

// ourNames takes the names of macros that stand for Trino's functions for those.
func ourNames(message string) string {
	message = strings.ReplaceAll(message, BoundedLogs, CloudTrailLogs)
	return strings.ReplaceAll(message, "trino_", "")
}

// caretWidth is how much of a line is shown.
const caretWidth = 100

// caret is the line of a text that a place is in, with a caret below the place.
func caret(text string, at int) string {
	at = min(at, len(text))
	start := strings.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	line = strings.TrimRight(line, "\r")
	column := min(at-start, len(line))
	if column > caretWidth*3/4 {
		cut := column - caretWidth/2
		for cut > 0 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		line, column = "…"+line[cut:], column-cut+len("…")
	}
	if runes := []rune(line); len(runes) > caretWidth {
		line = string(runes[:caretWidth]) + "…"
	}
	head := fmt.Sprintf("line %d: ", 1+strings.Count(text[:start], "\n"))
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, head+line[:min(column, len(line))])
	return head + line + "\n" + indent + "^"
}
