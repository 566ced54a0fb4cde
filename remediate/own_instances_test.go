package remediate

import "testing"

// TestOwnInstancesStayStopped does not start again what the intruder launched and
// stopped itself, and does start what it stopped of the owner's.
func TestOwnInstancesStayStopped(t *testing.T) {
	set := func(id string) object {
		return object{"instancesSet": object{"items": []any{object{"instanceId": id}}}}
	}
	p := story{calls: []call{
		{by: leaked, at: 1, api: "ec2:RunInstances", rq: object{"instanceType": "p4d.24xlarge"}, rs: set("i-own")},
		{by: leaked, at: 2, api: "ec2:StopInstances", rq: set("i-own")},
		{by: leaked, at: 3, api: "ec2:StopInstances", rq: set("i-web")},
	}}.plan(t)
	got := find(p, Recover, "ec2:StartInstances")
	if len(got) != 1 || !leaves(got[0].Parameters)["i-web"] {
		t.Errorf("started: %v", got)
	}
}
