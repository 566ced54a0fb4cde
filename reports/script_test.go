package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/remediate"
)

// fakeAWS answers as the account 111122223333 would and writes down what it was
// called with: words ended by NUL, calls by a line of its own.
const fakeAWS = `#!/bin/sh
printf '%s\0' "$@" >>"$RECORD"
printf '\n--\n' >>"$RECORD"
case "$*" in
*get-caller-identity*Account*) echo "${ACCOUNT:-111122223333}" ;;
*get-caller-identity*) echo "${CALLER:-arn:aws:iam::111122223333:user/responder}" ;;
*list-access-keys*text) printf 'AKIAITEMEXAMPLE00001\tAKIAITEMEXAMPLE00002\t--odd\n' ;;
*"${REFUSE:-nothing}"*) echo 'An error occurred (AccessDenied)' >&2; exit 254 ;;
*) echo "${ANSWER:-true}" ;;
esac
`

// ranScript is what a run of a plan's script did.
type ranScript struct {
	calls  [][]string
	output string
	status int
	dir    string
}

// runScript runs a plan's script with the fake aws.
func runScript(t interface {
	Fatal(...any)
	Helper()
}, dir string, p *remediate.Plan, environment []string, args ...string) ranScript {
	t.Helper()
	var b bytes.Buffer
	if err := PlanScript(&b, p, time.UTC); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("aws", fakeAWS, 0o755)
	write("sleep", "#!/bin/sh\n", 0o755)
	write("plan.sh", b.String(), 0o600)
	record := filepath.Join(dir, "record")
	if err := os.RemoveAll(record); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"plan.sh"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + dir + ":" + os.Getenv("PATH"), "RECORD=" + record}, environment...)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err, string(out))
	}
	ran := ranScript{output: string(out), status: cmd.ProcessState.ExitCode(), dir: dir}
	for _, call := range strings.Split(strings.TrimSuffix(string(text), "\x00\n--\n"), "\x00\n--\n") {
		ran.calls = append(ran.calls, strings.Split(call, "\x00"))
	}
	return ran
}

// made are the calls of an operation.
func (r ranScript) made(operation string) [][]string {
	var out [][]string
	for _, c := range r.calls {
		if len(c) > 1 && c[1] == operation {
			out = append(out, c)
		}
	}
	return out
}

