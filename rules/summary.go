package rules

import (
	"fmt"
	"strings"
)

// maxQuoted is how much of a text from the log a summary quotes.
const maxQuoted = 120

// summarySQL says in a sentence who did what to what, how often and from where,
// of a group of matches (told). What stands in the log stays as it is, but for
// its length and control characters; whoever shows it escapes it.
var summarySQL = `regexp_replace(
        CASE WHEN actor IS NOT NULL THEN actor WHEN service <> '' THEN ` + quoted("service") + `
            WHEN who <> '' THEN 'Principal ' || ` + quoted("who") + ` ELSE 'An unnamed principal' END
        || CASE outcome WHEN 'denied' THEN ' was denied ' WHEN 'failed' THEN ' failed at ' ELSE ' called ' END
        || CASE WHEN held_1 = 0 THEN 'an unnamed call' ELSE ` + some("list_1", "held_1", 3) + ` END
        || CASE WHEN held_6 = 0 THEN '' ELSE ' on ' || ` + some("list_6", "held_6", 2) + ` END
        || CASE events WHEN 1 THEN ' once' WHEN 2 THEN ' twice' ELSE ' ' || events || ' times' END
        || CASE WHEN held_4 = 0 THEN '' ELSE ' from ' || ` + some("list_4", "held_4", 2) + ` END
        || CASE WHEN held_2 = 0 THEN '' ELSE ' in ' || ` + some("list_2", "held_2", 2) + ` END
        || '.', '\p{Cc}', ' ', 'g')`

// actorSQL names the principal of an ARN as a person would, to begin a sentence;
// NULL where it is none.
var actorSQL = func() string {
	account := `regexp_extract(principal_arn, '(?s)arn:(?:[^:]*:){3}([^:]*):', 1)`
	resource := `regexp_extract(principal_arn, '(?s)arn:(?:[^:]*:){4}(.*)$', 1)`
	after := func(text string) string { return `regexp_extract(` + text + `, '(?s)^[^/]*/(.*)$', 1)` }
	name := after(resource)
	return `CASE WHEN regexp_matches(principal_arn, 'arn:(?:[^:]*:){4}') THEN CASE split_part(` + resource + `, '/', 1)
        WHEN 'root' THEN 'The root user of ' || ` + account + `
        WHEN 'user' THEN 'User ' || ` + quoted(`regexp_extract(`+name+`, '[^/]*$')`) + `
        WHEN 'federated-user' THEN 'Federated user ' || ` + quoted(name) + `
        WHEN 'assumed-role' THEN 'Role ' || ` + quoted(`split_part(`+name+`, '/', 1)`) + ` || ' (session ' || ` + quoted(after(name)) + ` || ')'
        ELSE ` + quoted("principal_arn") + ` END END`
}()

// some lists the first few of total values.
func some(list, total string, few int) string {
	var whens []string
	first := make([]string, few)
	for i := range first {
		first[i] = quoted(fmt.Sprintf("%s[%d]", list, i+1))
		text := first[i]
		if i > 0 {
			text = strings.Join(first[:i], " || ', ' || ") + " || ' and ' || " + first[i]
		}
		whens = append(whens, fmt.Sprintf("WHEN %d THEN %s", i+1, text))
	}
	all := strings.Join(first, " || ', ' || ")
	return fmt.Sprintf("(CASE %s %s WHEN %d THEN %s || ' and 1 other' ELSE %s || ' and ' || (%s - %d) || ' others' END)",
		total, strings.Join(whens, " "), few+1, all, all, total, few)
}

// quoted keeps a text from the log short.
func quoted(text string) string {
	return fmt.Sprintf("(CASE WHEN length(%[1]s) > %[2]d THEN left(%[1]s, %[2]d) || '…' ELSE %[1]s END)", text, maxQuoted)
}
