package reports

import (
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTerminal(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain text stays", "user/ci-deploy ü 漢 🙂", "user/ci-deploy ü 漢 🙂"},
		{"escape sequences", "\x1b[2Jx\x07", `\x1b[2Jx\x07`},
		{"a C1 control", "a\u009b31m", `a\u009b31m`},
		{"line breaks and tabs", "a\r\nb\tc", `a\r\nb\tc`},
		{"right-to-left override", "\u202egnp.exe", `\u202egnp.exe`},
		{"zero width and byte order mark", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"tags", "a\U000e0041", `a\U000e0041`},
		{"invisible letters", "a\u3164b", `a\u3164b`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"bytes that are no text", "a\xffb\x9b", `a\xffb\x9b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Terminal(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCSVCell(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		"a=b":           "a=b",
		"=1+1":          "'=1+1",
		"+1":            "'+1",
		"-1":            "'-1",
		"-":             "-",
		" -":            "' -",
		"@x":            "'@x",
		"\t=1":          "'\t=1",
		"\r=1":          `'\r=1`,
		"  =1":          "'  =1",
		"＝1":            "'＝1",
		"a\x1b[2J\nb":   `a\x1b[2J` + "\nb",
		"aws-cli/2.1.0": "aws-cli/2.1.0",
	} {
		if got := csvCell(in); got != want {
			t.Errorf("csvCell(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"*b* _i_ `c`":         `\*b\* \_i\_ &#96;c&#96;`,
		"[x](http://a)":       `\[x\](http&#58;//a)`,
		"<b>&amp;":            "&lt;b&gt;&amp;amp;",
		"a|b\n# c":            `a&#124;b\\n\# c`,
		"see www.example.com": "see www&#46;example.com",
		`back\slash`:          `back\\slash`,
	} {
		if got := mdText(in); got != want {
			t.Errorf("mdText(%q) is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"":      "",
		"a*b":   "`a*b`",
		"a`b":   "<code>a&#96;b</code>",
		"a|b":   "<code>a&#124;b</code>",
		` a\`:   `<code> a\\</code>`,
		"a\n|b": `<code>a\\n&#124;b</code>`,
	} {
		if got := mdCode(in); got != want {
			t.Errorf("mdCode(%q) is %q, want %q", in, got, want)
		}
	}
}

// No text of a log may act on the place where it is shown.
func FuzzEscapes(f *testing.F) {
	for _, s := range []string{"", "plain", hostileHTML, hostileMarkdown, hostileTerminal, hostileFormula, "\xff\xfe", "'=1", "``|``", "\\|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe := Terminal(s)
		if !utf8.ValidString(safe) || strings.ContainsFunc(safe, deceptive) {
			t.Errorf("Terminal(%q) is %q", s, safe)
		}
		if Terminal(safe) != safe {
			t.Errorf("Terminal changes %q again", safe)
		}

		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write([]string{csvCell(s), "end"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		row, err := csv.NewReader(strings.NewReader(b.String())).Read()
		if err != nil || len(row) != 2 || row[1] != "end" {
			t.Fatalf("the row of %q reads as %q: %v", s, row, err)
		}
		if row[0] != "" && row[0] != "-" && strings.ContainsAny(row[0][:1], "=+-@\t\r\n") {
			t.Errorf("the cell of %q begins a formula: %q", s, row[0])
		}

		for _, md := range []string{mdText(s), strings.TrimSuffix(strings.TrimPrefix(mdCode(s), "<code>"), "</code>")} {
			inSpan := len(md) > 1 && md[0] == '`' && md[len(md)-1] == '`'
			if inSpan {
				md = md[1 : len(md)-1]
			}
			if strings.ContainsAny(md, "`|\n") {
				t.Errorf("Markdown of %q leaves its cell: %q", s, md)
			}
			if !inSpan && strings.ContainsAny(md, "<>") {
				t.Errorf("Markdown of %q has HTML: %q", s, md)
			}
		}

		text, err := marshal(map[string]string{"s": s})
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(string(text), deceptive) {
			t.Errorf("JSON of %q is %q", s, text)
		}
	})
}

// Resources come from JSON that a caller chose.
func FuzzEventResource(f *testing.F) {
	f.Add(`[{"ARN":"arn:aws:s3:::b"}]`, `{"userName":"x"}`)
	f.Add(`{}`, `{"a":{"b":[{"instanceId":"i-1"},{"instanceId":"i-2"}]},"sessionToken":"secret"}`)
	f.Add(`[[[`, `{"userName":`)
	f.Fuzz(func(t *testing.T, resources, parameters string) {
		if n := utf8.RuneCountInString(eventResource(resources, parameters)); n > resourceLength+20 {
			t.Errorf("%d runes", n)
		}
	})
}

func TestEventResource(t *testing.T) {
	for _, test := range []struct{ name, resources, parameters, want string }{
		{"an object before its bucket", `[{"ARN":"arn:aws:s3:::b"},{"ARN":"arn:aws:s3:::b/k"}]`, ``, "arn:aws:s3:::b/k"},
		{"many", `[{"ARN":"arn:aws:x:1"},{"ARN":"arn:aws:x:22"},{"ARN":"arn:aws:x:3"}]`, ``, "arn:aws:x:22 and 2 more"},
		{"parameters in their order", ``, `{"userName":"bob","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "bob, arn:aws:iam::aws:policy/AdministratorAccess"},
		{"nested", ``, `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}`, "i-1, i-2"},
		{"a list of ids", ``, `{"secretIds":["a","b","c","d"]}`, "a, b, c"},
		{"no secrets", ``, `{"userName":"bob","password":"x","clientToken":"y","sessionToken":"z"}`, "bob"},
		{"nothing telling", ``, `{"maxResults":5,"filterSet":{}}`, ""},
		{"broken", `[{`, `{"userName":"bob"`, "bob"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := eventResource(test.resources, test.parameters); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		plural(1, "key"): "1 key", plural(1200, "key"): "1,200 keys", plural(2, "stretch", "stretches"): "2 stretches",
		number(1234567): "1,234,567", number(-1000): "-1,000", number(999): "999",
		size(12): "12 B", size(1_234_567): "1.2 MB",
		span(0): "0 s", span(59e9): "59 s", span(3600e9): "1 h", span(90061e9): "1 d 1 h", span(86400e9 + 60e9): "1 d 1 min",
		some([]string{"a", "b", "c"}, 2): "a, b and 1 more",
		clip("abcdef", 4):                "abc…", clipMiddle("arn:aws:iam::1:user/abcdef", 11): "arn…/abcdef",
		shortARN("arn:aws:iam::111122223333:user/a:b"): "user/a:b", shortARN("root"): "root",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
