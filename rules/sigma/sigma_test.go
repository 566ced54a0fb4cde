package sigma

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/query"
	"trailscan/rules"
)

// newCase makes a case of records. Those without an eventID get e0, e1, …; the
// other members that every record has are filled in too.
func newCase(t testing.TB, records ...string) *query.Case {
	t.Helper()
	var all []map[string]any
	for i, text := range records {
		record := map[string]any{
			"eventID": fmt.Sprintf("e%d", i), "eventVersion": "1.08", "eventTime": "2026-03-01T12:00:00Z",
			"eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&record); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, record)
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return loadCase(t, data)
}

func loadCase(t testing.TB, data []byte) *query.Case {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "records.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := query.Open(context.Background(), filepath.Join(dir, "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := ingest.Load(context.Background(), c, []string{file}, ingest.Options{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	return c
}

const about = "title: Test\nlogsource: {product: aws, service: cloudtrail}\n"

// detection makes a rule of the text of its detection.
func detection(text string) string {
	return about + "detection:\n    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

// compileText compiles a file's text.
func compileText(text string, vars Vars) *Set {
	set := &Set{}
	found, err := parseDocuments("rule.yml", []byte(text))
	if err != nil {
		set.refuse(&unit{file: "rule.yml"}, err)
	}
	set.compile(expandActions(found), vars)
	return set
}

// matches returns the ids of the events that the only rule of a text finds.
func matches(t testing.TB, c *query.Case, text string, vars Vars) string {
	t.Helper()
	set := compileText(text, vars)
	if len(set.Refused) > 0 || len(set.Rules) != 1 {
		t.Fatalf("%d rules, refused: %v", len(set.Rules), set.Refused)
	}
	ids, err := rules.Match(context.Background(), c, set.Rules[0])
	if err != nil {
		t.Fatalf("%v\n%s", err, set.Rules[0].SQL())
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func TestMatching(t *testing.T) {
	const (
		plain  = `{"eventName":"DeleteTrail","userAgent":"aws-cli/2.15 S3 Browser","sourceIPAddress":"198.51.100.7","userIdentity":{"type":"IAMUser","userName":"Alice","arn":"arn:aws:iam::111122223333:user/Alice","accountId":"011122223333"}}`
		nulls  = `{"errorCode":null,"requestParameters":{"a":null,"b":"","list":[]},"responseElements":null}`
		policy = `{"requestParameters":{"policyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\"}]}","userName":"alice","path":"C:\\dir\\x*y?","n":7,"nan":"NaN","big":12.5,"on":true}}`
		arrays = `{"requestParameters":{"items":[{"cidr":"10.0.0.0/8","port":22},{"cidr":"0.0.0.0/0","port":443}],"layers":["arn:one","arn:two"],"deep":{"x":[{"y":[{"z":"found"}]}]}},"resources":[{"ARN":"arn:aws:s3:::a"},{"ARN":"arn:aws:s3:::b"}]}`
		odd    = `{"myField":{"inner":"Value"},"errorMessage":"line one\nline two 100% a_b","userAgent":"Größe ÄÖ","readOnly":true,"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/Admin","type":"Role"},"attributes":{"mfaAuthenticated":"false","creationDate":"2026-03-01T11:00:00Z"},"ec2RoleDelivery":"2.0"}}}`
	)
	c := newCase(t, plain, nulls, policy, arrays, odd)
	for _, tc := range []struct{ name, detection, want string }{
		{"equal in any case", "s: {eventName: deletetrail}\ncondition: s", "e0"},
		{"cased", "s: {eventName|cased: deletetrail}\ncondition: s", ""},
		{"cased the same", "s: {eventName|cased: DeleteTrail}\ncondition: s", "e0"},
		{"field name in another case", "s: {EventName: DeleteTrail}\ncondition: s", "e0"},
		{"beyond ASCII in any case", "s: {userAgent: größe äö}\ncondition: s", "e4"},
		{"list of values", "s: {eventName: [DeleteTrail, CreateUser]}\ncondition: s", "e0 e1 e2 e3 e4"},
		{"all fields of a map", "s: {eventName: DeleteTrail, userIdentity.type: Root}\ncondition: s", ""},
		{"any map of a list", "s:\n  - eventName: DeleteTrail\n  - userIdentity.type: AssumedRole\ncondition: s", "e0 e4"},
		{"number as text", "s: {requestParameters.n: 7}\ncondition: s", "e2"},
		{"number and its text", "s: {requestParameters.n: '7'}\ncondition: s", "e2"},
		{"boolean as text", "s: {requestParameters.on: true}\ncondition: s", "e2"},
		{"boolean column", "s: {readOnly: 'true'}\ncondition: s", "e4"},
		{"account with leading zero", "s: {userIdentity.accountId: 011122223333}\ncondition: s", "e0"},
		{"time column", "s: {eventTime|startswith: '2026-03-01T12'}\ncondition: s", "e0 e1 e2 e3 e4"},
		{"session", "s: {userIdentity.sessionContext.attributes.mfaAuthenticated: 'false', userIdentity.sessionContext.sessionIssuer.arn|endswith: role/admin}\ncondition: s", "e4"},
		{"session creation", "s: {userIdentity.sessionContext.attributes.creationDate: '2026-03-01T11:00:00Z'}\ncondition: s", "e4"},
		{"identity without a column", "s: {userIdentity.sessionContext.ec2RoleDelivery: '2.0'}\ncondition: s", "e4"},
		{"unknown member", "s: {myField.inner: value}\ncondition: s", "e4"},
		{"generic name", "s: {src_ip: 198.51.100.7}\ncondition: s", "e0"},

		{"contains", "s: {userAgent|contains: s3 browser}\ncondition: s", "e0"},
		{"startswith", "s: {userAgent|startswith: AWS-CLI}\ncondition: s", "e0"},
		{"endswith", "s: {userAgent|endswith: Browser}\ncondition: s", "e0"},
		{"contains all", "s: {userAgent|contains|all: [cli, browser]}\ncondition: s", "e0"},
		{"contains all fails", "s: {userAgent|contains|all: [cli, boto]}\ncondition: s", ""},
		{"wildcards", "s: {eventName: 'del*tr?il'}\ncondition: s", "e0"},
		{"question mark is one", "s: {eventName: 'DeleteTrail?'}\ncondition: s", ""},
		{"anything", "s: {errorMessage|contains: '*'}\ncondition: s", "e4"},
		{"percent and underscore are plain", "s: {errorMessage|contains: '100% a_b'}\ncondition: s", "e4"},
		{"underscore is no wildcard", "s: {errorMessage|contains: '100% axb'}\ncondition: s", ""},
		{"percent is no wildcard", "s: {errorMessage|contains: '1% a_b'}\ncondition: s", ""},
		{"percent amid wildcards", "s: {errorMessage: '*100%*_b'}\ncondition: s", "e4"},
		{"line break", "s: {errorMessage|contains: \"one\\nline\"}\ncondition: s", "e4"},
		{"escaped wildcards", `s: {requestParameters.path: 'C:\dir\x\*y\?'}` + "\ncondition: s", "e2"},
		{"doubled backslashes", `s: {requestParameters.path|startswith: 'C:\\dir\\x'}` + "\ncondition: s", "e2"},
		{"quote", "s: {eventName: \"x' OR '1'='1\"}\ncondition: s", ""},

		{"not of an absent field", "s: {errorCode: x}\ncondition: not s", "e0 e1 e2 e3 e4"},
		{"not of an absent path", "s: {requestParameters.userName: alice}\ncondition: not s", "e0 e1 e3 e4"},
		{"not of and", "s: {eventName: CreateUser}\nf: {userIdentity.type: AssumedRole, readOnly: 'true'}\ncondition: s and not f", "e1 e2 e3"},
		{"double negation", "s: {errorCode: x}\ncondition: not not s", ""},
		{"neq", "s: {userIdentity.type|neq: IAMUser}\ncondition: s", "e1 e2 e3 e4"},
		{"null", "s: {userIdentity.type: null}\ncondition: s", "e1 e2 e3"},
		{"null below JSON null", "s: {requestParameters.a: null}\ncondition: s", "e0 e1 e2 e3 e4"},
		{"null or a value", "s: {userIdentity.type: [null, AssumedRole]}\ncondition: s", "e1 e2 e3 e4"},
		{"not null", "s: {userIdentity.type: null}\ncondition: not s", "e0 e4"},
		{"null object", "s: {responseElements: null}\ncondition: s", "e0 e1 e2 e3 e4"},
		{"empty text", "s: {requestParameters.b: ''}\ncondition: s", "e1"},
		{"exists", "s: {requestParameters.a|exists: true}\ncondition: s", "e1"},
		{"exists in the record", "s: {errorCode|exists: true}\ncondition: s", "e1"},
		{"exists not", "s: {userIdentity|exists: false}\ncondition: s", "e1 e2 e3"},
		{"exists with null", "s: {responseElements|exists: yes}\ncondition: s", "e1"},

		{"array of maps", "s: {requestParameters.items.cidr: 0.0.0.0/0}\ncondition: s", "e3"},
		{"array of texts", "s: {requestParameters.layers|contains: two}\ncondition: s", "e3"},
		{"array exists", "s: {requestParameters.layers|contains: '*'}\ncondition: s", "e3"},
		{"arrays within arrays", "s: {requestParameters.deep.x.y.z: FOUND}\ncondition: s", "e3"},
		{"array at the top", "s: {resources.ARN|endswith: ':b'}\ncondition: s", "e3"},
		{"all over elements", "s: {requestParameters.items.port|all: [22, 443]}\ncondition: s", "e3"},
		{"object as its text", `s: {requestParameters|contains: '"userName":"alice"'}` + "\ncondition: s", "e2"},
		{"policy escaped", `s: {requestParameters|contains: '\"Effect\":\"Allow\"'}` + "\ncondition: s", "e2"},
		{"policy unescaped", `s: {requestParameters|contains: '"Effect":"Allow"'}` + "\ncondition: s", "e2"},
		{"policy as a text", `s: {requestParameters.policyDocument|contains|all: ['"Effect":"Allow"', '"Action":"\*"']}` + "\ncondition: s", "e2"},
		{"array as its text", `s: {requestParameters.items|contains: '"port":22'}` + "\ncondition: s", "e3"},

		{"regular expression has case", "s: {eventName|re: '^delete'}\ncondition: s", ""},
		{"regular expression", "s: {eventName|re: '^Del.*l$'}\ncondition: s", "e0"},
		{"regular expression in any case", "s: {eventName|re|i: '^delete'}\ncondition: s", "e0"},
		{"regular expression: dot stops at lines", "s: {errorMessage|re: 'one.line'}\ncondition: s", ""},
		{"regular expression: s", "s: {errorMessage|re|s: 'one.line'}\ncondition: s", "e4"},
		{"regular expression: no m", "s: {errorMessage|re: 'one$'}\ncondition: s", ""},
		{"regular expression: m", "s: {errorMessage|re|m: 'one$'}\ncondition: s", "e4"},
		{"cidr", "s: {sourceIPAddress|cidr: 198.51.96.0/20}\ncondition: s", "e0"},
		{"cidr list", "s: {sourceIPAddress|cidr: [10.0.0.0/8, 198.51.100.7/32]}\ncondition: s", "e0"},
		{"cidr other", "s: {sourceIPAddress|cidr: 198.51.101.0/24}\ncondition: s", ""},
		{"gt of what is no number", "s: {requestParameters.nan|gt: 6}\ncondition: s", ""},
		{"gte of what is no number", "s: {requestParameters.nan|gte: 6}\ncondition: s", ""},
		{"gt", "s: {requestParameters.n|gt: 6}\ncondition: s", "e2"},
		{"lt of an element", "s: {requestParameters.items.port|lt: 23}\ncondition: s", "e3"},
		{"gte", "s: {requestParameters.big|gte: 12.5}\ncondition: s", "e2"},
		{"lte", "s: {requestParameters.n|lte: 6}\ncondition: s", ""},
		{"fieldref", "s: {requestParameters.userName|fieldref: requestParameters.userName}\ncondition: s", "e2"},
		{"fieldref through arrays", "s: {requestParameters.layers|fieldref: requestParameters.layers}\ncondition: s", "e3"},
		{"fieldref endswith", "s: {userIdentity.arn|fieldref|endswith: userIdentity.userName}\ncondition: s", "e0"},
		{"fieldref contains", "s: {userIdentity.arn|contains|fieldref: userIdentity.type}\ncondition: s", ""},

		{"keyword", "k: [deletetrail]\ncondition: k", "e0"},
		{"keyword in a policy", "k: ['\"Effect\":\"Allow\"']\ncondition: k", "e2"},
		{"keyword of a member", "k: ['\"eventName\":\"DeleteTrail\"']\ncondition: k", "e0"},
		{"any keyword", "k: [nothing, arn:two]\ncondition: k", "e3"},
		{"all keywords", "k:\n  '|all': [arn:one, arn:two]\ncondition: k", "e3"},
		{"keyword by expression", "k:\n  '|re': ['Delete(Trail|Bucket)']\ncondition: k", "e0"},
		{"single keyword", "k: S3 Browser\ncondition: k", "e0"},
		{"keywords and maps", "k:\n  - arn:two\n  - eventName: DeleteTrail\ncondition: k", "e0 e3"},

		{"or and and", "a: {eventName: DeleteTrail}\nb: {userIdentity.type: AssumedRole}\nc: {readOnly: 'true'}\ncondition: a or b and c", "e0 e4"},
		{"parentheses", "a: {eventName: DeleteTrail}\nb: {userIdentity.type: AssumedRole}\nc: {readOnly: 'true'}\ncondition: (a or b) and c", "e4"},
		{"1 of", "sel_a: {eventName: DeleteTrail}\nsel_b: {userIdentity.type: AssumedRole}\nother: {eventName: CreateUser}\ncondition: 1 of sel_*", "e0 e4"},
		{"all of", "sel_a: {eventName: DeleteTrail}\nsel_b: {userIdentity.type: AssumedRole}\ncondition: all of sel*", ""},
		{"any of them", "a: {eventName: DeleteTrail}\n_b: {userIdentity.type: AssumedRole}\ncondition: any of them", "e0"},
		{"2 of", "a: {eventName: CreateUser}\nb: {userIdentity.type: AssumedRole}\nc: {readOnly: 'true'}\ncondition: 2 of them", "e4"},
		{"not 1 of", "s: {eventName: CreateUser}\nfilter_a: {userIdentity.type: AssumedRole}\nfilter_b: {resources.ARN: '*'}\ncondition: s and not 1 of filter_*", "e1 e2"},
		{"wildcard within a name", "ab_1_c: {eventName: DeleteTrail}\nab_2_d: {eventName: CreateUser}\ncondition: 1 of ab*c", "e0"},
		{"several conditions", "a: {eventName: DeleteTrail}\nb: {userIdentity.type: AssumedRole}\ncondition: [a, b]", "e0 e4"},
		{"operators in capitals", "a: {eventName: DeleteTrail}\nb: {userIdentity.type: IAMUser}\ncondition: a AND NOT (NOT b)", "e0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := matches(t, c, detection(tc.detection), nil); got != tc.want {
				t.Errorf("found %q, want %q\n%s", got, tc.want, compileText(detection(tc.detection), nil).Rules[0].Where)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	// "x /c foo bar" encoded, at the three offsets, and in UTF-16.
	c := newCase(t,
		`{"requestParameters":{"userData":"eCAvYyBmb28gYmFy"}}`,
		`{"requestParameters":{"userData":"QUFBZm9vIGJhcg=="}}`,
		`{"requestParameters":{"userData":"QUFBQWZvbyBiYXIh"}}`,
		`{"requestParameters":{"userData":"QUFBQUFmb28gYmFyIQ=="}}`,
		`{"requestParameters":{"userData":"ZgBvAG8A"}}`,
		`{"requestParameters":{"userData":"/v8AZgBvAG8="}}`,
		`{"requestParameters":{"userData":"cmd /c foo –d"}}`,
	)
	for _, tc := range []struct{ name, field, want string }{
		{"base64", "userData|base64: 'x /c foo bar'", "e0"},
		{"base64 has an end", "userData|base64|contains: 'AAAfoo bar'", "e1"},
		{"base64offset", "userData|base64offset|contains: 'foo bar'", "e0 e1 e2 e3"},
		{"wide", "userData|wide|base64: foo", "e4"},
		{"utf16le at an offset", "userData|utf16le|base64offset|contains: oo", "e4"},
		{"utf16be", "userData|utf16be|base64offset|contains: foo", "e5"},
		{"windash", "userData|windash|contains: ' -c '", "e6"},
		{"windash of several", "userData|windash|contains|all: ['-c', '/d']", "e6"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := matches(t, c, detection("s: {requestParameters."+tc.field+"}\ncondition: s"), nil); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	c := newCase(t, `{"sourceIPAddress":"192.0.2.1"}`, `{"sourceIPAddress":"198.51.100.7"}`, `{"sourceIPAddress":"%Home%"}`, `{"sourceIPAddress":"203.0.113.5"}`)
	vars := Vars{"Home": {"192.0.2.*", "198.51.100.7"}, "Net": {"203.0.113.0/24"}, "None": {}}
	for _, tc := range []struct{ name, field, want string }{
		{"values", "sourceIPAddress|expand: '%Home%'", "e0 e1"},
		{"not without the modifier", "sourceIPAddress: '%Home%'", "e2"},
		{"escaped", `sourceIPAddress|expand: '\%Home\%'`, "e2"},
		{"networks", "sourceIPAddress|expand|cidr: '%Net%'", "e3"},
		{"among values", "sourceIPAddress|expand: ['%Home%', '203.0.113.5']", "e0 e1 e3"},
		{"within a text", "sourceIPAddress|contains|expand: '100.%Seven%'", ""},
		{"no values", "sourceIPAddress|expand: '%None%'", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vars["Seven"] = []string{"8", "9"}
			if got := matches(t, c, detection("s: {"+tc.field+"}\ncondition: s"), vars); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}
