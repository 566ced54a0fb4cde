package trino

import "strings"

// jodaFields are the fields of a pattern of Joda-Time, by the letter and how
// often it stands, as strftime and strptime spell them.
// https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html
func jodaField(letter byte, count int) (string, bool) {
	short := count < 2
	pick := func(one, more string) (string, bool) {
		if short {
			return one, true
		}
		return more, true
	}
	switch letter {
	case 'y', 'Y':
		if count == 2 {
			return "%y", true
		}
		return "%Y", true
	case 'x':
		return "%G", true
	case 'M':
		switch {
		case count >= 4:
			return "%B", true
		case count == 3:
			return "%b", true
		}
		return pick("%-m", "%m")
	case 'd':
		return pick("%-d", "%d")
	case 'D':
		return pick("%-j", "%j")
	case 'w':
		return "%V", true
	case 'e':
		return "%u", true
	case 'E':
		if count >= 4 {
			return "%A", true
		}
		return "%a", true
	case 'a':
		return "%p", true
	case 'H':
		return pick("%-H", "%H")
	case 'h':
		return pick("%-I", "%I")
	case 'm':
		return pick("%-M", "%M")
	case 's':
		return pick("%-S", "%S")
	case 'S':
		if count <= 3 {
			return "%g", true
		}
		return "%f", true
	case 'Z':
		return strings.Repeat("%z", min(count, 3)), true
	case 'z':
		return "%Z", true
	}
	return "", false
}

// jodaPattern is a pattern of Joda-Time as strftime's.
func jodaPattern(p string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\'' && strings.HasPrefix(p[i:], "''"):
			b.WriteByte('\'')
			i += 2
		case c == '\'':
			end := strings.IndexByte(p[i+1:], '\'')
			if end < 0 { // as published: …ss''Z'
				end = len(p) - i - 1
			}
			b.WriteString(strings.ReplaceAll(p[i+1:i+1+end], "%", "%%"))
			i += end + 2
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			n := 1
			for i+n < len(p) && p[i+n] == c {
				n++
			}
			field, ok := jodaField(c, n)
			if !ok {
				return "", false
			}
			b.WriteString(field)
			i += n
		case c == '%':
			b.WriteString("%%")
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), true
}

// mysql is a function whose second argument is a format of MySQL. It stays in
// the call, for DuckDB wants a constant there.
func mysql(to string) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if len(c.args) != 2 {
			return nil, false
		}
		return c.to(to, c.arg(0), wrap("trino_mysql(", c.arg(1), ")")), true
	}
}

// inUTC has for zones, which jodaField repeats as their letter is, what they are.
var inUTC = strings.NewReplacer("%z%z%z", "UTC", "%z%z", "+00:00", "%z", "+0000", "%Z", "UTC")

// elsewhere says whether an argument is the local time of a zone.
func (r *rewriter) elsewhere(arg [2]int) bool {
	for k := arg[0]; k < arg[1]; k++ {
		if r.zoneAt(k) || r.at(k).is("AT_TIMEZONE") {
			return true
		}
	}
	return false
}

// joda is a function whose second argument is a pattern of Joda-Time.
func joda(to, of string) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if len(c.args) != 2 || c.size(1) != 1 {
			return nil, false
		}
		t := c.toks[c.args[1][0]]
		v, ok := t.value()
		if !ok {
			return nil, false
		}
		p, ok := jodaPattern(v)
		if !ok || to == "strftime" && strings.Contains(strings.ToLower(p), "%z") && c.elsewhere(c.args[0]) {
			return nil, false
		}
		if to == "strftime" { // times are UTC
			p = inUTC.Replace(p)
		}
		value := c.arg(0)
		if to == "strptime" && strings.Contains(p, "%z") {
			p = strings.NewReplacer("%z%z%z", "%z", "%z%z", "%z").Replace(p)
			value = wrap("regexp_replace(", value, ", 'Z$', '+00:00')")
		}
		return wrap("CAST(", c.to(to, value, fragment{{text(p), t.pos}}), " AS "+of+")"), true
	}
}
