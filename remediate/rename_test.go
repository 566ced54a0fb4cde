package remediate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

// TestRenamedUsers shows that a plan calls users by the names they have now, so
// that AWS does not take the intruder's for gone.
func TestRenamedUsers(t *testing.T) {
	created := lineage.Credential{
		ID: "AKIABACKDOOREXAMPLE1", AccessKeyIDs: []string{"AKIABACKDOOREXAMPLE1"}, Kind: lineage.LongTerm, PrincipalARN: "arn:aws:iam::111122223333:user/helper",
		AccountID: account, Parent: ptr(leaked), Via: "iam:CreateAccessKey", IssuedEventID: "event-001",
	}
	p := story{
		credentials: []lineage.Credential{leakedKey(), created},
		principals:  []lineage.Principal{{ARN: "arn:aws:iam::111122223333:user/helper", PrincipalID: "AIDAHELPER", AccountID: account, Kind: "user", How: lineage.Created, EventID: "event-000", Time: start}},
		calls: []call{
			{by: leaked, api: "iam:CreateUser", rq: object{"userName": "helper"}, rs: object{"user": object{"userName": "helper", "userId": "AIDAHELPER", "arn": "arn:aws:iam::111122223333:user/helper"}}},
			{by: leaked, at: time.Minute, api: "iam:CreateAccessKey", rq: object{"userName": "helper"}, rs: object{"accessKey": object{"userName": "helper", "accessKeyId": "AKIABACKDOOREXAMPLE1"}}},
			{by: leaked, at: 2 * time.Minute, api: "iam:UpdateUser", rq: object{"userName": "helper", "newUserName": "middle"}},
			{by: leaked, at: 3 * time.Minute, api: "iam:UpdateUser", rq: object{"userName": "middle", "newUserName": "support"}},
			{by: leaked, at: 4 * time.Minute, api: "iam:UpdateUser", rq: object{"userName": "alice", "newUserName": "mallory"}},
		},
	}.plan(t)
	names := func(phase Phase, call string) []string {
		var out []string
		for _, a := range find(p, phase, call) {
			name, _ := a.Parameters["UserName"].(string)
			out = append(out, name)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, test := range []struct {
		phase Phase
		call  string
		want  []string
	}{
		{Contain, "iam:PutUserPolicy", []string{"mallory", "support"}},
		{Contain, "iam:UpdateAccessKey", []string{"mallory", "support"}},
		{Evict, "iam:DeleteUser", []string{"support"}},
		{Recover, "iam:UpdateUser", []string{"mallory"}},
		{Restore, "iam:DeleteUserPolicy", []string{"alice"}},
		{Restore, "iam:CreateAccessKey", []string{"alice"}},
	} {
		if got := names(test.phase, test.call); !slices.Equal(got, test.want) {
			t.Errorf("%s %s of %v, want %v", test.phase, test.call, got, test.want)
		}
	}
	back := find(p, Recover, "iam:UpdateUser")
	lifts := find(p, Restore, "iam:DeleteUserPolicy")
	if len(back) != 1 || len(lifts) != 2 {
		t.Fatalf("lifts %v, after %v", lifts, back)
	}
	for _, lift := range lifts {
		if !slices.Contains(lift.DependsOn, back[0].ID) {
			t.Errorf("a deny is lifted by the old name and does not wait for %v", back)
		}
	}
	for _, a := range p.Actions {
		if strings.Contains(a.CLI, "helper") || strings.Contains(a.CLI, "middle") {
			t.Errorf("%s: %s", a.ID, a.CLI)
		}
	}
}
