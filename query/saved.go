package query

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// savedFiles are the saved investigations, one file each. The comment at its
// head says what it is:
//
//	-- title: what it answers
//	-- description: when to ask it, and how to read the answer
//	-- param: name type [default=value] example=value : what to give
//
// The type of a parameter is text, time or number.
//
//go:embed saved/*.sql
var savedFiles embed.FS

// Saved is a question that responders ask, as SQL with parameters.
type Saved struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Params      []SavedParam `json:"params"`
	SQL         string       `json:"sql"`
}

// SavedParam is a parameter of a saved investigation.
type SavedParam struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Default *string `json:"default"` // nil: it must be given
	Example string  `json:"example"`
	About   string  `json:"about"`
}

// Investigations are the saved ones, by name.
func Investigations() ([]Saved, error) {
	entries, err := savedFiles.ReadDir("saved")
	if err != nil {
		return nil, err
	}
	var list []Saved
	for _, e := range entries {
		text, err := savedFiles.ReadFile(path.Join("saved", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := parseSaved(strings.TrimSuffix(e.Name(), ".sql"), string(text))
		if err != nil {
			return nil, fmt.Errorf("saved investigation %s: %w", e.Name(), err)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Saved) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func parseSaved(name, text string) (Saved, error) {
	s := Saved{Name: name, Params: []SavedParam{}}
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(comment, ": ")
		value = strings.TrimSpace(value)
		switch key {
		case "title":
			s.Title = value
		case "description":
			s.Description = strings.TrimSpace(s.Description + " " + value)
		case "param":
			p, err := parseSavedParam(value)
			if err != nil {
				return s, err
			}
			s.Params = append(s.Params, p)
		default:
			return s, fmt.Errorf("its head has %q", comment)
		}
		text = text[len(line):]
	}
	s.SQL = strings.TrimSpace(text)
	if s.Title == "" || s.Description == "" || s.SQL == "" {
		return s, fmt.Errorf("title, description or SQL is missing")
	}
	return s, nil
}

func parseSavedParam(text string) (SavedParam, error) {
	head, about, ok := strings.Cut(text, " : ")
	words := strings.Fields(head)
	if !ok || len(words) < 2 || !slices.Contains([]string{"text", "time", "number"}, words[1]) {
		return SavedParam{}, fmt.Errorf("parameter %q is not `name type … : about`", text)
	}
	p := SavedParam{Name: words[0], Type: words[1], About: strings.TrimSpace(about)}
	for _, word := range words[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "default":
			p.Default = &value
		case "example":
			p.Example = value
		default:
			return p, fmt.Errorf("parameter %s has %q", p.Name, word)
		}
	}
	return p, nil
}

// Values are the values of its parameters: those given, else the defaults.
// Ages such as 30d count back from now.
func (s Saved) Values(given map[string]string, now time.Time) (map[string]string, error) {
	values := map[string]string{}
	var names, missing []string
	for _, p := range s.Params {
		names = append(names, p.Name)
		value, ok := lookUp(given, p.Name)
		switch {
		case !ok && p.Default == nil:
			missing = append(missing, fmt.Sprintf("--param %s=%s (%s)", p.Name, p.Example, p.About))
			continue
		case !ok:
			value = *p.Default
		case p.Type == "time":
			if age, ok := Age(value); ok {
				value = now.Add(-age).UTC().Truncate(time.Second).Format(time.RFC3339)
			}
		}
		values[p.Name] = value
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s needs %s", s.Name, strings.Join(missing, ", "))
	}
	for name := range given {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			if len(names) == 0 {
				return nil, fmt.Errorf("%s has no parameter, and %s is given", s.Name, name)
			}
			return nil, fmt.Errorf("%s has no parameter %s: it has %s", s.Name, name, strings.Join(names, ", "))
		}
	}
	return values, nil
}

func lookUp(values map[string]string, name string) (string, bool) {
	for n, v := range values {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return "", false
}
