package remediate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Command is the action as a line for a POSIX shell, "" when it names no call.
// Every word is quoted: the names come from a log, and an intruder chose them.
func (a *Action) Command() string {
	if a.Service == "" || a.Operation == "" {
		return ""
	}
	call := Call{a.Service, a.Operation, a.Parameters}
	if a.ForEach == nil {
		return call.CLI(a.Region)
	}
	return fmt.Sprintf(`aws %s | tr '\t' '\n' | while IFS= read -r item; do %s; done`, a.ForEach.ScriptWords(a.Region), call.CLI(a.Region))
}

// CLI is the call as a line for a POSIX shell.
func (c Call) CLI(region string) string {
	return "aws " + strings.Join(c.words(region, lineSubstitutions), " ")
}

// ScriptWords are the words after aws, quoted, in a script that has set $now,
// $item and $NEW_PASSWORD.
func (c Call) ScriptWords(region string) string {
	return strings.Join(c.words(region, scriptSubstitutions), " ")
}

// CLI is the read as a line for a POSIX shell.
func (r Read) CLI(region string) string {
	line := r.Call.CLI(region)
	if r.Path != "" {
		line += " --query " + ShellQuote(namesOf(r.Service).path(r.Operation, r.Path))
	}
	return line
}

// ScriptWords are the words after aws that read a list as text, in a script.
func (r Read) ScriptWords(region string) string {
	return r.Call.ScriptWords(region) + " --query " + ShellQuote(namesOf(r.Service).path(r.Operation, r.Path)) + " --output text"
}

// ScriptWords are the words after aws that answer true when the check holds, in
// a script. JMESPath itself compares: documents as JSON, where the CLI has
// parsed them, as it does IAM's.
func (c Check) ScriptWords(region string) string {
	path := c.Path
	if path == "" {
		path = "@"
	}
	path = namesOf(c.Service).path(c.Operation, path)
	query := "!(" + path + ")"
	if !c.Absent {
		equals := c.Equals
		if text, ok := equals.(string); ok && c.Service == "iam" {
			if document, ok := parseDocument(text); ok {
				equals = document
			}
		}
		query = "(" + path + ") == `" + strings.ReplaceAll(asciiJSON(equals), "`", `\u0060`) + "`"
	}
	return c.Call.ScriptWords(region) + " --query " + shellValue(query, scriptSubstitutions) + " --output json"
}

// globalOptions are the CLI's own; a parameter of such a name is spelled
// otherwise in each service
// (https://github.com/aws/aws-cli/blob/develop/awscli/customizations/argrename.py).
var globalOptions = []string{"debug", "endpoint-url", "no-verify-ssl", "no-paginate", "output", "query", "profile", "region", "version", "color", "endpoint", "start", "end"}

func (c Call) words(region string, subs []substitution) []string {
	names := namesOf(c.Service)
	words := []string{names.command, cliName(c.Operation)}
	ids, isList := c.Parameters["JobFlowIds"].([]any)
	switch {
	case c.Service == "emr" && c.Operation == "TerminateJobFlows" && isList && c.asArguments():
		// The CLI has a command of its own for it:
		// https://docs.aws.amazon.com/cli/latest/reference/emr/terminate-clusters.html
		words[1] = "terminate-clusters"
		words = append(words, cliArgument("ClusterIds", ids, subs)...)
	case len(c.Parameters) == 0:
	case c.asArguments():
		for _, k := range slices.Sorted(maps.Keys(c.Parameters)) {
			words = append(words, cliArgument(k, names.parameters(k, c.Parameters[k]), subs)...)
		}
	default:
		// The CLI reads a file for file://…, takes -x for a flag, and a control
		// character would reach the reader's terminal: none of that in JSON.
		words = append(words, "--cli-input-json", shellValue(asciiJSON(names.parameters(c.Operation, c.Parameters)), subs))
	}
	if region != "" && (!globalServices[c.Service] || region != globalRegion("aws")) {
		words = append(words, "--region", ShellQuote(region))
	}
	return words
}

// asArguments says whether each parameter can be an argument of its own.
func (c Call) asArguments() bool {
	if !safeArguments(c.Parameters) {
		return false
	}
	for name, v := range c.Parameters {
		if slices.Contains(globalOptions, cliName(name)) {
			return false
		}
		switch v := v.(type) {
		case bool: // some are called --reboot where others are --no-no-reboot
			if !v && (c.Service == "ec2" || c.Service == "ecs") {
				return false
			}
		case []any: // the CLI parses elements that begin so
			if slices.ContainsFunc(v, func(e any) bool {
				s, ok := e.(string)
				return ok && strings.ContainsAny(s[:1], "[{")
			}) {
				return false
			}
		}
	}
	return true
}

func cliArgument(name string, v any, subs []substitution) []string {
	flag := "--" + cliName(name)
	switch v := v.(type) {
	case bool:
		if !v {
			return []string{"--no-" + cliName(name)}
		}
		return []string{flag}
	case string:
		return []string{flag, shellValue(v, subs)}
	case []any:
		words := []string{flag}
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return []string{flag, shellValue(asciiJSON(v), subs)}
			}
			words = append(words, shellValue(s, subs))
		}
		return words
	case map[string]any:
		return []string{flag, shellValue(asciiJSON(v), subs)}
	}
	return []string{flag, ShellQuote(fmt.Sprint(v))}
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

// LoopsInShell says whether a shell can repeat the action: each item must be an
// argument of its own, for in JSON a shell cannot quote it.
func (a *Action) LoopsInShell() bool {
	if a.ForEach == nil {
		return !mentions(a.Parameters, Item)
	}
	for _, v := range a.Parameters {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, e := range list {
			if mentions(e, Item) && e != Item {
				return false
			}
		}
	}
	return Call{a.Service, a.Operation, a.Parameters}.asArguments()
}

// Mentions says whether a parameter of the action or of its checks holds one of
// Now, Password and Item.
func (a *Action) Mentions(name string) bool {
	for _, c := range slices.Concat(a.Expect, a.Verify) {
		if mentions(c.Parameters, name) || mentions(c.Equals, name) {
			return true
		}
	}
	return mentions(a.Parameters, name)
}
