package lineage

import (
	"strings"
	"time"
)

// Identity Center hands out role sessions by assuming the role that it keeps in
// the member account, with SAML. The record of GetRoleCredentials (or Federate,
// for the console) names the user, the account and the permission set, not the
// session; the member account's AssumeRoleWithSAML names the session, not the
// user's id. What ties them is the time, the account, the permission set and
// the user's name, and where the session's records carry it, onBehalfOf.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/understanding-sign-in-events.html,
// https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-cloudtrail-use-cases.html

// portalLife is how long a session of the access portal lasts by default.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/configure-user-session.html
const portalLife = 8 * time.Hour

// relayed is how long after the user's request the role may seem to be assumed.
const relayed = 5 * time.Second

const (
	centerUser  = "identity_center_user"
	centerGroup = "identity_center_group"
	centerToken = "identity_center_token" // that an application exchanged a user's token for
)

// centerARN is how this program names users and groups of Identity Center.
func (c *call) centerARN(kind, id string) identity {
	return identity{id, "arn:" + c.partition() + ":identitystore:::" + kind + "/" + id, c.account}
}

// changeCenter notes what a call of the lineage did in Identity Center.
func (c *closure) changeCenter(made *call, by *node) {
	changed := func(kind, id string, how How, why string) *takeover {
		if id == "" {
			return nil
		}
		who := made.centerARN(kind, id)
		name := centerUser
		if kind == "group" {
			name = centerGroup
		}
		c.note(made, by, who, name, how, why)
		w := &takeover{how: how, who: who, kind: name, name: id, from: made.time, by: by, made: made}
		c.take(w)
		return w
	}
	either := func(names ...string) string {
		for _, text := range []string{made.response, made.request} {
			for i := 0; i < len(names); i++ {
				if v := member(text, strings.Split(names[i], ".")...); v != "" {
					return v
				}
			}
		}
		return ""
	}
	switch made.name {
	case "CreateUser":
		changed("user", either("user.userId", "userId"), Created, "made by the lineage")
	case "CreateGroup":
		changed("group", either("group.groupId", "groupId"), Created, "made by the lineage")
	case "AddMemberToGroup", "CreateGroupMembership":
		group := made.param("groupId")
		changed("user", either("memberId.userId", "member.memberId"), PolicyChanged, "the lineage put it into the group "+group)
		if group != "" {
			c.note(made, by, made.centerARN("group", group), centerGroup, PolicyChanged, "the lineage put a user into it")
		}
	case "UpdatePassword":
		id := made.param("userId")
		if id == "" {
			return
		}
		who := made.centerARN("user", id)
		pass := &node{
			cred: Credential{ID: made.eventID, Kind: Password, PrincipalID: who.id, PrincipalARN: who.arn, AccountID: who.account,
				Via: made.api(), IssuedEventID: made.eventID, IssuedAt: timePtr(made.time), Why: "password set by " + made.api() + " of " + by.cred.ID},
			parent: by, from: made.time, own: Confirmed, actor: c.actorOf(made.row, by),
		}
		c.nodes = append(c.nodes, pass)
		c.note(made, by, who, centerUser, PasswordSet, "the lineage set its password")
		c.take(&takeover{how: PasswordSet, who: who, kind: centerUser, name: id, from: made.time, by: pass, made: made, pass: pass})
	case "CreateAccountAssignment":
		kind := strings.ToLower(made.param("principalType"))
		if kind == "user" || kind == "group" {
			changed(kind, made.param("principalId"), PolicyChanged, "the lineage assigned it the permission set "+made.param("permissionSetArn")+" in account "+made.param("targetId"))
		}
	case "CreateTokenWithIAM":
		id := member(made.additional, "identitycenter:CredentialId")
		user := member(made.additional, "identitystore:UserId")
		if id == "" || user == "" {
			return
		}
		n := c.portal(made, by, nil, id, made.centerARN("user", user), "token for an Identity Center user that "+by.cred.ID+" exchanged another for")
		n.own, n.actor = Confirmed, c.actorOf(made.row, by)
		c.take(&takeover{how: Assumed, who: identity{id: user, account: made.account}, kind: centerToken, name: id, from: made.time, by: n, made: made})
	}
}

// portal makes a sign-in to Identity Center a credential.
func (c *closure) portal(first *call, by *node, w *takeover, id string, who identity, why string) *node {
	n := &node{
		cred: Credential{ID: id, Kind: Console, PrincipalID: who.id, PrincipalARN: who.arn, AccountID: who.account, Via: first.api(),
			IssuedEventID: first.eventID, IssuedAt: timePtr(first.time), ExpiresAt: timePtr(first.time.Add(portalLife)), ExpiresDerived: true, Why: why},
		parent: by, from: first.time, own: Inferred, actor: by.actor, source: w,
	}
	if w != nil {
		n.actor = w.actor
	}
	c.nodes = append(c.nodes, n)
	return n
}
