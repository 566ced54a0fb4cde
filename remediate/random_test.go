package remediate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/internal/casetest"
	"trailscan/lineage"
)

func TestMain(m *testing.M) { casetest.FewerChecks(m) }

// made is what a random intruder can make, and how it goes away again.
var made = []struct {
	create, remove, param string
	response              func(name string) object
}{
	{"iam:CreateUser", "iam:DeleteUser", "userName", func(n string) object {
		return object{"user": object{"userName": n, "userId": "AIDA" + n, "arn": "arn:aws:iam::111122223333:user/" + n}}
	}},
	{"iam:CreateRole", "iam:DeleteRole", "roleName", func(n string) object {
		return object{"role": object{"roleName": n, "roleId": "AROA" + n, "arn": "arn:aws:iam::111122223333:role/" + n}}
	}},
	{"iam:CreateGroup", "iam:DeleteGroup", "groupName", func(n string) object { return object{"group": object{"groupName": n, "groupId": "AGPA" + n}} }},
	{"iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "instanceProfileName", func(n string) object {
		return object{"instanceProfile": object{"instanceProfileName": n}}
	}},
	{"kms:CreateAlias", "kms:DeleteAlias", "aliasName", func(string) object { return nil }},
}

// changed is what it can do to what is there.
var changed = []struct {
	api     string
	request func(name string) object
}{
	{"iam:AttachUserPolicy", func(n string) object { return object{"userName": n, "policyArn": "arn:aws:iam::aws:policy/A"} }},
	{"iam:DetachRolePolicy", func(n string) object { return object{"roleName": n, "policyArn": "arn:aws:iam::aws:policy/A"} }},
	{"iam:PutUserPolicy", func(n string) object { return object{"userName": n, "policyName": "p", "policyDocument": "{}"} }},
	{"iam:UpdateAssumeRolePolicy", func(n string) object { return object{"roleName": n, "policyDocument": "{}"} }},
	{"iam:UpdateLoginProfile", func(n string) object { return object{"userName": n} }},
	{"iam:AddUserToGroup", func(n string) object { return object{"userName": n, "groupName": n} }},
	{"cloudtrail:StopLogging", func(n string) object { return object{"name": n} }},
	{"s3:PutBucketPolicy", func(n string) object { return object{"bucketName": n, "bucketPolicy": object{"a": n}} }},
	{"quantum:Entangle", func(n string) object { return object{"thing": n} }},
	{"iam:DeleteUser", func(n string) object { return object{"userName": n} }},
	{"iam:UpdateRole", func(n string) object { return nil }},
}

func TestAnyIntrusion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := &evidence{accounts: map[string]bool{account: true}}
		standing := map[string]string{} // "iam:DeleteUser name": creation
		n := rapid.IntRange(1, 25).Draw(t, "calls")
		for i := range n {
			e := &event{
				id: fmt.Sprintf("event-%03d", i), time: start.Add(time.Duration(i) * time.Minute), region: rapid.SampledFrom([]string{"us-east-1", "eu-west-1"}).Draw(t, "region"),
				accountID: account, identityARN: aliceARN,
			}
			mine := rapid.IntRange(0, 3).Draw(t, "mine") > 0
			name := rapid.SampledFrom([]string{"x", "y", "$(z)", "--w"}).Draw(t, "name")
			if !mine {
				name = "own-" + name
			}
			var api string
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				m := rapid.SampledFrom(made).Draw(t, "made")
				name = fmt.Sprintf("%s-%d", name, i)
				api, e.request, e.response = m.create, any(object{m.param: name}), any(m.response(name))
				if mine {
					standing[m.remove+" "+name] = m.create
					if rapid.Bool().Draw(t, "undone") {
						undo := &event{id: e.id + "-undone", time: e.time.Add(time.Second), region: e.region, accountID: account, source: strings.Split(m.remove, ":")[0],
							name: strings.Split(m.remove, ":")[1], request: any(object{m.param: name})}
						ev.others = append(ev.others, undo)
						delete(standing, m.remove+" "+name)
					}
				}
			default:
				c := rapid.SampledFrom(changed).Draw(t, "changed")
				api = c.api
				if rq := c.request(name); rq != nil {
					e.request = any(rq)
				}
			}
			e.source, e.name = splitCall(api)
			if mine {
				e.credential = leaked
				e.unclear = rapid.Bool().Draw(t, "unclear")
				ev.events = append(ev.events, e)
			} else {
				ev.others = append(ev.others, e)
			}
		}
		l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start, AsOf: start.Add(24 * time.Hour), Credentials: []lineage.Credential{leakedKey(), roleSession("Deploy")}}
		p, err := newPlan(l, ev)
		if err != nil {
			t.Fatal(err) // also when it is not valid: order, ids, automatic without a way back
		}
		q, err := newPlan(l, ev)
		if err != nil || q.Digest != p.Digest {
			t.Fatalf("the same case gives another plan: %v", err)
		}
		for removal, creation := range standing {
			call, name, _ := strings.Cut(removal, " ")
			if !slices.ContainsFunc(find(p, Evict, call), func(a Action) bool { return leaves(a.Parameters)[name] }) {
				t.Errorf("%s of %s has no %s", creation, name, call)
			}
		}
		named := map[string]bool{}
		for _, a := range p.Actions {
			for text := range leaves(a.Parameters) {
				if strings.HasPrefix(text, "own-") {
					t.Errorf("%s touches %s, which is not the intruder's", a.ID, text)
				}
			}
			for _, id := range a.Evidence {
				named[id] = true
			}
		}
		// Nothing is passed over in silence but what ended with its container.
		for _, e := range ev.events {
			if e.source != "iam" && e.source != "kms" && !named[e.id] {
				t.Errorf("%s:%s (%s) is in no action", e.source, e.name, e.id)
			}
		}
	})
}
