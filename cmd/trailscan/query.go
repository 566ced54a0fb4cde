package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/query/trino"
	"trailscan/reports"
)

// queryFlags are those of `trailscan query`.
type queryFlags struct {
	file          string
	params        []string
	list          bool
	run           string
	tables        []string
	write         bool
	allowExternal bool
}

// answerNames are other names of the formats of an answer.
var answerNames = map[string]string{"markdown": "md"}

func (a *app) queryCommand() *cobra.Command {
	var q queryFlags
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Run SQL on the case, or open a shell on it",
		Long: `Run SQL on the case: the argument, a file (-f), standard input, or a saved
investigation (--run). Without any of them, at a terminal, it opens a shell.

The relations are events, sources, rejects, findings, credentials, principals and
those that .tables shows in the shell. Queries written for Athena and for CloudTrail
Lake run unchanged, on the same events as cloudtrail_logs and event_data_store;
--table says what yours call them. Queries only read, unless --write, and reach
no file and no network, unless --allow-external.`,
		Example: `  trailscan query "SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
  trailscan query --param ip=203.0.113.10 'SELECT * FROM events WHERE source_ip_address = $ip' -o events.parquet
  trailscan query --list
  trailscan query --run key-activity --param key=AKIAIOSFODNN7EXAMPLE --param since=30d`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.query(cmd.Context(), args, q)
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), reports.AnswerFormats...)
	f := cmd.Flags()
	f.StringVarP(&q.file, "file", "f", "", "`FILE` to read the SQL from")
	f.StringArrayVar(&q.params, "param", nil, "`NAME=VALUE` of a parameter that the SQL has as $NAME; may be repeated")
	f.StringArrayVar(&q.tables, "table", nil, "`NAME` of the table that the SQL reads, for cloudtrail_logs; NAME=event_data_store for CloudTrail Lake's; may be repeated")
	f.BoolVar(&q.list, "list", false, "list the saved investigations")
	f.StringVar(&q.run, "run", "", "run the saved investigation `NAME`")
	f.BoolVar(&q.write, "write", false, "let the SQL change the case")
	f.BoolVar(&q.allowExternal, "allow-external", false, "let the SQL read and write files and reach the network")
	return cmd
}

func (a *app) query(ctx context.Context, args []string, q queryFlags) error {
	format, zone, err := a.showAnswer()
	if err != nil {
		return err
	}
	if q.list {
		return a.listInvestigations(format, args, q)
	}
	params, err := parseParams(q.params)
	if err != nil {
		return err
	}
	names, err := tableNames(q.tables)
	if err != nil {
		return err
	}
	a.access = query.Confined
	if q.allowExternal {
		a.access = query.External
	}
	look := reports.AnswerLook{Zone: zone}
	if q.run == "" && len(args) == 0 && q.file == "" && a.atTerminal() {
		return a.shell(ctx, q, names, look)
	}
	text, params, err := a.questions(ctx, args, q, params)
	if err != nil {
		return err
	}
	list, err := statements(text, names, params)
	if err != nil {
		return err
	}
	mode := query.ReadOnly
	if q.write {
		mode = query.ReadWrite
		if len(args) == 0 { // the case keeps what changed it
			a.args = append(slices.Clone(a.args), "--", text)
		}
	}
	if a.output == "" && isTerminal(a.stdout) {
		look.Width = terminalWidth()
	}
	return a.withCase(ctx, mode, func(c *query.Case) error {
		return a.writeOutput(func(w io.Writer) error {
			return a.answerAll(ctx, w, c, list, params, format, look)
		})
	})
}

// commentsLast puts SQL that begins with a comment, which would be a flag by its
// first characters, behind all flags.
func commentsLast(args []string) []string {
	if len(args) == 0 || args[0] != "query" || slices.Contains(args, "--") {
		return args
	}
	var flags, sql []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "--") && strings.ContainsAny(arg[2:min(3, len(arg))], " \t\r\n-") {
			sql = append(sql, arg)
		} else {
			flags = append(flags, arg)
		}
	}
	if len(sql) == 0 {
		return args
	}
	return slices.Concat(flags, []string{"--"}, sql)
}

// showAnswer is how answers are to look.
func (a *app) showAnswer() (string, *time.Location, error) {
	if name := answerNames[strings.ToLower(a.format)]; name != "" {
		a.format = name
	}
	return a.show(reports.AnswerFormats...)
}

// questions is the SQL that is asked for, and the values of its parameters.
func (a *app) questions(ctx context.Context, args []string, q queryFlags, params map[string]string) (string, map[string]string, error) {
	if q.run == "" {
		text, err := a.sqlText(ctx, args, q.file)
		return text, params, err
	}
	if len(args) > 0 || q.file != "" {
		return "", nil, usagef("--run %s has its own SQL: leave the argument and -f out", q.run)
	}
	all, err := query.Investigations()
	if err != nil {
		return "", nil, err
	}
	var names []string
	for _, s := range all {
		if s.Name == q.run {
			values, err := s.Values(params, time.Now())
			if err != nil {
				return "", nil, usageError{err}
			}
			return s.SQL, values, nil
		}
		names = append(names, s.Name)
	}
	return "", nil, usagef("--run %s: there is none of that name: %s `trailscan query --list` has all", q.run, didYouMean(q.run, names))
}

