package remediate

import (
	"reflect"
	"testing"
)

func TestEval(t *testing.T) {
	e := &event{
		accountID: account, region: "eu-west-1",
		request:  parseJSON(`{"userName":"a","arn":"arn:aws:iam::111122223333:role/path/r","RegionName":"x","set":{"items":[{"id":"1"},{"id":"2"}]},"one":{"id":"3"},"perms":{"items":[{"ipProtocol":"tcp","groups":{},"ipRanges":{"items":[{"cidrIp":"192.0.2.0/24"}]}}]},"flag":false,"evil":"${item}"}`),
		response: parseJSON(`{"user":{"userName":"b"}}`),
	}
	s := &scope{event: e, plan: map[string]string{"denyName": "n"}, prior: "before"}
	for expr, want := range map[string]any{
		"rq.userName":                  "a",
		"rs.user.userName":             "b",
		"rq.nothing":                   nil,
		"rq.nothing|rs.user.userName":  "b",
		"rq.set.items[].id":            []any{"1", "2"},
		"rq.one[].id":                  []any{"3"},
		"rq.regionName":                "x",
		"rq.flag":                      false,
		"name(rq.arn)":                 "r",
		"list(rq.nothing|rq.userName)": []any{"a"},
		"json(rq.one)":                 `{"id":"3"}`,
		"sdk(rq.perms)":                []any{map[string]any{"IpProtocol": "tcp", "IpRanges": []any{map[string]any{"CidrIp": "192.0.2.0/24"}}}},
		"'word'":                       "word",
		"prior":                        "before",
		"plan.denyName":                "n",
		"ev.account":                   account,
		"ev.region":                    "eu-west-1",
	} {
		got, err := s.eval(expr)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v (%v), want %#v", expr, got, err, want)
		}
	}
	for _, bad := range []string{"rq.evil", "nonsense", "rq.", "drop(rq.userName)"} {
		if v, err := s.eval(bad); err == nil {
			t.Errorf("%s is %v, want an error", bad, v)
		}
	}
	s.gone = map[string]bool{"1": true}
	if got, err := s.eval("rq.set.items[].id"); err != nil || !reflect.DeepEqual(got, []any{"2"}) {
		t.Errorf("without what is gone: %v %v", got, err)
	}
}

func TestParseTime(t *testing.T) {
	for _, v := range []any{"Nov 2, 2026, 9:00:00 AM", "Nov 2, 2026 9:00:00 AM", "Nov 2, 2026, 9:00:00\u202fAM", "2026-11-02T09:00:00Z", float64(start.Unix()), float64(start.UnixMilli())} {
		if got, ok := parseTime(v); !ok || !got.Equal(start) {
			t.Errorf("%v is %v", v, got)
		}
	}
	for _, v := range []any{"soon", nil, true, float64(-1), 1e20} {
		if got, ok := parseTime(v); ok {
			t.Errorf("%v is %v", v, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"userName":"a","tags":[{"key":"k"}]}`, `{"user":{"arn":"arn:aws:iam::1:user/a"}}`)
	f.Add(`{"bucketPolicy":{"Statement":[]},"policyDocument":"{\"Statement\":{\"Principal\":\"*\"}}"}`, `null`)
	f.Add(`[[]]`, `{"instancesSet":{"items":{}}}`)
	f.Fuzz(func(t *testing.T, request, response string) {
		e := &event{accountID: account, request: parseJSON(request), response: parseJSON(response)}
		for _, u := range allUndos() {
			s := &scope{event: e, plan: map[string]string{}, prior: "x"}
			for _, st := range u.steps {
				a := &Action{}
				if st.each != nil {
					a.ForEach = &Read{}
				}
				var err error
				// eval refuses what would be substituted, whatever the log says.
				if a.Parameters, err = s.resolve(st.in); err == nil && !substitutesOnlyOurs(a) {
					t.Errorf("%s: substitution in %v", u.call, a.Parameters)
				}
				s.text(st.title)
			}
			s.text(u.todo)
		}
	})
}

// EC2 records a list that the caller did not give as {}: that is no value.
func TestSDKOfAnEmptyObject(t *testing.T) {
	s := &scope{event: &event{request: map[string]any{"ipPermissions": map[string]any{}}}}
	if v, err := s.eval("sdk(rq.ipPermissions)"); err != nil || v != nil {
		t.Errorf("it is %v, %v", v, err)
	}
}
