package lineage

import (
	"strconv"
	"strings"
	"time"
)

// askable are the shortest and the longest life that a call may be asked for.
// A call that asks for more fails, so what is in the log bounds itself; text
// that is no such request does not make a credential live for ever.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html,
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
var askable = map[string]struct{ min, max time.Duration }{
	"sts:AssumeRole":                {15 * time.Minute, 12 * time.Hour},
	"sts:AssumeRoleWithSAML":        {15 * time.Minute, 12 * time.Hour},
	"sts:AssumeRoleWithWebIdentity": {15 * time.Minute, 12 * time.Hour},
	"sts:AssumeRoot":                {time.Second, 15 * time.Minute},
	"sts:GetSessionToken":           {15 * time.Minute, 36 * time.Hour},
	"sts:GetFederationToken":        {15 * time.Minute, 36 * time.Hour},
	"rolesanywhere:CreateSession":   {15 * time.Minute, 12 * time.Hour},
	"signin:GetSigninToken":         {15 * time.Minute, 12 * time.Hour},
}

// expire says when a credential ends: as the response says, else after the
// requested or the default life.
func (t *tracer) expire(n *node, made *call, parent *node, life time.Duration) {
	cred := &n.cred
	if !made.expires.IsZero() {
		cred.ExpiresAt = timePtr(made.expires)
		return
	}
	if cred.Kind == ServiceSpecific {
		life = ageAsked(made)
	}
	if cred.Kind == Unknown || life == 0 {
		return
	}
	cred.ExpiresDerived = true
	// A sign-in token made of a federation token lives as long as that one.
	if cred.Kind == Console && parent != nil && parent.cred.Kind == FederationToken && parent.cred.ExpiresAt != nil {
		cred.ExpiresAt = timePtr(*parent.cred.ExpiresAt)
		return
	}
	cred.ExpiresAt = timePtr(made.time.Add(made.life(life)))
}

// life is how long the credential that a call handed out lives: as asked for,
// within what the API gives, else as long as is usual.
func (c *call) life(usual time.Duration) time.Duration {
	limit := askable[c.api()]
	life := usual
	for _, name := range []string{"durationSeconds", "sessionDuration", "SessionDuration"} {
		if s, err := strconv.Atoi(c.param(name)); err == nil && s > 0 && limit.max > 0 {
			life = min(max(time.Duration(min(s, 1<<31))*time.Second, limit.min), limit.max)
			break
		}
	}
	switch {
	// Sessions of the root user last an hour, whatever was asked for.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
	case c.identityType == "Root" && (c.name == "GetSessionToken" || c.name == "GetFederationToken"):
		life = min(life, time.Hour)
	// A role taken by a role lasts an hour at most.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
	case c.identityType == "AssumedRole" && c.name == "AssumeRole":
		life = min(life, time.Hour)
	}
	return life
}

