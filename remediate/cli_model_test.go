package remediate

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cliLine is what testdata/cli_check.py takes.
type cliLine struct {
	Argv    []string       `json:"argv"`
	Want    map[string]any `json:"want"`
	Members any            `json:"members,omitempty"`
	Path    string         `json:"path,omitempty"`
	From    string         `json:"from"`
}

// holdAgainstCLI has the AWS CLI say what is wrong with command lines.
func holdAgainstCLI(t *testing.T, lines []cliLine) string {
	t.Helper()
	if exec.Command("python3", "-c", "import awscli.clidriver").Run() != nil {
		t.Skip("the AWS CLI is not installed: pip install awscli")
	}
	var in bytes.Buffer
	e := json.NewEncoder(&in)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	check := exec.Command("python3", filepath.Join("testdata", "cli_check.py"))
	check.Stdin = &in
	check.Env = append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_DEFAULT_REGION=us-east-1")
	var stderr bytes.Buffer
	check.Stderr = &stderr
	out, err := check.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if len(out) > 0 {
		return string(out) + stderr.String()
	}
	return ""
}

// anItem is long enough for every name of AWS's models.
const anItem = "arn:aws:iam::111122223333:policy/item"

// argvOf lets a shell take a command line apart.
func argvOf(t *testing.T, line string) []string {
	t.Helper()
	script := `aws() { printf '%s\0' "$@"; }; ` + strings.ReplaceAll(line, `"$(date -u +%Y-%m-%dT%H:%M:%SZ)"`, ShellQuote(Now))
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{"item=" + anItem, "NEW_PASSWORD=" + Password, "PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// planLines are the calls of a plan: of actions, ways back and checks.
func planLines(t *testing.T, p *Plan) []cliLine {
	var lines []cliLine
	call := func(from string, c Call, region string) {
		want := live{item: anItem}.fillMap(c.Parameters)
		lines = append(lines, cliLine{Argv: argvOf(t, c.CLI(region)), Want: want, From: from})
	}
	read := func(from string, r Read, region string) {
		call(from, r.Call, region)
		names := namesOf(r.Service)
		lines = append(lines, cliLine{Argv: []string{names.command, cliName(r.Operation)}, Members: map[string]any{}, Path: names.path(r.Operation, r.Path), From: from})
	}
	for _, a := range p.Actions {
		if a.Service == "" || a.Operation == "" {
			continue
		}
		call(a.ID, Call{a.Service, a.Operation, a.Parameters}, a.Region)
		for _, c := range slices.Concat(a.Rollback, a.Fallbacks) {
			call(a.ID, c, a.Region)
		}
		for _, c := range slices.Concat(a.Expect, a.Verify) {
			read(a.ID, c.Read, a.Region)
		}
		if a.ForEach != nil {
			read(a.ID, *a.ForEach, a.Region)
		}
	}
	return lines
}

// TestCommandsAreTheCLIs holds the calls of a plan against the AWS CLI.
func TestCommandsAreTheCLIs(t *testing.T) {
	if wrong := holdAgainstCLI(t, planLines(t, smallIncident().plan(t))); wrong != "" {
		t.Error(wrong)
	}
}

// TestCallsOfTheTablesAreTheCLIs asks the CLI's models for every call that the
// tables can write, its members and the paths over its answers.
func TestCallsOfTheTablesAreTheCLIs(t *testing.T) {
	var lines []cliLine
	add := func(from, call string, in args, path string) {
		service, op := splitCall(call)
		names := namesOf(service)
		lines = append(lines, cliLine{Argv: []string{names.command, cliName(op)}, Members: names.parameters(op, shapeOf(in)),
			Path: names.path(op, placeholder.ReplaceAllString(path, "`x`")), From: from})
	}
	for _, u := range allUndos() {
		for _, s := range slices.Concat(u.steps, u.blind) {
			if s.call == "" || s.call == "emr:TerminateJobFlows" { // terminate-clusters has no model
				continue
			}
			add(u.call, s.call, s.in, "")
			for _, b := range s.back {
				add(u.call, b.call, b.in, "")
			}
			if s.each != nil {
				add(u.call, s.each.call, s.each.in, s.each.path)
			}
			for _, w := range s.expect {
				add(u.call, w.call, w.in, w.path)
			}
			service, operation := splitCall(s.call)
			for _, c := range verifyOf(service, operation, maps.Clone(shapeOf(s.in).(map[string]any))) {
				add(u.call, c.Service+":"+c.Operation, nil, c.Path)
			}
		}
	}
	if wrong := holdAgainstCLI(t, lines); wrong != "" {
		t.Error(wrong)
	}
}

// shapeOf are the names in the parameters of a step.
func shapeOf(v any) any {
	switch v := v.(type) {
	case args:
		out := map[string]any{}
		for k, e := range v {
			out[k] = shapeOf(e)
		}
		return out
	case []args:
		var out []any
		for _, e := range v {
			out = append(out, shapeOf(e))
		}
		return out
	case nil:
		return map[string]any{}
	}
	return v
}

// TestHostileArgumentsReachTheCLI sends what an intruder may call things.
func TestHostileArgumentsReachTheCLI(t *testing.T) {
	var p Plan
	for i, name := range []string{"$(touch x)", "`id`", "a'b\"c", "a\nb", "-x", "--debug", "file:///etc/passwd", "\u202eb", "\U0001F600", `a\nb`, "${HOME}", "[1]", "{\"a\":1}", "a b", "*", "~"} {
		for j, a := range []Action{
			{ID: name, Service: "iam", Operation: "PutUserPolicy", Region: "us-east-1", Parameters: map[string]any{"UserName": name, "PolicyName": name, "PolicyDocument": denyOlder}},
			{ID: name, Service: "ec2", Operation: "StopInstances", Region: "eu-west-1", Parameters: map[string]any{"InstanceIds": []any{name, "i-1"}, "Force": false}},
			{ID: name, Service: "ec2", Operation: "RevokeSecurityGroupIngress", Region: "eu-west-1", Parameters: map[string]any{"GroupId": "sg-1", "IpPermissions": []any{map[string]any{
				"FromPort": 22, "ToPort": 22, "IpProtocol": "tcp", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0", "Description": name}}}}}},
			{ID: name, Service: "ecs", Operation: "TagResource", Region: "eu-west-1", Parameters: map[string]any{"ResourceArn": "arn:aws:ecs:x", "Tags": []any{map[string]any{"Key": name, "Value": "v"}}}},
			{ID: name, Service: "lambda", Operation: "TagResource", Region: "eu-west-1", Parameters: map[string]any{"Resource": "x", "Tags": map[string]any{"Key" + name: name}}},
			{ID: name, Service: "eks", Operation: "TagResource", Region: "eu-west-1", Parameters: map[string]any{"ResourceArn": "x", "Tags": map[string]any{"Key" + name: name}}},
			{ID: name, Service: "configservice", Operation: "PutConfigurationRecorder", Region: "eu-west-1", Parameters: map[string]any{
				"ConfigurationRecorder": map[string]any{"Name": name, "RoleARN": "r", "RecordingGroup": map[string]any{"AllSupported": true}}}},
			{ID: name, Service: "iam", Operation: "CreateLoginProfile", Region: "us-east-1", Parameters: map[string]any{"UserName": name, "Password": Password, "PasswordResetRequired": true}},
			{ID: name, Service: "s3", Operation: "PutPublicAccessBlock", Region: "us-east-1", Parameters: map[string]any{"Bucket": name,
				"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": false}}},
			{ID: name, Service: "ec2", Operation: "ModifyInstanceAttribute", Region: "us-east-1", Parameters: map[string]any{"InstanceId": "i-1", "DisableApiTermination": map[string]any{"Value": false}}},
			{ID: name, Service: "eks", Operation: "UpdateClusterVersion", Region: "us-east-1", Parameters: map[string]any{"Name": name, "Version": "1.30"}},
		} {
			if (i+j)%4 == 0 || j == 0 { // enough of each pair
				p.Actions = append(p.Actions, a)
			}
		}
	}
	if wrong := holdAgainstCLI(t, planLines(t, &p)); wrong != "" {
		t.Error(wrong)
	}
}