// scriptPlan has an action of every kind that a script treats in its own way.
func scriptPlan() *remediate.Plan {
	const account = "111122223333"
	user := map[string]any{"UserName": "alice", "PolicyName": "deny"}
	document := `{"Condition":{"DateLessThan":{"aws:TokenIssueTime":"${now}"}}}`
	read := func(op string, in map[string]any, path string) remediate.Read {
		return remediate.Read{Call: remediate.Call{Service: "iam", Operation: op, Parameters: in}, Path: path}
	}
	return &remediate.Plan{
		Version: 1, Keys: []string{"AKIAIOSFODNN7EXAMPLE"}, AccountIDs: []string{account}, LogThrough: time.Date(2026, 9, 28, 12, 0, 0, 0, time.UTC),
		Digest:  strings.Repeat("ab", 32),
		Lineage: remediate.PlanLineage{ARNs: []string{"arn:aws:iam::111122223333:user/alice"}, PrincipalIDs: []string{"AIDAALICE", "AROADEPLOY:s"}},
		Actions: []remediate.Action{
			{ID: "preserve-read", Phase: remediate.Preserve, Mode: remediate.Review, AccountID: account, Region: "us-east-1", Service: "iam", Operation: "GetCredentialReport", Title: "Keep it"},
			{ID: "contain-deny", Phase: remediate.Contain, Mode: remediate.Auto, AccountID: account, Region: "us-east-1", Service: "iam", Operation: "PutUserPolicy",
				Parameters: map[string]any{"UserName": "alice", "PolicyName": "deny", "PolicyDocument": document}, Title: "Deny everything to alice",
				Expect:    []remediate.Check{{Read: read("GetUser", map[string]any{"UserName": "alice"}, "User.UserId"), Equals: "AIDAALICE"}},
				Verify:    []remediate.Check{{Read: read("GetUserPolicy", user, "PolicyDocument"), Equals: document}},
				Rollback:  []remediate.Call{{Service: "iam", Operation: "DeleteUserPolicy", Parameters: user}},
				Fallbacks: []remediate.Call{{Service: "iam", Operation: "AttachUserPolicy", Parameters: map[string]any{"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}}}},
			{ID: "evict-keys", Phase: remediate.Evict, Mode: remediate.Review, AccountID: account, Region: "us-east-1", Service: "iam", Operation: "DeleteAccessKey",
				Parameters: map[string]any{"UserName": "backdoor", "AccessKeyId": remediate.Item}, Title: "Delete the keys", DependsOn: []string{"contain-deny"},
				ForEach: &remediate.Read{Call: remediate.Call{Service: "iam", Operation: "ListAccessKeys", Parameters: map[string]any{"UserName": "backdoor"}}, Path: "AccessKeyMetadata[].AccessKeyId"}},
			{ID: "evict-user", Phase: remediate.Evict, Mode: remediate.Review, AccountID: account, Region: "us-east-1", Service: "iam", Operation: "DeleteUser",
				Parameters: map[string]any{"UserName": "backdoor"}, Title: "Delete the user", DependsOn: []string{"evict-keys"},
				Verify: []remediate.Check{{Read: read("GetUser", map[string]any{"UserName": "backdoor"}, "User"), Absent: true}}},
			{ID: "recover-password", Phase: remediate.Recover, Mode: remediate.Review, AccountID: account, Region: "us-east-1", Service: "iam", Operation: "UpdateLoginProfile",
				Parameters: map[string]any{"UserName": "alice", "Password": remediate.Password}, Title: "A new password"},
			{ID: "restore-by-hand", Phase: remediate.Restore, Mode: remediate.Manual, AccountID: account, Title: "Talk to\nrm -rf /tmp/x", Reason: "'; touch pwned; '"},
			{ID: "contain-elsewhere", Phase: remediate.Restore, Mode: remediate.Review, AccountID: "444455556666", Region: "us-east-1", Service: "iam", Operation: "DeleteUser",
				Parameters: map[string]any{"UserName": "x"}, Title: "Elsewhere"},
		},
	}
}

func TestScriptRunsWhatIsAutomatic(t *testing.T) {
	ran := runScript(t, t.TempDir(), scriptPlan(), nil)
	if ran.status != 0 {
		t.Errorf("exit status %d:\n%s", ran.status, ran.output)
	}
	put := ran.made("put-user-policy")
	if len(put) != 1 || len(ran.made("delete-access-key")) > 0 || len(ran.made("delete-user")) > 0 || len(ran.made("attach-user-policy")) > 0 {
		t.Fatalf("called %q", ran.calls)
	}
	var document struct {
		Condition struct{ DateLessThan map[string]time.Time }
	}
	if err := json.Unmarshal([]byte(put[0][3]), &document); err != nil || time.Since(document.Condition.DateLessThan["aws:TokenIssueTime"]).Abs() > time.Minute {
		t.Errorf("the time in %q is not now: %v", put[0], err)
	}
	if i := slices.IndexFunc(ran.calls, func(c []string) bool { return c[0] != "sts" }); i < 3 {
		t.Errorf("called %q before the account was known", ran.calls[i])
	}
	for _, want := range []string{"[for review, not run] evict-user", `[by hand] restore-by-hand: Talk to\nrm -rf /tmp/x`, "done, and verified"} {
		if !strings.Contains(ran.output, want) {
			t.Errorf("it does not say %q:\n%s", want, ran.output)
		}
	}
	if again := runScript(t, ran.dir, scriptPlan(), nil); len(again.made("put-user-policy")) > 0 {
		t.Errorf("run again, it called %q", again.calls)
	}
	if _, err := os.Stat(filepath.Join(ran.dir, "pwned")); err == nil {
		t.Error("the text of a manual action was run")
	}
}

func TestScriptRunsWhatIsNamed(t *testing.T) {
	dir := t.TempDir()
	if ran := runScript(t, dir, scriptPlan(), nil, "evict-user"); ran.status != 1 || len(ran.made("delete-user")) > 0 || !strings.Contains(ran.output, "evict-keys is neither done nor named") {
		t.Errorf("exit status %d, called %q:\n%s", ran.status, ran.calls, ran.output)
	}
	ran := runScript(t, dir, scriptPlan(), nil, "contain-deny", "evict-keys", "evict-user", "recover-password", "preserve-read")
	var keys []string
	for _, c := range ran.made("delete-access-key") {
		keys = append(keys, c[3])
	}
	if !slices.Equal(keys, []string{"AKIAITEMEXAMPLE00001", "AKIAITEMEXAMPLE00002"}) || !strings.Contains(ran.output, "an odd name: --odd") {
		t.Errorf("deleted %q:\n%s", keys, ran.output)
	}
	if len(ran.made("delete-user")) > 0 || ran.status != 1 {
		t.Errorf("the user is deleted though a key was left (status %d)", ran.status)
	}
	if c := ran.made("update-login-profile"); len(c) != 1 || len(c[0][3]) < 20 || strings.Count(ran.output, c[0][3]) != 1 {
		t.Errorf("the password in %q:\n%s", c, ran.output)
	}
	if _, err := os.Stat(filepath.Join(dir, "trailscan-"+strings.Repeat("ab", 32)+"-preserve-read.json")); err != nil {
		t.Errorf("the evidence was not kept: %v", err)
	}
}

func TestScriptStops(t *testing.T) {
	for _, test := range []struct {
		name, environment, says string
		status, puts, attaches  int
	}{
		{"another account", "ACCOUNT=999999999999", "No credentials for any account", 1, 0, 0},
		{"a caller of the lineage", "CALLER=arn:aws:iam::111122223333:user/alice", "The intruder holds", 1, 0, 0},
		{"a session of a role of the lineage", "CALLER=AROADEPLOY:other", "The intruder holds", 1, 0, 0},
		{"a call that is refused", "REFUSE=put-user-policy", "FAILED: contain-deny", 1, 1, 0},
		{"drift", "ANSWER=false", "NOT DONE: the account is not as the logs say", 1, 0, 0},
		{"a dry run", "DRY_RUN=1", "would run: aws_111122223333 iam put-user-policy", 0, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			ran := runScript(t, t.TempDir(), scriptPlan(), []string{test.environment})
			if ran.status != test.status || len(ran.made("put-user-policy")) != test.puts || len(ran.made("attach-user-policy")) != test.attaches || !strings.Contains(ran.output, test.says) {
				t.Errorf("exit status %d, called %q:\n%s", ran.status, ran.calls, ran.output)
			}
		})
	}
}

func TestScriptTakesAProfileForEachAccount(t *testing.T) {
	ran := runScript(t, t.TempDir(), scriptPlan(), []string{"PROFILE_111122223333=a b"})
	if c := ran.made("sts"); len(ran.calls) < 4 || len(c) > 0 {
		for _, c := range ran.calls {
			if slices.Contains(c, "put-user-policy") && !slices.Equal(c[:2], []string{"--profile", "a b"}) {
				t.Errorf("called %q", c)
			}
		}
	}
	if !strings.Contains(ran.output, "not of account 444455556666") {
		t.Errorf("nothing about the second account:\n%s", ran.output)
	}
}

// hostilePlan puts a text where the log's texts go.
func hostilePlan(text string) *remediate.Plan {
	p := scriptPlan()
	p.Keys, p.Lineage.ARNs, p.Lineage.PrincipalIDs = []string{text}, []string{"arn:" + text}, []string{text + "!"}
	deadline := p.LogThrough
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Title, a.Reason, a.Risk, a.Deadline = text, text, text, &deadline
	}
	deny := &p.Actions[1]
	deny.Parameters = map[string]any{"UserName": text, "PolicyName": "x" + text, "PolicyDocument": "{}"}
	deny.Expect[0].Parameters, deny.Expect[0].Equals = map[string]any{"UserName": text}, text
	deny.Verify[0].Path, deny.Verify[0].Equals = "a=='"+strings.ReplaceAll(text, "'", `\'`)+"'", text
	p.Actions[5].CLI = text
	p.Actions = append(p.Actions, remediate.Action{ID: text, Phase: remediate.Phase(text), Mode: remediate.Mode(text), AccountID: text, Region: text, Service: text, Operation: text, DependsOn: []string{text}})
	return p
}

// requestOf are the parameters of a call to IAM.
func requestOf(t interface{ Fatal(...any) }, call []string) map[string]any {
	out := map[string]any{}
	for i := 2; i+1 < len(call); i += 2 {
		if call[i] == "--cli-input-json" {
			if err := json.Unmarshal([]byte(call[i+1]), &out); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name := ""
		for _, part := range strings.Split(strings.TrimPrefix(call[i], "--"), "-") {
			name += strings.ToUpper(part[:1]) + part[1:]
		}
		out[name] = call[i+1]
	}
	return out
}

// runHostile runs the script of a hostile plan and compares what reaches aws.
func runHostile(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
	Helper()
}, dir, text string) {
	t.Helper()
	p := hostilePlan(text)
	ran := runScript(t, dir, p, nil)
	put := ran.made("put-user-policy")
	if len(put) != 1 {
		t.Fatalf("with %q it called %q:\n%s", text, ran.calls, ran.output)
	}
	want, err := json.Marshal(p.Actions[1].Parameters)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(requestOf(t, put[0]))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%q reached aws as %s, want %s", text, got, want)
	}
	if len(ran.calls) != 7 { // four of sts, a check, the call, a check
		t.Fatalf("with %q it called %q", text, ran.calls)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "pwned*")); len(files) > 0 {
		t.Fatalf("%q ran a command", text)
	}
	for _, r := range ran.output {
		if deceptive(r) && r != '\n' && r != '\t' {
			t.Fatalf("with %q the script prints %U", text, r)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "trailscan-"+p.Digest+".done")); err != nil {
		t.Fatal(err)
	}
}