// ageAsked is for how long a service-specific credential was asked for, 0 where
// it was not: it then lives until it is deleted.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html
func ageAsked(made *call) time.Duration {
	days, err := strconv.Atoi(made.param("credentialAgeDays"))
	if err != nil || days < 1 || days > 36600 {
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

// longest is how long a temporary credential lives at most, of which the log
// shows no more than its use.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
var longest = map[Kind]time.Duration{
	RoleSession:     12 * time.Hour,
	Console:         consoleLife,
	SessionToken:    36 * time.Hour,
	FederationToken: 36 * time.Hour,
	Unknown:         36 * time.Hour,
}

// bound says when a temporary credential ends at the latest whose end nothing
// else tells: none lives for ever.
func (n *node) bound() {
	cred := &n.cred
	if cred.ExpiresAt != nil {
		return
	}
	if cred.Kind == ServiceForwarded && n.parent != nil {
		cred.ExpiresAt = n.parent.cred.ExpiresAt
		cred.ExpiresDerived = cred.ExpiresAt != nil
		return
	}
	life, known := longest[cred.Kind]
	from := timeOf(cred.IssuedAt)
	if from.IsZero() {
		from = timeOf(cred.FirstUsed)
	}
	if !known || from.IsZero() || cred.Kind == Unknown && !strings.HasPrefix(cred.ID, "ASIA") {
		return
	}
	cred.ExpiresAt, cred.ExpiresDerived = timePtr(from.Add(life)), true
}

// holder is the user or role whose permissions a credential has.
type holder struct{ kind, account, name, id string }

func (h holder) String() string { return strings.TrimSpace(h.kind + " " + h.name) }

// is reports whether two holders are one: by unique id, for names are reused.
func (h holder) is(other holder) bool {
	if h.id != "" && other.id != "" && h.kind != "root" {
		return h.id == other.id
	}
	return h.name != "" && h.kind == other.kind && h.account == other.account && h.name == other.name
}

func (n *node) holder() holder {
	for p := n; p != nil; p = p.parent {
		a, ok := parseARN(p.cred.PrincipalARN)
		if !ok {
			if p.cred.Kind == RoleSession { // it has not the permissions of what it came from
				return holder{kind: "role", account: p.cred.AccountID}
			}
			continue
		}
		id, _, _ := strings.Cut(p.cred.PrincipalID, ":")
		switch {
		case a.kind == "assumed-role":
			_, rest, _ := strings.Cut(p.cred.PrincipalARN, ":assumed-role/")
			role, _, _ := strings.Cut(rest, "/")
			return holder{"role", a.account, role, id}
		case a.service == "iam" && (a.kind == "user" || a.kind == "role"):
			return holder{a.kind, a.account, a.name, id}
		case a.kind == "root":
			return holder{"root", a.account, "root", id}
		case a.service == "identitystore":
			return holder{"Identity Center user", a.account, a.name, ""}
		}
	}
	return holder{}
}

// judgeLife says whether a credential was still good at a moment and for how
// long, how it ended, what it outlives, and what ends it.
func (n *node) judgeLife(e *endings, asOf time.Time) {
	cred := &n.cred
	h := n.holder()
	issued := timeOf(cred.IssuedAt)
	expired := cred.ExpiresAt != nil && !cred.ExpiresAt.After(asOf)
	ended := e.endOf(n, h)
	if ended != nil && (cred.ExpiresAt == nil || ended.at.Before(*cred.ExpiresAt)) {
		cred.EndedAt, cred.EndedVia, cred.EndedEventID, cred.EndedWhy = timePtr(ended.at), ended.via, ended.eventID, ended.why
	}
	cred.LiveAtEnd = !expired && ended == nil && !issued.After(asOf)
	if cred.Kind == ServiceForwarded && n.parent != nil { // it is the caller's credential in a service's hands
		by := &n.parent.cred
		cred.LiveAtEnd = cred.LiveAtEnd && by.LiveAtEnd
		if cred.EndedAt == nil && by.EndedAt != nil && (cred.IssuedAt == nil || !by.EndedAt.Before(*cred.IssuedAt)) {
			cred.EndedAt, cred.EndedVia, cred.EndedEventID, cred.EndedWhy = by.EndedAt, by.EndedVia, by.EndedEventID, "of the caller's credential: "+by.EndedWhy
		}
	}
	switch seconds := int64(0); {
	case !cred.LiveAtEnd:
		cred.ValidForSeconds = &seconds
	case cred.ExpiresAt != nil:
		seconds = int64(cred.ExpiresAt.Sub(asOf) / time.Second)
		cred.ValidForSeconds = &seconds
	}
	cred.SurvivesKeyDisable = n.survivesKey()
	cred.SurvivesUserDelete = n.survivesUser(h)
	cred.EndedBy = n.endedBy(h)
}

// survivesKey reports whether a credential goes on when the key that was asked
// for is disabled or deleted: only the key itself, and what services do for it,
// do not.
func (n *node) survivesKey() bool {
	if n.cred.Kind == ServiceForwarded && n.parent != nil {
		return n.parent.survivesKey()
	}
	return n.root == nil || n.cred.Kind != LongTerm
}

// survivesUser reports whether a credential goes on when the user or role that
// the root key acts as is deleted: what has its permissions from it does not.
// The root user cannot be deleted, so what has its permissions goes on.
func (n *node) survivesUser(h holder) bool {
	of := n.topmost().holder()
	return h.kind == "root" || of.kind == "" || !h.is(of)
}

// topmost is the root that a credential descends from. It is kept, for chains
// may be long; parents are asked before their children.
func (n *node) topmost() *node {
	for top := n; n.top == nil; top = top.parent {
		switch {
		case top.parent == nil:
			n.top = top
		case top.parent.top != nil:
			n.top = top.parent.top
		}
	}
	return n.top
}
