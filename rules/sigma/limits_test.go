package sigma

import (
	"fmt"
	"strings"
	"testing"
)

// TestLimits runs what is long, deep or odd and still a rule.
func TestLimits(t *testing.T) {
	c := newCase(t, `{"eventName":"DeleteTrail","requestParameters":{"a":"ab12 ΑΒ"}}`)
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprintf("'x%d*y'", i)
	}
	var searches, nested strings.Builder
	for i := range 500 {
		fmt.Fprintf(&searches, "s%d: {eventName: 'x%d*'}\n", i, i)
	}
	nested.WriteString(strings.Repeat("not (", 48) + "s" + strings.Repeat(")", 48))
	for _, tc := range []struct{ name, text, want string }{
		{"5,000 values", "s: {eventName: [" + strings.Join(many, ", ") + ", DeleteTrail]}\ncondition: s", "e0"},
		{"5,000 values all", "s: {eventName|contains|all: [" + strings.Join(many, ", ") + "]}\ncondition: not s", "e0"},
		{"500 searches", searches.String() + "condition: not 1 of s*", "e0"},
		{"3 of 500 searches", searches.String() + "condition: 3 of them", ""},
		{"48 negations", "s: {eventName: DeleteTrail}\ncondition: " + nested.String(), "e0"},
		{"named groups", "s: {requestParameters.a|re: '(?<letters>[a-z]+)(?P<digits>[0-9]+)'}\ncondition: s", "e0"},
		{"classes of characters", `s: {requestParameters.a|re: '^\p{Latin}+\d+\s\p{Greek}{2}$'}` + "\ncondition: s", "e0"},
		{"flags within", `s: {requestParameters.a|re: '(?i:AB)12'}` + "\ncondition: s", "e0"},
		{"escapes that need none", `s: {requestParameters.a|re: 'a\b?|\/\-\"\<'}` + "\ncondition: s", "e0"},
		{"large but fit", `s: {requestParameters.a|re: '^.{0,1000}x?.{0,900}[a-z]{0,900}$'}` + "\ncondition: s", "e0"},
		{"large classes but fit", `s: {requestParameters.a|re: '^\p{L}{1,36}'}` + "\ncondition: s", "e0"},
		{"large classes in any case", `s: {requestParameters.a|re|i: '^\p{L}{1,36}'}` + "\ncondition: s", "e0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := matches(t, c, detection(tc.text), nil); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}