var hostileShell = []string{
	"$(touch pwned)", "`touch pwned`", "'; touch pwned; '", "\"; touch pwned; \"", "a\ntouch pwned\n", "\n# x\ntouch pwned", "a\r\ntouch pwned", "\\'; touch pwned #",
	"ITEMS\ntouch pwned", "EOF\ntouch pwned\n", "*", "~", "${IFS}", "!!", "a\\", "\\", "'", "''", "--cli-input-json", "-", "file:///etc/passwd", "\u202e\u2028touch pwned", "\x1b[2J",
	"x;touch pwned", "x|touch pwned", "x&touch pwned", ") touch pwned ;; *", "}\ntouch pwned\n{", "%s%n", "[a]", "é", hostileHTML, hostileMarkdown, hostileTerminal, hostileFormula,
}

func TestScriptIsSafeAgainstNames(t *testing.T) {
	dir := t.TempDir()
	for _, text := range hostileShell {
		runHostile(t, dir, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		runHostile(t, dir, rapid.StringMatching(`['"$()\\`+"`"+`\n#;| -~]{1,12}`).Draw(t, "name"))
	})
}

// TestScriptParses has shells and shellcheck read the script.
func TestScriptParses(t *testing.T) {
	inc, _ := hostileIncident()
	for name, p := range map[string]*remediate.Plan{"all kinds": scriptPlan(), "hostile": hostilePlan("'\n$(x)\"`"), "empty": {}, "an incident": inc.Plan} {
		var b bytes.Buffer
		if err := PlanScript(&b, p, time.UTC); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "plan.sh")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, check := range [][]string{{"sh", "-n"}, {"bash", "-n"}, {"dash", "-n"}, {"shellcheck", "-s", "sh"}} {
			tool, err := exec.LookPath(check[0])
			if err != nil {
				t.Logf("%s is not here", check[0])
				continue
			}
			if out, err := exec.Command(tool, append(check[1:], path)...).CombinedOutput(); err != nil {
				t.Errorf("%s, %s: %v\n%s", name, check, err, out)
			}
		}
	}
}

