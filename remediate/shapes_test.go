package remediate

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"trailscan/internal/awsapi"
	"trailscan/internal/mototest"
	"trailscan/internal/shapeserver"
)

// shapes is a caller whose requests are checked against the models of the APIs.
func shapes(t *testing.T) (*AWS, *shapeserver.Server) {
	t.Helper()
	mototest.Isolate(t)
	server := shapeserver.Start(t)
	a, err := NewAWS(t.Context(), AWSOptions{Endpoint: server.URL, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return a, server
}

// sample is a value of a shape: every scalar member, and what is required.
func sample(m *awsapi.Model, ref *awsapi.Ref, depth int) any {
	shape := m.Shapes[ref.Shape]
	switch shape.Type {
	case "structure":
		out := map[string]any{}
		for _, n := range slices.Sorted(maps.Keys(shape.Members)) {
			kind := m.Shapes[shape.Members[n].Shape].Type
			required := slices.Contains(shape.Required, n)
			if shape.Union && len(out) == 1 || !required && (depth > 2 || kind == "structure" || kind == "blob") {
				continue
			}
			out[awsapi.Field(n)] = sample(m, shape.Members[n], depth+1)
		}
		return out
	case "list":
		return []any{sample(m, shape.Member, depth+1)}
	case "map":
		return map[string]any{"a": sample(m, shape.Value, depth+1)}
	case "boolean":
		return true
	case "integer", "long", "float", "double":
		return float64(7)
	case "timestamp":
		return "2026-11-24T09:00:00Z"
	case "blob":
		return "YQ=="
	}
	switch {
	case len(shape.Enum) > 0:
		return shape.Enum[0]
	case ref.Shape == "BucketName":
		return "a-bucket"
	}
	return "arn:aws:x:us-east-1:111122223333:thing/a"
}

// madeUp writes into an event what an expression reads, of the type that its
// parameter has.
func madeUp(s *scope, expr string, value any) {
	alt := splitAlternatives(strings.TrimSuffix(expr, "?"))[0]
	m := exprForm.FindStringSubmatch(alt)
	if m == nil || strings.HasPrefix(alt, "'") || m[4] != "" || m[5] != "" {
		return
	}
	if alt == "el" {
		s.el = value
		return
	}
	if m[1] != "" {
		if member, ok := strings.CutPrefix(m[1], "of."); ok {
			value = []any{value.([]any)[0].(map[string]any)[member]}
		}
		switch m[1] {
		case "json", "ours":
			value = map[string]any{"Version": "2012-10-17"}
			if m[1] == "ours" {
				value = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","444455556666"]},"Action":"sts:AssumeRole"}]}`
			}
		case "standard":
			value = []any{"arn:aws:securityhub:us-east-1:111122223333:subscription/pci-dss/v/3.2.1"}
		case "rules":
			value = []any{map[string]any{"SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": map[string]any{"IpProtocol": "tcp", "FromPort": 22.0, "ToPort": 22.0, "CidrIpv4": "192.0.2.0/24"}}}
		case "list":
			if l, ok := value.([]any); ok {
				value = l[0]
			}
		}
		madeUp(s, m[2], value)
		return
	}
	root, path, _ := strings.Cut(alt, ".")
	into := map[string]*any{"rq": &s.event.request, "rs": &s.event.response, "ui": &s.event.identity, "ad": &s.event.additional, "prior": &s.prior}[root]
	if path == "" {
		*into = value
		return
	}
	*into = put(*into, strings.Split(path, "."), value)
}

func put(v any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	name, each := strings.CutSuffix(path[0], "[]")
	if !each {
		m[name] = put(m[name], path[1:], value)
		return m
	}
	if l, ok := value.([]any); ok {
		value = l[0]
	}
	var first any
	if l, ok := m[name].([]any); ok {
		first = l[0]
	}
	m[name] = []any{put(first, path[1:], value)}
	return m
}

// fillIn makes up all that the parameters of a call read.
func fillIn(s *scope, m *awsapi.Model, shape *awsapi.Shape, in args) {
	for k, v := range in {
		_, ref := shape.MemberOf(k)
		if ref == nil {
			continue // the caller says so
		}
		target := m.Shapes[ref.Shape]
		switch v := v.(type) {
		case args:
			fillIn(s, m, target, v)
		case []args:
			for _, e := range v {
				fillIn(s, m, m.Shapes[target.Member.Shape], e)
			}
		case string:
			if v != Item && v != Password {
				madeUp(s, v, sample(m, ref, 0))
			}
		}
	}
}

// TestEveryCallHasItsShape makes each call of the tables from a made-up event,
// and sends it to a server that compares it with the API's model.
func TestEveryCallHasItsShape(t *testing.T) {
	a, server := shapes(t)
	sent := 0
	send := func(from, call string, in args) {
		if call == "" {
			return // for a person
		}
		service, operation := splitCall(call)
		t.Run(from+" "+call, func(t *testing.T) {
			m, err := awsapi.Load(service)
			if err != nil || m.Operations[operation] == nil {
				t.Fatalf("the model is not there: %v", err)
			}
			s := &scope{
				event: &event{id: "e", source: service, region: "us-east-1", accountID: fakeAccount}, plan: map[string]string{"denyName": "deny"},
			}
			in := cloneArgs(in)
			if m.Operations[operation].Input != nil {
				fillIn(s, m, m.Shapes[m.Operations[operation].Input.Shape], in)
			}
			parameters, err := s.resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			item := any("a")
			if call == "s3:DeleteObjects" {
				item = map[string]any{"Key": "a", "VersionId": "b"}
			}
			if call == "route53:ChangeResourceRecordSets" {
				item = map[string]any{"Name": "a.example", "Type": "A"}
			}
			c := live{now: "2026-11-24T09:00:00Z", password: "Made-up-1!", item: item}.call(Call{service, operation, parameters})
			if _, err := a.Call(t.Context(), there, c); err != nil {
				t.Fatalf("%v: %v", c.Parameters, err)
			}
			calls := server.Calls()
			if len(calls) != 1 || calls[0].Service != service || calls[0].Operation != operation {
				t.Fatalf("the server saw %v", calls)
			}
			for k := range c.Parameters {
				if _, there := calls[0].Parameters[k]; !there {
					t.Errorf("%s did not arrive", k)
				}
			}
			sent++
		})
	}
	for _, x := range exposures {
		if x.step != nil {
			send(x.call, x.step.call, x.step.in)
		}
	}
	for _, u := range allUndos() {
		for _, s := range slices.Concat(u.steps, u.blind) {
			send(u.call, s.call, s.in)
			for _, b := range s.back {
				send(u.call, b.call, b.in)
			}
			if s.each != nil {
				send(u.call, s.each.call, s.each.in)
			}
			for _, w := range s.expect {
				send(u.call, w.call, w.in)
			}
		}
	}
	if sent < 500 {
		t.Errorf("only %d calls were sent", sent)
	}
}

// TestReadsOfEffectsHaveTheirShape sends the read that comes before each write.
func TestReadsOfEffectsHaveTheirShape(t *testing.T) {
	a, server := shapes(t)
	for _, name := range slices.Sorted(maps.Keys(effects)) {
		service, operation := splitCall(strings.Fields(name)[0])
		m, err := awsapi.Load(service)
		if err != nil || m.Operations[operation] == nil {
			t.Errorf("%s: the model is not there (%v)", name, err)
			continue
		}
		c := Call{Service: service, Operation: operation, Parameters: map[string]any{}}
		if in := m.Operations[operation].Input; in != nil {
			shape := m.Shapes[in.Shape]
			for n, ref := range shape.Members {
				if m.Shapes[ref.Shape].Type != "structure" && n != "DryRun" {
					c.Parameters[awsapi.Field(n)] = sample(m, ref, 1)
				}
			}
		}
		read := effects[name].reading(c)
		if _, err := a.Call(t.Context(), there, read); err != nil {
			t.Errorf("%s: %v: %v", name, read, err)
		}
		if calls := server.Calls(); len(calls) != 1 || calls[0].Operation != read.Operation {
			t.Errorf("%s: the server saw %v", name, calls)
		}
	}
}

func cloneArgs(in args) args {
	out := args{}
	for k, v := range in {
		switch v := v.(type) {
		case args:
			out[k] = cloneArgs(v)
		case []args:
			list := make([]args, len(v))
			for i, e := range v {
				list[i] = cloneArgs(e)
			}
			out[k] = list
		default:
			out[k] = v
		}
	}
	return out
}
