package remediate

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSame(t *testing.T) {
	since := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	at := func(t string) string { return strings.ReplaceAll(denyOlder, Now, t) }
	for name, c := range map[string]struct {
		got, want any
		same      bool
	}{
		"text":                       {"Inactive", "Inactive", true},
		"other text":                 {"Active", "Inactive", false},
		"number":                     {int32(3600), 3600.0, true},
		"bool":                       {true, true, true},
		"bool as text":               {"true", true, false},
		"nothing":                    {nil, "x", false},
		"encoded":                    {url.PathEscape(denyAll), denyAll, true},
		"encoded with plus as space": {strings.ReplaceAll(url.QueryEscape(denyAll), "+", "%20"), denyAll, true},
		"a plus stays a plus":        {url.PathEscape(`{"a":"b+c"}`), `{"a":"b c"}`, false},
		"object for text":            {denyAll, map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Sid": "TrailscanContain", "Effect": "Deny", "Action": "*", "Resource": "*"}}}, true},
		"more in it":                 {`{"Version":"2012-10-17","Id":"x","Statement":[]}`, `{"Version":"2012-10-17","Statement":[]}`, false},
		"later":                      {at("2026-11-24T08:00:01Z"), denyOlder, true},
		"at once":                    {at("2026-11-24T08:00:00Z"), denyOlder, true},
		"with fraction":              {at("2026-11-24T08:00:00.5Z"), denyOlder, true},
		"earlier":                    {at("2026-11-24T07:59:59Z"), denyOlder, false},
		"no time":                    {at("never"), denyOlder, false},
		"other document, later":      {strings.ReplaceAll(at("2026-11-24T09:00:00Z"), "Deny", "Allow"), denyOlder, false},
		"broken":                     {"{", denyOlder, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := same(c.got, c.want, since); got != c.same {
				t.Errorf("same is %v", got)
			}
		})
	}
}

func TestFill(t *testing.T) {
	in := map[string]any{"a": "x" + Item, "b": []any{Item, Now}, "c": map[string]any{"d": Password}, "e": 1.0}
	got := live{now: "T", item: 5.0}.fillMap(in)
	if text, err := compactJSON(got); err != nil || text != `{"a":"x5","b":[5,"T"],"c":{"d":"${password}"},"e":1}` {
		t.Errorf("%s, %v", text, err)
	}
	if in["a"] != "x"+Item {
		t.Error("the plan was changed")
	}
}

func TestPassword(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		p, err := makePassword()
		if err != nil {
			t.Fatal(err)
		}
		for _, class := range passwordClasses {
			if len(p) != passwordLength || seen[p] || !strings.ContainsAny(p, class) {
				t.Fatalf("password %q", p)
			}
		}
		seen[p] = true
	}
}

func TestRedact(t *testing.T) {
	clean, secrets := redact(map[string]any{
		"AccessKey": map[string]any{"AccessKeyId": "AKIAONE", "SecretAccessKey": "s1"},
		"List":      []any{map[string]any{"SessionToken": "s2"}}, "Password": Password, "PasswordLastUsed": "2026-01-01T00:00:00Z", "IsTruncated": false,
	})
	text, err := compactJSON(clean)
	if want := `{"AccessKey":{"AccessKeyId":"AKIAONE","SecretAccessKey":"(not stored)"},"IsTruncated":false,"List":[{"SessionToken":"(not stored)"}],"Password":"${password}","PasswordLastUsed":"2026-01-01T00:00:00Z"}`; err != nil || text != want {
		t.Errorf("%s, %v", text, err)
	}
	if len(secrets) != 2 || secrets["SecretAccessKey"] != "s1" || secrets["SessionToken"] != "s2" {
		t.Errorf("secrets %v", secrets)
	}
}

// FuzzSearch: a path comes from a file; none may bring the program down.
func FuzzSearch(f *testing.F) {
	for _, p := range []string{"", "a.b", "AccessKeyMetadata[?AccessKeyId==`\"x\"`].Status | [0]", "a[::0]", "*.[@]", "sort_by(a, &b)", "`", "a[-9:9:-1]", "@()"} {
		f.Add(p)
	}
	answer := map[string]any{"a": []any{map[string]any{"b": 1.0}, "x", nil}, "AccessKeyMetadata": []any{map[string]any{"AccessKeyId": "x", "Status": "Active"}}}
	f.Fuzz(func(t *testing.T, path string) {
		if v, err := search(path, answer); err != nil && v != nil {
			t.Errorf("%v and %v", v, err)
		}
	})
}

// FuzzJournal: a journal may be cut anywhere or edited.
func FuzzJournal(f *testing.F) {
	f.Add(`{"event":"before","seq":1,"rollback":[]}` + "\n" + `{"event":"after","seq":2,"of":1}` + "\n")
	f.Add(`{"event":"before","seq":1,"rollback":null}` + "\n" + `{"event":"rollback_after","of":1`)
	f.Add("{}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := ReadJournal(strings.NewReader(text)); err != nil && !strings.Contains(err.Error(), "line") {
			t.Error(err)
		}
	})
}

// AWS writes an account's root where a policy names its number.
func TestAccountsAreTheirRoots(t *testing.T) {
	want := `{"Statement":[{"Principal":{"AWS":"444455556666"}}]}`
	for got, alike := range map[string]bool{
		`{"Statement":[{"Principal":{"AWS":"arn:aws:iam::444455556666:root"}}]}`:   true,
		`{"Statement":[{"Principal":{"AWS":["arn:aws:iam::444455556666:root"]}}]}`: true,
		`{"Statement":[{"Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}`:   false,
		`{"Statement":[{"Principal":{"AWS":"arn:aws:iam::444455556666:user/a"}}]}`: false,
	} {
		if same(got, want, time.Time{}) != alike {
			t.Errorf("%s: the same is %v", got, !alike)
		}
	}
}