// FuzzScript looks for text that gets out of its quotes, in the script's own
// terms: outside of single quotes nothing of it may stand.
func FuzzScript(f *testing.F) {
	for _, text := range hostileShell {
		f.Add(text)
	}
	var plain bytes.Buffer
	if err := PlanScript(&plain, hostilePlan("x"), time.UTC); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b bytes.Buffer
		if err := PlanScript(&b, hostilePlan(text+"x "), time.UTC); err != nil { // a space, so that all is quoted
			t.Fatal(err)
		}
		var spaced bytes.Buffer
		if err := PlanScript(&spaced, hostilePlan("x "), time.UTC); err != nil {
			t.Fatal(err)
		}
		if got, want := unquoted(t, b.String()), unquoted(t, spaced.String()); got != want {
			t.Fatalf("%q stands outside of quotes:\n%s", text, got)
		}
	})
}

// unquoted is a script without what stands in single quotes. The arguments of
// the call itself may be spelled in two ways.
func unquoted(t *testing.T, script string) string {
	_, body, _ := strings.Cut(script, "\nplan=")
	var b strings.Builder
	for body != "" {
		before, rest, found := strings.Cut(body, "'")
		b.WriteString(strings.ReplaceAll(before, `\`, ""))
		if !found {
			break
		}
		if strings.HasSuffix(before, `\`) { // \' between quoted parts
			body = rest
			continue
		}
		_, after, closed := strings.Cut(rest, "'")
		if !closed {
			t.Fatal("a quote is left open")
		}
		body = after
	}
	out := b.String()
	for _, flag := range []string{"--user-name", "--policy-name", "--policy-document", "--cli-input-json", "{}"} {
		out = strings.ReplaceAll(out, " "+flag, "")
	}
	return strings.Join(strings.Fields(out), " ")
}