// parseParams reads NAME=VALUE.
func parseParams(list []string) (map[string]string, error) {
	params := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimPrefix(name, "$")
		if !ok || name == "" {
			return nil, usagef("--param %s: must be NAME=VALUE", text)
		}
		if _, twice := params[name]; twice {
			return nil, usagef("--param %s is given twice", name)
		}
		params[name] = value
	}
	return params, nil
}

// statements are those of a text, which has to have a parameter for each value.
func statements(text string, names trino.Options, params map[string]string) ([]query.Statement, error) {
	list, rest, _ := query.Statements(text)
	if rest != nil {
		list = append(list, *rest)
	}
	if len(list) == 0 {
		return nil, usagef("no SQL: there are only comments in it")
	}
	var has []string
	marks := 0
	for i, st := range list {
		st = st.Translated(names)
		list[i] = st
		has = append(has, st.Params...)
		marks = max(marks, st.Marks)
	}
	for _, name := range sortedKeys(params) {
		n, err := strconv.Atoi(name)
		if !slices.ContainsFunc(has, func(h string) bool { return strings.EqualFold(h, name) }) && (err != nil || n < 1 || n > marks) {
			switch {
			case marks > 0:
				return nil, usagef("--param %s: the SQL has question marks, %d of them: --param 1=VALUE is for the first", name, marks)
			case len(has) == 0 && err == nil:
				return nil, usagef("--param %s: the SQL has no question mark and no $%s", name, name)
			case len(has) == 0:
				return nil, usagef("--param %s: the SQL has no parameter: write $%s where the value belongs", name, name)
			}
			return nil, usagef("--param %s: the SQL has no $%s: it has $%s", name, name, strings.Join(has, ", $"))
		}
	}
	return list, nil
}

// answerAll runs statements and writes their answers one after another.
func (a *app) answerAll(ctx context.Context, w io.Writer, c *query.Case, list []query.Statement, params map[string]string, format string, look reports.AnswerLook) error {
	answers := 0
	for _, st := range list {
		answer, err := c.Run(ctx, st, params)
		if err != nil {
			return queryError(ctx, err)
		}
		if answer.Did != "" {
			a.say("%s", reports.Terminal(answer.Summary()))
			continue
		}
		if answers++; answers > 1 {
			switch format {
			case "parquet":
				answer.Close()
				return usagef("a Parquet file holds one answer: give one statement that has one")
			case "table", "vertical", "md", "csv":
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
		}
		if err := reports.WriteAnswer(w, format, answer, look); err != nil {
			answer.Close()
			return queryError(ctx, err)
		}
		if err := answer.Close(); err != nil {
			return queryError(ctx, err)
		}
		// What was answered is shown, whatever the next statement does.
		if b, ok := w.(*bufio.Writer); ok && a.output == "" {
			if err := b.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func queryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("query: %w", err)
}

// listInvestigations writes the saved investigations.
func (a *app) listInvestigations(format string, args []string, q queryFlags) error {
	if len(args) > 0 || q.file != "" || q.run != "" {
		return usagef("--list goes with no SQL and no --run")
	}
	all, err := query.Investigations()
	if err != nil {
		return err
	}
	return a.writeOutput(func(w io.Writer) error {
		return reports.WriteInvestigations(w, format, all)
	})
}

// tableNames reads --table.
func tableNames(list []string) (trino.Options, error) {
	o := trino.Options{Tables: map[string]string{}}
	for _, t := range list {
		name, view, given := strings.Cut(t, "=")
		if !given {
			view = trino.CloudTrailLogs
		}
		if name == "" || view != trino.CloudTrailLogs && view != trino.EventDataStore {
			return o, usagef("--table %s: give NAME, NAME=%s or NAME=%s", t, trino.CloudTrailLogs, trino.EventDataStore)
		}
		o.Tables[name] = view
	}
	return o, nil
}

// sqlText is the SQL from the argument, the file or standard input.
func (a *app) sqlText(ctx context.Context, args []string, file string) (string, error) {
	var text []byte
	var err error
	switch {
	case len(args) == 1 && file != "":
		return "", usagef("give the SQL as an argument or with -f, not both")
	case len(args) == 1:
		text = []byte(args[0])
	case file != "" && file != "-":
		text, err = os.ReadFile(file)
	default:
		text, err = readAll(ctx, a.stdin)
	}
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	// Editors on Windows begin a file with a byte order mark.
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		return "", usagef("no SQL: give it as an argument, with -f FILE or on standard input")
	}
	return string(text), nil
}

// readAll is io.ReadAll that does not outlast ctx: a read of a terminal cannot
// be interrupted otherwise.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	var text []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, err = io.ReadAll(r)
	}()
	select {
	case <-done:
		return text, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
