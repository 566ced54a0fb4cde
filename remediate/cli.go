package remediate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// cliService is the command of the AWS CLI for a package of aws-sdk-go-v2,
// where they are not called the same.
var cliService = map[string]string{
	"s3": "s3api", "cloudwatchlogs": "logs", "eventbridge": "events", "ssoadmin": "sso-admin",
	"cognitoidentityprovider": "cognito-idp", "cognitoidentity": "cognito-identity", "acmpca": "acm-pca",
	"costexplorer": "ce",
}

// cliNow is the time of the call, in the shell.
const cliNow = `$(date -u +%Y-%m-%dT%H:%M:%SZ)`

// command is the action as a line for a POSIX shell. Every word is quoted: the
// names come from a log, and an intruder chose them.
func command(a *Action) string {
	if a.Service == "" || a.Operation == "" {
		return ""
	}
	line := awsCommand(a.Service, a.Operation, a.Parameters, a.Region)
	if a.ForEach == nil {
		return line
	}
	read := awsCommand(a.ForEach.Service, a.ForEach.Operation, a.ForEach.Parameters, a.Region)
	return fmt.Sprintf(`%s --query %s --output text | tr '\t' '\n' | while IFS= read -r item; do %s; done`,
		read, shellQuote(a.ForEach.Path), line)
}

func awsCommand(service, operation string, parameters map[string]any, region string) string {
	name := service
	if n, ok := cliService[service]; ok {
		name = n
	}
	words := []string{"aws", name, cliName(operation)}
	if safeArguments(parameters) {
		for _, k := range slices.Sorted(maps.Keys(parameters)) {
			words = append(words, cliArgument(k, parameters[k])...)
		}
	} else {
		// The CLI reads a file for file://…, takes -x for a flag, and a control
		// character would reach the reader's terminal: none of that in JSON.
		words = append(words, "--cli-input-json", shellValue(asciiJSON(parameters)))
	}
	if region != "" && !globalServices[service] {
		words = append(words, "--region", shellQuote(region))
	}
	return strings.Join(words, " ")
}

func cliArgument(name string, v any) []string {
	flag := "--" + cliName(name)
	switch v := v.(type) {
	case bool:
		if !v {
			return []string{"--no-" + cliName(name)}
		}
		return []string{flag}
	case string:
		return []string{flag, shellValue(v)}
	case []any:
		words := []string{flag}
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return []string{flag, shellValue(asciiJSON(v))}
			}
			words = append(words, shellValue(s))
		}
		return words
	case map[string]any:
		return []string{flag, shellValue(asciiJSON(v))}
	}
	return []string{flag, shellQuote(fmt.Sprint(v))}
}

// substitutions are what the executor puts into values, as the shell has it.
var substitutions = []struct{ token, shell string }{
	{Now, `"` + cliNow + `"`}, {Item, `"$item"`}, {Password, `"$NEW_PASSWORD"`},
}

// shellValue quotes a value that may hold one of the executor's substitutions,
// which the shell makes itself.
func shellValue(s string) string {
	for _, sub := range substitutions {
		before, rest, found := strings.Cut(s, sub.token)
		if !found {
			continue
		}
		word := sub.shell
		if before != "" {
			word = shellQuote(before) + word
		}
		if rest != "" {
			word += shellQuote(rest)
		}
		return word
	}
	return shellQuote(s)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@,-]+$`)

// shellQuote is s as one word of a POSIX shell.
func shellQuote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
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

var (
	pluralAcronym = regexp.MustCompile(`[A-Z]{2,}s$`)
	firstCapital  = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	lastCapital   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// cliName spells the name of an operation or parameter as the AWS CLI does:
// botocore's xform_name (https://github.com/boto/botocore/blob/develop/botocore/__init__.py).
func cliName(s string) string {
	if m := pluralAcronym.FindString(s); m != "" {
		s = strings.TrimSuffix(s, m) + "-" + strings.ToLower(m)
	}
	s = firstCapital.ReplaceAllString(s, "$1-$2")
	s = lastCapital.ReplaceAllString(s, "$1-$2")
	return strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(s, "--", "-")), "-")
}
