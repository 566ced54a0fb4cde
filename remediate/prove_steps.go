package remediate

import (
	"context"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// Step is what one action of the plan does to the credentials that still lived
// when the log ended. Automatic ones count as done when their turn comes; of one
// that waits for a person it says what it would do.
type Step struct {
	Action     string   `json:"action"`
	Phase      Phase    `json:"phase"`
	Mode       Mode     `json:"mode"`
	Title      string   `json:"title"`
	Ends       []string `json:"ends"`         // credential ids
	GivesBack  []string `json:"gives_back"`   // those that work again, if they have not expired by then
	Live       int      `json:"live"`         // left when all automatic actions so far are done
	LiveIfDone int      `json:"live_if_done"` // left when those of mode review are done too
}

// Stage is what is left when the automatic actions of the phases so far are done.
type Stage struct {
	Phase    Phase            `json:"phase"`
	Live     []LiveCredential `json:"live"`
	WaysBack []WayBack        `json:"ways_back"`
}

// LiveCredential is a credential of the lineage that still works.
type LiveCredential struct {
	ID           string         `json:"id"`
	Kind         lineage.Kind   `json:"kind"`
	PrincipalARN string         `json:"principal_arn"`
	Until        *time.Time     `json:"until"` // null: until somebody ends it
	Limited      bool           `json:"limited"`
	Reason       Reason         `json:"reason"`
	Why          string         `json:"why"`
	EndsWith     *PendingAction `json:"ends_with"` // null: no action of the plan ends it
}

// PendingAction is an action that has not been done at a stage.
type PendingAction struct {
	Action string `json:"action"`
	Phase  Phase  `json:"phase"`
	Mode   Mode   `json:"mode"`
}

func pending(a *Action) *PendingAction {
	if a == nil {
		return nil
	}
	return &PendingAction{a.ID, a.Phase, a.Mode}
}

// holding is a credential of the lineage that lives, as a policy sees it.
type holding struct {
	*lineage.Credential
	request request
	about   []*denial        // that bear on it
	enders  map[*denial]bool // of them those that leave it nothing
	ender   *Action
}

// study finds once what the denials of the plan do to a credential.
func (v *prover) study(live []*holding, denials []*denial) {
	g := newGuard(denials)
	credentials := slices.DeleteFunc(slices.Clone(denials), func(d *denial) bool { return d.kind != byCredential })
	for _, h := range live {
		h.enders = map[*denial]bool{}
		h.about = g.about(&h.request)
		for _, d := range append(slices.Clone(h.about), credentials...) {
			if all, _, _ := d.ends(h); all == yes {
				h.enders[d] = true
			}
		}
		h.ender = v.ender(h, denials)
	}
}

// stages goes through the plan step by step, as it would be applied now: after
// the newest event of the log.
func (v *prover) stages(ctx context.Context) error {
	ways, err := v.waysBack(ctx)
	if err != nil {
		return err
	}
	// A cut-off of a second after the last event ends all tokens that it shows.
	denials := denialsOf(v.plan.Actions, v.proof.LogThrough.Add(time.Second))
	if err := learn(ctx, v.c, denials); err != nil {
		return err
	}
	live := v.holdings()
	v.study(live, denials)
	var automatic, all []*denial
	for i := range v.plan.Actions {
		a := &v.plan.Actions[i]
		wasAutomatic, wasAll := automatic, all
		if v.carryOut(a, denials, &automatic, &all) {
			before, then := left(live, wasAutomatic), left(live, wasAll)
			s := Step{Action: a.ID, Phase: a.Phase, Mode: a.Mode, Title: a.Title, Ends: []string{}, GivesBack: []string{}}
			after, now := left(live, automatic), left(live, all)
			s.Live, s.LiveIfDone = len(after), len(now)
			if a.Mode == Manual {
				now = left(now, denialsOfAction(denials, a))
			}
			wasLeft, isLeft, wasAuto, isAuto := setOf(then), setOf(now), setOf(before), setOf(after)
			for _, h := range live {
				switch {
				case wasLeft[h] && !isLeft[h], wasAuto[h] && !isAuto[h]:
					s.Ends = append(s.Ends, h.ID)
				case !wasLeft[h] && isLeft[h]:
					s.GivesBack = append(s.GivesBack, h.ID)
				}
			}
			if len(s.Ends)+len(s.GivesBack) > 0 {
				v.proof.Steps = append(v.proof.Steps, s)
			}
		}
		if i+1 == len(v.plan.Actions) || v.plan.Actions[i+1].Phase != a.Phase {
			v.proof.Phases = append(v.proof.Phases, v.stage(a.Phase, live, automatic, ways, i))
		}
	}
	if len(v.plan.Actions) == 0 {
		v.proof.Phases = append(v.proof.Phases, v.stage("", live, nil, ways, -1))
	}
	return nil
}

// carryOut adds what an action denies to what stands, with automatic actions
// alone and with those for review, and takes off what it lifts. It tells whether
// the action does either.
func (v *prover) carryOut(a *Action, denials []*denial, automatic, all *[]*denial) bool {
	lifted := a.ForEach == nil && slices.ContainsFunc(*all, func(d *denial) bool { return undoesCall(a, d) })
	if lifted {
		*all = slices.DeleteFunc(slices.Clone(*all), func(d *denial) bool { return undoesCall(a, d) })
	}
	denies := denialsOfAction(denials, a)
	if a.Mode != Manual {
		*all = append(*all, denies...)
	}
	if a.Mode == Auto {
		*automatic = append(*automatic, denies...)
	}
	return len(denies) > 0 || lifted
}

func setOf(list []*holding) map[*holding]bool {
	out := map[*holding]bool{}
	for _, h := range list {
		out[h] = true
	}
	return out
}

func denialsOfAction(denials []*denial, a *Action) []*denial {
	var out []*denial
	for _, d := range denials {
		if d.action == a {
			out = append(out, d)
		}
	}
	return out
}

// holdings are the credentials that lived when the log ended.
func (v *prover) holdings() []*holding {
	byID := map[string]*lineage.Credential{}
	for i := range v.lineage.Credentials {
		byID[v.lineage.Credentials[i].ID] = &v.lineage.Credentials[i]
	}
	var out []*holding
	for i := range v.lineage.Credentials {
		c := &v.lineage.Credentials[i]
		if c.LiveAtEnd {
			h := &holding{Credential: c, request: request{caller: callerOf(c, byID), time: v.proof.LogThrough, account: c.AccountID}}
			v.centerUser(&h.request, c.ID)
			out = append(out, h)
		}
	}
	return out
}

// centerUser gives a request of a credential the Identity Center user behind it,
// where its record does not name one and the lineage does.
func (v *prover) centerUser(r *request, credential string) {
	s, _, ok := r.holder()
	if _, reserved := permissionSetOf(s.name); !ok || !reserved || r.ssoUser != "" {
		return
	}
	i := slices.IndexFunc(v.lineage.Credentials, func(c lineage.Credential) bool { return c.ID == credential })
	if i >= 0 {
		r.ssoUser = centerUserOf(v.lineage, &v.lineage.Credentials[i])
	}
}

// callerOf is how a credential's calls would look.
func callerOf(c *lineage.Credential, byID map[string]*lineage.Credential) caller {
	out := caller{arn: c.PrincipalARN, id: c.PrincipalID, account: c.AccountID, source: c.SourceIdentity}
	a, _ := parseARN(c.PrincipalARN)
	if out.account == "" {
		out.account = a.account
	}
	switch {
	case a.resource == "root":
		out.kind = "Root"
	case strings.HasPrefix(a.resource, "federated-user/"):
		out.kind, out.issuerARN = "FederatedUser", issuer(c, byID)
	case strings.HasPrefix(a.resource, "assumed-role/"):
		out.kind = "AssumedRole"
	case strings.HasPrefix(a.resource, "role/"):
		out.kind, out.issuerARN = "AssumedRole", c.PrincipalARN
	case a.service == "identitystore":
		out.kind, out.ssoUser = "IdentityCenterUser", lastSegment(c.PrincipalARN)
	default:
		out.kind = "IAMUser"
	}
	switch c.Kind {
	case lineage.LongTerm:
		out.accessKey = c.ID
	case lineage.Password, lineage.ServiceSpecific, lineage.SSHKey, lineage.Certificate:
	default:
		for _, t := range []*time.Time{c.FirstUsed, c.IssuedAt} {
			if t != nil {
				out.issued = *t
			}
		}
	}
	return out
}

// ends says whether a denial leaves a credential nothing that it could do.
func (d *denial) ends(h *holding) (all truth, some bool, why Reason) {
	is := d.holds(&h.request)
	switch d.kind {
	case byKey:
		return truthOf(h.Kind == lineage.LongTerm && (d.name == h.ID || d.name == Item && is)), false, ReasonNotDenied
	case byCredential:
		return truthOf(d.name == h.ID || d.name == Item && is && credentialOf(d.action) == h.Kind), false, ReasonNotDenied
	case byPassword:
		return truthOf(h.Kind == lineage.Password && is), false, ReasonNotDenied
	case byAbsence:
		return truthOf(is), false, ReasonNotDenied
	case bySCP:
		if h.request.caller.account == d.account && !h.request.serviceLinked() {
			return d.policy.deniesAll(&h.request)
		}
	case byPolicy, bySet:
		if is && !h.request.serviceLinked() {
			return d.policy.deniesAll(&h.request)
		}
	}
	return no, false, ReasonNotDenied
}

// credentialOf is the kind of credential that an action ends.
func credentialOf(a *Action) lineage.Kind {
	switch {
	case strings.HasSuffix(a.Operation, "SSHPublicKey"):
		return lineage.SSHKey
	case strings.HasSuffix(a.Operation, "SigningCertificate"):
		return lineage.Certificate
	}
	return lineage.ServiceSpecific
}

// left are the credentials that some denials leave alive.
func left(live []*holding, denials []*denial) []*holding {
	standing := map[*denial]bool{}
	for _, d := range denials {
		standing[d] = true
	}
	var out []*holding
	for _, h := range live {
		ended := false
		for d := range h.enders {
			ended = ended || standing[d]
		}
		if !ended {
			out = append(out, h)
		}
	}
	return out
}

// undoesCall says that an action takes a denial off again. What empties a user or
// role in a loop, before it is deleted, is not asked.
func undoesCall(a *Action, d *denial) bool {
	if a == d.action || a.AccountID != d.account {
		return false
	}
	activates := a.Operation == "UpdateAccessKey" && param(a, "Status") == "Active"
	if !activates && !strings.HasPrefix(a.Operation, "Delete") && !strings.HasPrefix(a.Operation, "Detach") || a.Operation == "DeleteAccessKey" {
		return false
	}
	made := Call{d.action.Service, d.action.Operation, d.action.Parameters}
	return samePlace(made, Call{a.Service, a.Operation, a.Parameters})
}

// stage is what is left after the action at an index of the plan.
func (v *prover) stage(phase Phase, live []*holding, done []*denial, ways []way, index int) Stage {
	s := Stage{Phase: phase, Live: []LiveCredential{}, WaysBack: []WayBack{}}
	alive := left(live, done)
	standing := map[*denial]bool{}
	for _, d := range done {
		standing[d] = true
	}
	for _, h := range alive {
		c := LiveCredential{ID: h.ID, Kind: h.Kind, PrincipalARN: h.PrincipalARN, Until: h.ExpiresAt, Reason: h.request.unboundBy()}
		for _, d := range h.about {
			if !standing[d] {
				continue
			}
			all, some, why := d.ends(h)
			c.Limited = c.Limited || some || all == unknown
			if all == unknown || why != ReasonNotDenied && why != "" && c.Reason == h.request.unboundBy() {
				c.Reason = why
			}
		}
		c.Why = c.Reason.Words()
		c.EndsWith = pending(h.ender)
		if c.Reason == ReasonNotDenied && c.EndsWith != nil {
			c.Why = "nothing done so far is about it"
		}
		s.Live = append(s.Live, c)
	}
	for _, w := range ways {
		way, open := w.at(v.plan, index, done, alive)
		if !open {
			continue
		}
		if i := slices.IndexFunc(s.Live, func(c LiveCredential) bool { return w.parent != nil && c.ID == w.parent.ID }); i >= 0 {
			way.ClosedBy = s.Live[i].EndsWith
		}
		s.WaysBack = append(s.WaysBack, way)
	}
	return s
}

// ender is the action of the plan that ends a credential: an automatic one before
// one that waits for a person.
func (v *prover) ender(h *holding, denials []*denial) *Action {
	var found []*Action
	for _, d := range denials {
		if h.enders[d] {
			found = append(found, d.action)
		}
	}
	for i := range v.plan.Actions {
		a := &v.plan.Actions[i]
		if a.Mode == Manual && (a.Phase == Contain || a.Phase == Revoke) && !strings.Contains(strings.ToLower(a.Title), "service control policy") &&
			(strings.Contains(a.Title, h.ID) || h.IssuedEventID != "" && slices.Contains(a.Evidence, h.IssuedEventID)) {
			found = append(found, a)
		}
	}
	return easiest(found)
}

// easiest is the first automatic action, else the first for review, else the
// first for a person.
func easiest(actions []*Action) *Action {
	for _, mode := range []Mode{Auto, Review, Manual} {
		for _, a := range actions {
			if a.Mode == mode {
				return a
			}
		}
	}
	return nil
}
