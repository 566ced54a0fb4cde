package lineage

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// changeCode takes over the role sessions of functions and instances whose code
// the lineage brought in or changed.
func (c *closure) changeCode(made *call, by *node) error {
	var names []string
	role := ""
	switch made.plainName() {
	case "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration":
		name := made.param("functionName")
		names = append(names, name[strings.LastIndex(name, ":")+1:])
		role = member(made.response, "role")
		if role == "" {
			role = made.param("role")
		}
	case "RunInstances":
		names = instanceIDs(made.response, "instancesSet", "items", "instanceId")
	case "AssociateIamInstanceProfile":
		names = append(names, made.param("AssociateIamInstanceProfileRequest", "InstanceId"))
	case "ReplaceIamInstanceProfileAssociation": // its request names the association alone
		names = append(names, member(made.response, "ReplaceIamInstanceProfileAssociationResponse", "iamInstanceProfileAssociation", "instanceId"))
	case "ModifyInstanceAttribute":
		if strings.Contains(made.request, `"userData"`) {
			names = append(names, made.param("instanceId"))
		}
	case "SendCommand":
		var request struct {
			InstanceIDs []string `json:"instanceIds"`
		}
		if json.Unmarshal([]byte(made.request), &request) == nil {
			names = request.InstanceIDs
		}
	case "StartSession":
		names = append(names, made.param("target"))
	case "SendSSHPublicKey", "SendSerialConsoleSSHPublicKey":
		names = append(names, made.param("instanceId"))
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		w := &takeover{how: CodeChanged, kind: "role", name: name, from: made.time, by: by, made: made, session: name}
		if a, ok := parseARN(role); ok {
			w.who = identity{arn: role, account: a.account}
			c.note(made, by, w.who, "role", CodeChanged, "the lineage changed what runs as it: "+name)
		}
		c.take(w)
	}
	return nil
}

// instanceIDs are the text members of that name in a list of objects.
func instanceIDs(text, set, items, name string) []string {
	var response map[string]json.RawMessage
	var list map[string][]map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &response) != nil || json.Unmarshal(response[set], &list) != nil {
		return nil
	}
	var ids []string
	for _, item := range list[items] {
		var id string
		if json.Unmarshal(item[name], &id) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ranBy finds the role sessions of an instance or function from when the
// lineage changed what it runs.
func (c *closure) ranBy(ctx context.Context, w *takeover) error {
	var keys []keyUse
	err := c.t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k
		WHERE k.identity_type = 'AssumedRole' AND ends_with(k.principal_id, ?) AND (? = '' OR k.issuer_arn = ?)
		    AND coalesce(k.identity_account_id, k.account_id) = ? AND k.last_used >= ? ORDER BY k.first_used, k.access_key_id`,
		[]any{":" + w.session, w.who.arn, w.who.arn, w.made.account, w.from}, func(scan func(...any) error) error {
			var k keyUse
			err := k.scan(scan)
			keys = append(keys, k)
			return err
		})
	if err != nil {
		return err
	}
	for i := range keys {
		k := &keys[i]
		if c.byID[k.id] != nil {
			continue
		}
		n := &node{
			cred: Credential{ID: k.id, Kind: RoleSession, Via: w.made.api(), IssuedAt: timePtr(k.created),
				Why: "session of " + w.session + ", whose code the lineage brought in or changed by " + w.made.api()},
			parent: w.by, from: later(k.created, w.from), own: Inferred, actor: w.actor, source: w,
		}
		if !k.created.IsZero() {
			n.cred.ExpiresAt, n.cred.ExpiresDerived = timePtr(k.created.Add(consoleLife)), true
		}
		k.fill(n)
		c.add(n, k.id)
		c.noteAs(Inferred, w.made, w.by, identity{k.issuerID, k.issuerARN, k.account}, "role", CodeChanged, "the lineage changed what runs as it: "+w.session)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
