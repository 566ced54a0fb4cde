package lineage

import (
	"testing"
	"time"
)

func TestNetwork(t *testing.T) {
	for source, want := range map[string]string{
		"192.0.2.77":                   "192.0.2.0/24",
		"2001:db8:64:0:1::1f":          "2001:db8:64::/64",
		"::ffff:192.0.2.77":            "192.0.2.0/24",
		"fe80::1%eth0":                 "fe80::/64",
		"08.1.250.216":                 "8.1.250.0/24",
		"225.01.00.16":                 "225.1.0.0/24",
		"0.0.0.0":                      "0.0.0.0/24",
		"1.2.3.300":                    "",
		"cloudformation.amazonaws.com": "",
		"AWS Internal":                 "",
		"":                             "",
	} {
		if got := network(source); got != want {
			t.Errorf("network(%q) is %q, want %q", source, got, want)
		}
	}
}

func TestFamily(t *testing.T) {
	for _, tc := range []struct{ agent, want string }{
		{cli, "aws-cli macos"},
		{"aws-cli/2.31.0 md/awscrt#0.27 ua/2.1 os/macos#25.0 md/command#ec2.run-instances", "aws-cli macos"},
		{kali, "aws-cli linux kali"},
		{"aws-cli/2.17.18 md/awscrt#0.20.11 ua/2.0 os/linux#6.8.11-amd64 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/installer#source md/distrib#kali.2024 md/prompt#off md/command#sts.get-caller-identity", "aws-cli linux kali"},
		{"[aws-cli/2.15.30 Python/3.11.8 Darwin/23.4.0 exe/x86_64 prompt/off command/s3.cp]", "aws-cli macos"},
		{"Boto3/1.34.46 md/Botocore#1.34.46 ua/2.0 os/linux#6.6.9-amd64 md/arch#x86_64 lang/python#3.11.8", "boto3 linux"},
		{"Boto3/1.38.11 md/Botocore#1.38.11 ua/2.1 os/linux#5.10.236 exec-env/AWS_Lambda_python3.13 Botocore/1.38.11", "boto3 linux AWS_Lambda"},
		{"aws-cli/2.9 Python/3.9 Linux/4.14 exec-env/CloudShell exe/x86_64.amzn.2 prompt/off", "aws-cli linux amzn CloudShell"},
		{"aws-sdk-go/1.44.0 (go1.19; linux; amd64)", "aws-sdk-go linux"},
		{"APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) terraform-provider-aws/5.1 aws-sdk-go/1.44 (go1.20; darwin; arm64)", "terraform macos"},
		{browser, "firefox windows"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0", "edge macos"},
		{"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36", "chrome android"},
		{"python-requests/2.31.0", "python-requests"},
		{"S3 Browser/11.6.7 (https://s3browser.com)", "s3 browser"},
		{"console.amazonaws.com", "console.amazonaws.com"},
		{"", "no user agent"},
	} {
		if got := family(tc.agent); got != tc.want {
			t.Errorf("family(%q) is %q, want %q", tc.agent, got, tc.want)
		}
	}
}

func TestCompromisedSince(t *testing.T) {
	many := func(n int, e event) []event {
		var all []event
		for range n {
			all = append(all, e)
		}
		return all
	}
	for _, tc := range []struct {
		name   string
		events []event
		want   string
		why    string
	}{
		{"network and agent unseen", usual(), "2d 12:00:00", "inferred: first use from a network (198.51.100.0/24) and an agent (aws-cli linux kali) that are both unseen in its earlier history, which begins 2026-09-01T09:00:00Z"},
		{"a new agent at home and a known one away before", []event{{at: "0d 09:00:00"}, {at: "1d 10:00:00", ua: browser}, {at: "1d 11:00:00", from: "203.0.113.8"},
			{at: "2d 12:00:00", from: away, ua: kali}}, "2d 12:00:00", "both unseen"},
		{"a newer version of a known agent is known", []event{{at: "0d 09:00:00"}, {at: "1d 11:00:00", from: "203.0.113.8", ua: "aws-cli/2.99.1 md/awscrt#0.30 ua/2.1 os/macos#26.0"},
			{at: "2d 12:00:00", from: away, ua: kali}}, "2d 12:00:00", "both unseen"},
		{"services are no networks", []event{{at: "0d 09:00:00"}, {at: "1d 11:00:00", from: "cloudformation.amazonaws.com", ua: "cloudformation.amazonaws.com", by: "cloudformation.amazonaws.com"},
			{at: "1d 12:00:00", from: "AWS Internal", ua: "AWS Internal"}, {at: "1d 13:00:00", from: "10.1.1.1", ua: "x", by: "s3.amazonaws.com"},
			{at: "2d 12:00:00", from: away, ua: kali}}, "2d 12:00:00", "both unseen"},
		{"no history", []event{{at: "2d 12:00:00", from: away, ua: kali}, {at: "2d 13:00:00"}}, "2d 12:00:00", "no earlier history"},
		{"a short but busy history", append(many(20, event{at: "2d 08:00:00"}), event{at: "2d 12:00:00", from: away, ua: kali}), "2d 12:00:00", "both unseen"},
		{"a short history of few events", append(many(19, event{at: "2d 08:00:00"}), event{at: "2d 12:00:00", from: away, ua: kali}), "2d 08:00:00", "no earlier history"},
		{"an intruder without a history who changes address and tool", append(many(40, event{at: "2d 11:00:00"}), event{at: "2d 13:00:00", from: away, ua: kali}), "2d 11:00:00", "no earlier history"},
		{"only the network is new", []event{{at: "0d 09:00:00"}, {at: "2d 12:00:00", from: away}}, "2d 12:00:00", "first use from a network (198.51.100.0/24), unseen in its earlier history"},
		{"only the address and the agent are new", []event{{at: "0d 09:00:00"}, {at: "1d 12:00:00", from: "192.0.2.77"}, {at: "2d 12:00:00", from: "192.0.2.99", ua: kali}}, "2d 12:00:00",
			"first use from an address (192.0.2.99) and an agent (aws-cli linux kali) in a known network"},
		{"nothing is new", []event{{at: "0d 09:00:00"}, {at: "2d 12:00:00"}}, "0d 09:00:00", "name the time with --compromised-since"},
		{"never used", []event{{at: "2d 12:00:00", call: "iam:CreateAccessKey", key: "AKIAADMIN", user: "admin", issues: leaked}}, "2d 12:00:00", "never used"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, tc.events...)
			l, err := Trace(t.Context(), c, []string{leaked}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !l.CompromisedSince.Equal(*clock(tc.want)) || !contains(l.CompromisedSinceWhy, tc.why) {
				t.Errorf("got %s %q, want %s …%s…", l.CompromisedSince.Format(time.RFC3339), l.CompromisedSinceWhy, clock(tc.want).Format(time.RFC3339), tc.why)
			}
		})
	}
}

