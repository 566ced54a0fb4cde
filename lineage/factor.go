package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// longTermFields are where requests of IAM name long-term credentials.
var longTermFields = []struct {
	field string
	kind  Kind
}{
	{"accessKeyId", LongTerm}, {"serviceSpecificCredentialId", ServiceSpecific}, {"sSHPublicKeyId", SSHKey}, {"certificateId", Certificate},
}

// longTerm is the long-term credential that a request names.
func (c *call) longTerm() (string, Kind) {
	for _, f := range longTermFields {
		if id := c.param(f.field); id != "" {
			return id, f.kind
		}
	}
	return "", ""
}

// stillActive is for how long after its last use a key counts as active where no
// event says whether it was.
const stillActive = 24 * time.Hour

// reactivated takes over a credential that was there before, inactive, and that
// the lineage set to active: whoever uses it from then on came by that.
func (c *closure) reactivated(ctx context.Context, made *call, by *node) error {
	id, kind := made.longTerm()
	if id == "" || c.byID[id] != nil || !strings.EqualFold(made.param("status"), "Active") {
		return nil
	}
	was, err := c.wasActive(ctx, id, made)
	if err != nil || was {
		return err
	}
	who, err := c.resolve(ctx, "user", made.targetUser, made)
	if err != nil {
		return fmt.Errorf("find user %s: %w", made.targetUser, err)
	}
	n := &node{
		cred: Credential{ID: id, Kind: kind, PrincipalID: who.id, PrincipalARN: who.arn, AccountID: who.account, Via: made.api(),
			IssuedEventID: made.eventID, IssuedAt: timePtr(made.time), Why: "an inactive credential of " + made.targetUser + " that " + by.cred.ID + " set to active"},
		parent: by, from: made.time, own: Inferred, actor: c.actorOf(made.row, by),
	}
	c.add(n, id)
	c.note(made, by, who, "user", CredentialAdded, "the lineage set a credential of it to active: "+id)
	return nil
}

// wasActive reports whether a credential was active before a call set it so: as
// the last change to it says, else by its use in the day before.
func (c *closure) wasActive(ctx context.Context, id string, made *call) (bool, error) {
	if c.statuses == nil {
		changes, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_source = 'iam.amazonaws.com' AND c.event_name IN (
			'UpdateAccessKey', 'UpdateServiceSpecificCredential', 'UpdateSSHPublicKey', 'UpdateSigningCertificate')`)
		if err != nil {
			return false, err
		}
		c.statuses = map[[2]string][]*call{}
		for _, change := range changes {
			id, _ := change.longTerm()
			c.statuses[[2]string{change.name, id}] = append(c.statuses[[2]string{change.name, id}], change)
		}
	}
	for _, change := range slices.Backward(c.statuses[[2]string{made.name, id}]) {
		if !change.time.After(made.time) && change.eventID != made.eventID { // a copy of it is no change before it
			return strings.EqualFold(change.param("status"), "Active"), nil
		}
	}
	k, found, err := c.t.keyUse(ctx, id)
	switch within := func(at time.Time) bool { return at.Before(made.time) && made.time.Sub(at) <= stillActive }; {
	case err != nil || !found || !k.first.Before(made.time) || made.time.Sub(k.last) > stillActive:
		return false, err
	case within(k.first) || within(k.last):
		return true, nil
	}
	var used bool
	err = c.t.conn.QueryRowContext(ctx, `SELECT EXISTS (FROM events WHERE access_key_id = ? AND event_time < ? AND event_time >= ?)`,
		id, made.time, made.time.Add(-stillActive)).Scan(&used)
	return used, err
}

// factorChanged notes a second factor that the lineage gave a user or took from
// it. A device that the lineage enabled is a credential in its hands; one that it
// took away opens nothing by itself, so that only what the user may do without it
// changed. Making a virtual device changes no user until it is enabled.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_sample-code.html
func (c *closure) factorChanged(ctx context.Context, made *call, by *node) error {
	name := made.targetUser
	if name == "" {
		return nil
	}
	who, err := c.resolve(ctx, "user", name, made)
	if err != nil {
		return fmt.Errorf("find user %s: %w", name, err)
	}
	if made.name == "EnableMFADevice" {
		c.note(made, by, who, "user", CredentialAdded, "the lineage enabled a second factor for it: "+made.param("serialNumber"))
		return nil
	}
	c.note(made, by, who, "user", PolicyChanged, "the lineage took its second factor away: its password and keys are enough again")
	return nil
}
