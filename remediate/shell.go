package remediate

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// substitution is how a shell makes one of the values that the executor fills
// in: a word that ends on the value of a variable or command, in double quotes.
type substitution struct{ token, shell string }

// lineSubstitutions are for a command that stands alone, scriptSubstitutions for
// one in a script that has set the variables.
var (
	lineSubstitutions = []substitution{
		{Now, `"$(date -u +%Y-%m-%dT%H:%M:%SZ)"`}, {Item, `"$item"`}, {Password, `"$NEW_PASSWORD"`},
	}
	scriptSubstitutions = []substitution{{Now, `"$now"`}, {Item, `"$item"`}, {Password, `"$NEW_PASSWORD"`}}
)

// shellValue quotes a value in which the shell makes the substitutions.
func shellValue(s string, subs []substitution) string {
	var word strings.Builder
	for s != "" {
		at, next := len(s), substitution{}
		for _, sub := range subs {
			if i := strings.Index(s, sub.token); i >= 0 && i < at {
				at, next = i, sub
			}
		}
		if at == len(s) && word.Len() == 0 {
			return ShellQuote(s)
		}
		if at > 0 {
			word.WriteString(ShellQuote(s[:at]))
		}
		word.WriteString(next.shell)
		s = s[min(len(s), at+len(next.token)):]
	}
	if word.Len() == 0 {
		return "''"
	}
	return word.String()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@,-]+$`)

// ShellQuote is s as one word of a POSIX shell. A shell takes no NUL in a word,
// so that is left out.
func ShellQuote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", `'\''`) + "'"
}

// safeArguments says whether all text can stand as an argument of the CLI.
func safeArguments(v any) bool {
	for s := range leaves(v) {
		if s == "" || strings.HasPrefix(s, "-") || strings.Contains(s, "://") ||
			strings.ContainsFunc(s, func(r rune) bool { return r > 126 || unicode.IsControl(r) }) {
			return false
		}
	}
	return true
}

// asciiJSON is v as JSON in ASCII, so that no text direction or control
// character is left to fool a reader.
func asciiJSON(v any) string {
	text, err := compactJSON(v)
	if err != nil {
		return "{}"
	}
	return ascii(text)
}

// ascii spells the characters of JSON's strings that are not ASCII as escapes.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r <= 126:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return b.String()
}