// FuzzText feeds the parsers of text from logs: none may panic.
func FuzzText(f *testing.F) {
	for _, seed := range []string{cli, kali, browser, home, "2001:db8::1", "arn:aws:iam::111122223333:role/path/Deploy", "arn:aws:sts::111122223333:assumed-role/R/s",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]}}]}`, `%7B%22Statement%22%3A%5B%5D%7D`,
		`{"Statement":{"Effect":"Deny","Action":["*"],"Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-23T09:00:00Z"}}}}`,
		`{"instancesSet":{"items":[{"instanceId":"i-0aaaaaaaaaaaaaaaa"}]}}`, `{"a":{"b":1}}`, "null", "[", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		network(text)
		if family(text) == "" && text != "" {
			t.Errorf("%q has no family", text)
		}
		parseARN(text)
		parseTrust(text)
		for _, d := range denialsIn(text) {
			d.binds(&Credential{PrincipalID: text})
		}
		member(text, "a", "b")
		for _, known := range [...]string{"ec2:RunInstances", "ecs:RunTask", "ssm:SendCommand", "iot:CreateTopicRule"} {
			computeCalls[known][0].read(&call{request: text, response: text})
		}
		resourceName(text)
		versionOf(text)
	})
}

// Of a principal with many sessions, one that began from a new network with the
// owner's browser and went on in CloudShell was the intruder's from its begin.
func TestMisuseOfARoleFromASessionsBegin(t *testing.T) {
	const role = "arn:aws:iam::" + account + ":role/Ops"
	shell := "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exec-env/CloudShell exe/x86_64.amzn.2023"
	var events []event
	for _, day := range []string{"0d", "1d", "2d"} {
		events = append(events, event{at: day + " 08:01:00", key: "ASIA" + day, role: "Ops:ann", created: day + " 08:00:00", from: home, ua: browser, console: true})
	}
	events = append(events,
		event{at: "2d 12:01:00", key: "ASIAEVIL", role: "Ops:ann", created: "2d 12:00:00", from: away, ua: browser, console: true},
		event{at: "2d 12:30:00", key: "ASIASHELL", role: "Ops:ann", created: "2d 12:00:00", from: "203.0.113.5", ua: shell, console: true})
	for _, tc := range []struct{ trusted, want string }{{"", "2d 12:01:00"}, {away + "/32", "2d 12:30:00"}} {
		c := newCase(t)
		write(t, c, events...)
		o := Options{}
		if tc.trusted != "" {
			o.Trusted = prefixes(t, tc.trusted)
		}
		l, err := Trace(t.Context(), c, []string{role}, o)
		if err != nil {
			t.Fatal(err)
		}
		if !l.CompromisedSince.Equal(*clock(tc.want)) {
			t.Errorf("trusted %q: since %s (%s), want %s", tc.trusted, l.CompromisedSince, l.CompromisedSinceWhy, tc.want)
		}
	}
}
