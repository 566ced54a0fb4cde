package rules

import (
	"fmt"
	"strings"
	"unicode"
)

// maxQuoted is how much of a text from the log a summary quotes.
const maxQuoted = 120

// summarize says in a sentence who did what to what, how often and from where.
// What stands in the log stays as it is, but for its length and control
// characters; whoever shows it escapes it.
func summarize(f Finding, names []string, invokedBy string) string {
	var b strings.Builder
	b.WriteString(actor(f, invokedBy))
	switch f.Outcome {
	case Denied:
		b.WriteString(" was denied ")
	case Failed:
		b.WriteString(" failed at ")
	default:
		b.WriteString(" called ")
	}
	b.WriteString(some(names, 3))
	if len(f.Resources) > 0 {
		b.WriteString(" on " + some(f.Resources, 2))
	}
	b.WriteString(" " + times(f.Count))
	if len(f.SourceIPs) > 0 {
		b.WriteString(" from " + some(f.SourceIPs, 2))
	}
	if len(f.Regions) > 0 {
		b.WriteString(" in " + some(f.Regions, 2))
	}
	return b.String() + "."
}

// actor names a principal as a person would, to begin a sentence.
func actor(f Finding, invokedBy string) string {
	_, rest, _ := strings.Cut(f.PrincipalARN, "arn:")
	parts := strings.SplitN(rest, ":", 5) // partition, service, region, account, resource
	if len(parts) == 5 {
		kind, name, _ := strings.Cut(parts[4], "/")
		switch kind {
		case "root":
			return "The root user of " + parts[3]
		case "user":
			return "User " + quoted(name[strings.LastIndex(name, "/")+1:])
		case "federated-user":
			return "Federated user " + quoted(name)
		case "assumed-role":
			role, session, _ := strings.Cut(name, "/")
			return "Role " + quoted(role) + " (session " + quoted(session) + ")"
		}
		return quoted(f.PrincipalARN)
	}
	switch {
	case invokedBy != "":
		return quoted(invokedBy)
	case f.PrincipalID != "":
		return "Principal " + quoted(f.PrincipalID)
	}
	return "An unnamed principal"
}

// some lists the first few of many.
func some(values []string, few int) string {
	if len(values) == 0 {
		return "an unnamed call"
	}
	shown := make([]string, 0, few)
	for _, v := range values[:min(few, len(values))] {
		shown = append(shown, quoted(v))
	}
	switch others := len(values) - len(shown); {
	case others == 1:
		return strings.Join(shown, ", ") + " and 1 other"
	case others > 1:
		return fmt.Sprintf("%s and %d others", strings.Join(shown, ", "), others)
	case len(shown) == 1:
		return shown[0]
	default:
		last := len(shown) - 1
		return strings.Join(shown[:last], ", ") + " and " + shown[last]
	}
}

func times(n int64) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// quoted keeps a text from the log on one line and short.
func quoted(s string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	if len(runes) > maxQuoted {
		return string(runes[:maxQuoted]) + "…"
	}
	return string(runes)
}
