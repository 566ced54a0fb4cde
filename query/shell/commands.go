package shell

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"trailscan/query"
)

// commands are those that begin with a dot, as .help lists them.
var commands = []struct{ name, args, about string }{
	{".help", "", "this list"},
	{".tables", "", "the tables and views"},
	{".schema", "[TABLE]", "the columns of a table, or of all"},
	{".saved", "", "the saved investigations"},
	{".run", "NAME [PARAM=VALUE]…", "run a saved investigation"},
	{".read", "FILE", "run the statements in a file"},
	{".param", "[NAME[=VALUE]]", "list, set or drop the values of $NAME"},
	{".mode", "[MODE]", "how answers are shown"},
	{".timing", "on|off", "say how long statements take"},
	{".quit", "", "end the shell, as Ctrl-D does"},
}

// command carries out a line that begins with a dot and tells whether the shell
// is to end.
func (s *Shell) command(ctx context.Context, line string) (quit bool) {
	words := strings.Fields(strings.TrimSuffix(line, ";"))
	name, args := strings.ToLower(words[0]), words[1:]
	var err error
	switch name {
	case ".quit", ".exit", ".q":
		return true
	case ".help":
		s.help()
	case ".tables":
		err = s.ask(ctx, `SELECT table_name AS name, CASE WHEN table_type = 'VIEW' THEN 'view' ELSE 'table' END AS kind
FROM information_schema.tables WHERE table_schema = 'main' AND table_name <> 'trailscan_answer' ORDER BY 1`, nil)
	case ".schema":
		err = s.schema(ctx, args)
	case ".saved", ".list":
		err = s.list()
	case ".run":
		err = s.saved(ctx, args)
	case ".read":
		err = s.read(ctx, strings.TrimSpace(strings.TrimPrefix(line, words[0])))
	case ".param", ".params":
		s.setParam(strings.TrimSpace(strings.TrimPrefix(line, words[0])))
	case ".mode":
		err = s.setMode(args)
	case ".timing", ".timer":
		switch strings.Join(args, " ") {
		case "on":
			s.timing = true
		case "off":
			s.timing = false
		default:
			err = fmt.Errorf(".timing needs on or off")
		}
	default:
		err = fmt.Errorf("%s is unknown: .help lists what there is", words[0])
	}
	if err != nil && ctx.Err() == nil {
		s.complain(err)
	}
	return false
}

func (s *Shell) help() {
	fmt.Fprintln(s.Out, "A statement ends with a semicolon and may go over several lines. Tab completes names,")
	fmt.Fprintln(s.Out, "Ctrl-C ends a statement that runs, Ctrl-D ends the shell.")
	for _, c := range commands {
		fmt.Fprintf(s.Out, "  %-8s %-22s %s\n", c.name, c.args, c.about)
	}
	fmt.Fprintf(s.Out, "Modes: %s.\n", strings.Join(s.Modes, ", "))
}

// ask runs a statement of the shell's own.
func (s *Shell) ask(ctx context.Context, text string, params map[string]string) error {
	_, st, _ := query.Statements(text)
	return s.run(ctx, *st, params)
}

func (s *Shell) schema(ctx context.Context, args []string) error {
	const columns = `SELECT column_name AS "column", data_type AS type FROM information_schema.columns
WHERE table_schema = 'main' AND lower(table_name) = lower($name) ORDER BY ordinal_position`
	switch len(args) {
	case 0:
		return s.ask(ctx, `SELECT table_name AS "table", column_name AS "column", data_type AS type FROM information_schema.columns
WHERE table_schema = 'main' AND table_name <> 'trailscan_answer' ORDER BY table_name, ordinal_position`, nil)
	case 1:
		return s.ask(ctx, columns, map[string]string{"name": strings.Trim(args[0], `"`)})
	}
	return fmt.Errorf(".schema needs the name of one table, or none")
}

func (s *Shell) list() error {
	all, err := query.Investigations()
	if err != nil {
		return err
	}
	out := s.newScreen()
	for _, inv := range all {
		fmt.Fprintf(out, "%-26s %s\n", inv.Name, inv.Title)
		for _, p := range inv.Params {
			given := "e.g. " + p.Example
			if p.Default != nil {
				given = "default " + *p.Default
			}
			fmt.Fprintf(out, "%-26s   %s: %s (%s)\n", "", p.Name, p.About, given)
		}
	}
	return out.close()
}

func (s *Shell) saved(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf(".run needs the name of a saved investigation: .saved lists them")
	}
	all, err := query.Investigations()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(inv query.Saved) bool { return inv.Name == args[0] })
	if i < 0 {
		return fmt.Errorf("no saved investigation is called %s: .saved lists them", args[0])
	}
	given := map[string]string{}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%s: a parameter is given as NAME=VALUE", arg)
		}
		given[name] = value
	}
	values, err := all[i].Values(given, time.Now())
	if err != nil {
		return err
	}
	return s.ask(ctx, all[i].SQL, values)
}

func (s *Shell) read(ctx context.Context, file string) error {
	if file == "" {
		return fmt.Errorf(".read needs the name of a file")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	list, rest, _ := query.Statements(string(text))
	if rest != nil {
		list = append(list, *rest)
	}
	for _, st := range list {
		if err := s.run(ctx, st, s.params); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shell) setParam(text string) {
	name, value, given := strings.Cut(text, "=")
	name = strings.TrimPrefix(strings.TrimSpace(name), "$")
	switch {
	case given:
		s.params[name] = strings.TrimSpace(value)
	case name != "":
		delete(s.params, name)
	default:
		var names []string
		for name := range s.params {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(s.Out, "$%s = %s\n", s.Clean(name), s.Clean(s.params[name]))
		}
	}
}

func (s *Shell) setMode(args []string) error {
	switch {
	case len(args) == 0:
		fmt.Fprintf(s.Out, "%s (there are %s)\n", s.mode, strings.Join(s.Modes, ", "))
	case len(args) == 1 && args[0] == "markdown":
		return s.setMode([]string{"md"})
	case len(args) == 1 && args[0] == "parquet":
		return fmt.Errorf(".mode parquet: that is for files: `trailscan query -o FILE.parquet` writes one")
	case len(args) > 1 || !slices.Contains(s.Modes, args[0]):
		return fmt.Errorf(".mode needs one of %s", strings.Join(s.Modes, ", "))
	default:
		s.mode = args[0]
	}
	return nil
}
