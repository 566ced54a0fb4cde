package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Everything in a CloudTrail record that a caller chooses (names, user agents,
// error messages, parameters) is hostile text. The functions of this file make
// it harmless for one place each:
//
//   - a terminal: no control sequences, nothing that reorders or hides text
//   - CSV: no formula for a spreadsheet to run
//   - Markdown: no markup, no HTML, no links
//   - HTML: html/template escapes; visible takes out what it lets pass
//
// What is taken out stays legible as an escape such as \x1b or \u202e.

// Terminal makes text safe to print on one line of a terminal: control
// characters, line breaks, invisible characters and those that change the
// direction of text become visible escapes.
func Terminal(s string) string { return visible(s, "") }

// Lines makes text of several lines safe to print on a terminal: line breaks and
// tabs stay.
func Lines(s string) string { return visible(s, "\n\t") }

// visible replaces the runes that a reader cannot see or that act on a display,
// save those in keep.
func visible(s, keep string) string {
	if printable(s) {
		return s
	}
	clean := true
	for _, r := range s {
		if deceptive(r) && !strings.ContainsRune(keep, r) {
			clean = false
			break
		}
	}
	if clean && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !deceptive(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// printable tells whether a text is of ASCII that stands on a line, as most is.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// deceptive tells the runes that act on a display instead of standing on it:
// controls (C0, C1), format characters (bidirectional overrides, zero widths,
// tags), line and paragraph separators, and the Hangul fillers, which are
// letters that show nothing.
func deceptive(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// csvCell keeps a spreadsheet from taking text for a formula, as OWASP's page
// on CSV injection advises: such a cell gets a leading apostrophe. Line feeds
// and tabs stay, other control characters become visible.
func csvCell(s string) string {
	if s == "-" {
		return s // nothing to show
	}
	safe := visible(s, "\t\n")
	switch r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " ")); r {
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return "'" + safe
	}
	return safe
}

// markdownEscapes cover CommonMark and GitHub's extensions of it: tables,
// strike-through, bare links and formulas. A pipe and a backtick become
// entities, for a backslash before them does not hold inside a table's cell.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "&#96;", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "&#124;", "~", `\~`, "$", `\$`,
	"#", `\#`, "!", `\!`, "://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;",
)

// mdText makes text stand in Markdown as it is, on one line.
func mdText(s string) string { return markdownEscapes.Replace(Terminal(s)) }

// mdCode sets text as code in Markdown, on one line. A code span cannot hold a
// backtick or, in a table, a pipe; such text is set with HTML's element.
func mdCode(s string) string {
	s = Terminal(s)
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|") || strings.TrimSpace(s) != s || strings.HasSuffix(s, `\`):
		return "<code>" + markdownEscapes.Replace(s) + "</code>"
	}
	return "`" + s + "`"
}

// clip shortens text to at most n runes, the last of which says so.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:max(0, n-1)]) + "…"
}

// clipWords is clip between two words.
func clipWords(s string, n int) string {
	short := clip(s, n)
	if short == s {
		return s
	}
	if i := strings.LastIndexByte(short, ' '); i > len(short)/2 {
		return strings.TrimRight(short[:i], " ,;:.") + " …"
	}
	return short
}

// clipMiddle shortens text to n runes and keeps both ends, for the end of an ARN
// says more than its middle.
func clipMiddle(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n || n < 5 {
		return clip(s, n)
	}
	head := (n - 1) / 3
	return string(runes[:head]) + "…" + string(runes[len(runes)-(n-1-head):])
}
