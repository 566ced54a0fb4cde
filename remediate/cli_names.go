package remediate

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// cliNamesText says how the AWS CLI spells what aws-sdk-go-v2 spells otherwise;
// testdata/cli_names.py writes it and explains its lines.
//
//go:embed cli_names.txt
var cliNamesText string

// cliNames are the names of one service in the AWS CLI. The SDK begins every
// member with a capital; the CLI keeps the letter of the service's model, in
// JSON and in --query.
type cliNames struct {
	command string
	small   bool            // members begin with small letters
	other   map[string]bool // save these, or those of a parent ("Tags.Key") alone
	maps    map[string]bool // members whose keys are the caller's own
}

var cliServices = sync.OnceValue(func() map[string]cliNames {
	services := map[string]cliNames{}
	for line := range strings.Lines(cliNamesText) {
		f := strings.Fields(line)
		n := cliNames{command: f[1], small: f[2] == "small", other: map[string]bool{}, maps: map[string]bool{}}
		for _, name := range f[3:] {
			if m, ok := strings.CutSuffix(name, "{}"); ok {
				n.maps[m] = true
			} else {
				n.other[name] = true
			}
		}
		services[f[0]] = n
	}
	return services
})

// namesOf are the CLI's names of a service, by its package of aws-sdk-go-v2.
func namesOf(service string) cliNames {
	if n, ok := cliServices()[service]; ok {
		return n
	}
	return cliNames{command: service}
}

// member spells the SDK's name of a member of parent as the CLI does.
func (n cliNames) member(parent, name string) string {
	if name == "" || n.small == (n.other[name] || n.other[parent+"."+name]) {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// parameters spells the members in v, which parent holds.
func (n cliNames) parameters(parent string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			spelled := name
			if !n.maps[parent] {
				spelled = n.member(parent, name)
			}
			out[spelled] = n.parameters(name, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = n.parameters(parent, e)
		}
		return out
	}
	return v
}

// pathTokens are the parts of a JMESPath: literals and quoted names, which stay,
// and names.
var pathTokens = regexp.MustCompile("`(?:[^`\\\\]|\\\\.)*`|'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|[A-Za-z_][A-Za-z0-9_]*")

// path spells the names in a JMESPath over the answer of an operation, and its
// literals in ASCII.
func (n cliNames) path(operation, path string) string {
	parent := operation
	return pathTokens.ReplaceAllStringFunc(path, func(token string) string {
		switch token[0] {
		case '`', '"':
			return ascii(token)
		case '\'': // a raw string knows no escapes of characters, JSON's does
			return ascii(jmesString(strings.ReplaceAll(token[1:len(token)-1], `\'`, "'")))
		}
		spelled := n.member(parent, token)
		parent = token
		return spelled
	})
}
