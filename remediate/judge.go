package remediate

import (
	"slices"
	"strings"
	"time"
)

// Verdict is whether a plan would have kept a call from happening.
type Verdict string

// The verdicts on a call.
const (
	WouldBlock       Verdict = "blocked"         // by an automatic action
	WouldBlockIfDone Verdict = "blocked_if_done" // by an action that waits for a person
	WouldNotBlock    Verdict = "not_blocked"
)

// Reason is why a call would have been blocked or not.
type Reason string

// The reasons of the verdicts.
const (
	ReasonDenied      Reason = "denied"                  // a policy denies it
	ReasonKeyOff      Reason = "key_off"                 // the key that signs it is inactive or deleted
	ReasonTrust       Reason = "trust_closed"            // the role's trust policy lets it in no more
	ReasonGone        Reason = "principal_gone"          // the user or role is deleted
	ReasonPassword    Reason = "password_gone"           // the password is deleted or changed
	ReasonAnchor      Reason = "anchor_off"              // the trust anchor or profile is disabled
	ReasonCredential  Reason = "credential_off"          // the service-specific credential, certificate or SSH key is
	ReasonNeverIssued Reason = "credential_never_issued" // what issued its credential would have been blocked

	ReasonNotDenied     Reason = "not_denied_principal" // no action of the plan is about its caller
	ReasonIssuedLater   Reason = "issued_after_cutoff"  // the deny binds tokens issued before it
	ReasonNoIssueTime   Reason = "no_issue_time"        // a long-term key has no aws:TokenIssueTime
	ReasonAlwaysAllowed Reason = "always_allowed"       // sts:GetCallerIdentity
	ReasonSignIn        Reason = "sign_in"              // no policy decides about signing in
	ReasonRoot          Reason = "root"
	ReasonServiceLinked Reason = "service_linked_role"
	ReasonOtherAccount  Reason = "another_account"
	ReasonService       Reason = "service" // a service acts by itself
	ReasonAction        Reason = "action_not_covered"
	ReasonResource      Reason = "resource_not_covered"
	ReasonPrincipal     Reason = "principal_not_covered"
	ReasonCondition     Reason = "condition_not_met"
	ReasonUndecided     Reason = "undecided" // the record lacks what the policy asks for
)

// reasonWords say a reason to a person.
var reasonWords = map[Reason]string{
	ReasonDenied:      "a policy of the plan denies it",
	ReasonKeyOff:      "the key that signed it is off",
	ReasonTrust:       "the role's trust policy lets its caller in no more",
	ReasonGone:        "its user or role is deleted",
	ReasonPassword:    "the password is gone",
	ReasonAnchor:      "the trust anchor or profile of Roles Anywhere is off",
	ReasonCredential:  "the credential is off",
	ReasonNeverIssued: "its credential would not exist: the call that led to it is blocked",

	ReasonNotDenied:     "no action of the plan is about this caller",
	ReasonIssuedLater:   "the deny ends tokens issued before it, and this one is younger: nothing keeps its issuer from issuing more",
	ReasonNoIssueTime:   "the deny ends tokens, and a long-term key has no issue time",
	ReasonAlwaysAllowed: "sts:GetCallerIdentity works under any policy and gives nothing away",
	ReasonSignIn:        "no policy decides about signing in; what a session may do is decided call by call",
	ReasonRoot:          "no policy of the account binds root",
	ReasonServiceLinked: "only AWS changes a service-linked role",
	ReasonOtherAccount:  "its caller is of another account, whose own policies bind it",
	ReasonService:       "an AWS service did this by itself",
	ReasonAction:        "the deny does not name this action",
	ReasonResource:      "the deny does not name this resource",
	ReasonPrincipal:     "the policy does not name this principal",
	ReasonCondition:     "the condition of the deny is not met",
	ReasonUndecided:     "the log does not hold what the deny asks for, so whether it binds is not known",
}

// Words say a reason to a person.
func (r Reason) Words() string { return reasonWords[r] }

// judgment is the verdict on one call.
type judgment struct {
	verdict Verdict
	reason  Reason
	by      *denial // nil where no action is about the caller
}

// judge says what a plan's denials do to a call: automatic ones count first, then
// those that wait for a person.
func (g *guard) judge(r *request) judgment {
	near := judgment{verdict: WouldNotBlock}
	var later *judgment
	for _, d := range g.about(r) {
		got, why := d.blocks(r)
		switch {
		case got == yes && d.action.Mode == Auto:
			return judgment{WouldBlock, d.reason(), d}
		case got == yes && later == nil:
			later = &judgment{WouldBlockIfDone, d.reason(), d}
		case got != yes && why != ReasonNotDenied && (near.by == nil || near.by.action.Mode != Auto && d.action.Mode == Auto):
			near.reason, near.by = why, d
		}
	}
	switch {
	case later != nil:
		return *later
	case near.by == nil:
		near.reason = r.unboundBy()
	}
	return near
}

// reason is why a denial blocks.
func (d *denial) reason() Reason {
	switch d.kind {
	case byTrust:
		return ReasonTrust
	case byKey:
		return ReasonKeyOff
	case byPassword:
		return ReasonPassword
	case byAbsence:
		return ReasonGone
	case byAnchor:
		return ReasonAnchor
	case byCredential:
		return ReasonCredential
	}
	return ReasonDenied
}

// unboundBy says why no denial is about a caller.
func (r *request) unboundBy() Reason {
	switch {
	case r.kind == "AWSService" || r.event == "AwsServiceEvent":
		return ReasonService
	case r.unbound():
		return ReasonSignIn
	case r.root():
		return ReasonRoot
	case r.serviceLinked():
		return ReasonServiceLinked
	case r.kind == "AWSAccount" || r.caller.account != "" && r.account != "" && r.caller.account != r.account:
		return ReasonOtherAccount
	}
	return ReasonNotDenied
}

// principal is whom a report names as the caller: the role for its sessions.
func (c caller) principal() string {
	switch {
	case c.holderARN() != "":
		return c.holderARN()
	case c.id != "" && c.account != "":
		return c.id + " of account " + c.account
	case c.invokedBy != "":
		return c.invokedBy
	}
	return c.account
}

// CallCount is how often an API was called.
type CallCount struct {
	Call  string `json:"call"` // "iam:CreateUser"
	Count int64  `json:"count"`
}

// callCounts are the calls of a group, the most frequent first.
func callCounts(counts map[string]int64) []CallCount {
	out := make([]CallCount, 0, len(counts))
	for call, n := range counts {
		out = append(out, CallCount{call, n})
	}
	slices.SortFunc(out, func(a, b CallCount) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Call, b.Call)
	})
	return out
}

// moment is a time for the texts of a proof.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
