package remediate

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
)

// Aftermath is what the log shows of the time since a plan was carried out. Its
// JSON is what `plan --check --format json` writes.
type Aftermath struct {
	Keys       []string    `json:"keys"`
	PlanDigest string      `json:"plan_digest"`
	Since      time.Time   `json:"since"` // when the first action was carried out
	SinceWhy   string      `json:"since_why"`
	LogThrough time.Time   `json:"log_through"` // the newest event of the case
	Traced     bool        `json:"traced"`      // the case's lineage reaches beyond Since
	Clean      bool        `json:"clean"`       // nothing acted and no deny was weakened
	Succeeded  int64       `json:"succeeded"`   // calls of the lineage, without Harmless
	Denied     int64       `json:"denied"`
	Failed     int64       `json:"failed"`   // for other reasons
	Harmless   int64       `json:"harmless"` // sts:GetCallerIdentity, which no policy denies
	Nodes      []Node      `json:"nodes"`
	Weakened   []Weakening `json:"weakened"`
	Minted     []Minting   `json:"minted"`
	NotDone    []string    `json:"not_done"` // automatic actions of contain and revoke that the journal does not show as standing
}

// Link is why a call counts as one of the lineage.
type Link string

// The links to the lineage. A call that is only like those of the lineage is
// shown and does not count.
const (
	LinkCredential Link = "credential" // signed with a credential of the lineage
	LinkDescendant Link = "descendant" // … or one that such a call issued since
	LinkTraced     Link = "traced"     // a trace of the later log says so
	LinkDenied     Link = "denied"     // of a user or role that may do nothing at all
	LinkAddress    Link = "address"    // of a principal of the lineage, from an address of the intruder alone
	LinkPossible   Link = "possible"   // of the same user or session name, by another credential
)

// Node is what one credential did since it was contained.
type Node struct {
	AccessKeyID  string      `json:"access_key_id"`
	PrincipalID  string      `json:"principal_id"`
	PrincipalARN string      `json:"principal_arn"`
	Link         Link        `json:"link"`
	Action       string      `json:"action"` // of the plan that should have stopped it; "" for none
	ContainedAt  *time.Time  `json:"contained_at"`
	Succeeded    int64       `json:"succeeded"`
	Settling     int64       `json:"settling"` // of Succeeded, within two minutes of ContainedAt: a policy takes time to bind
	Denied       int64       `json:"denied"`
	Failed       int64       `json:"failed"`
	Harmless     int64       `json:"harmless"`
	First        time.Time   `json:"first"`
	Last         time.Time   `json:"last"`
	Calls        []CallCount `json:"calls"` // that succeeded
	SourceIPs    []string    `json:"source_ips"`
	EventIDs     []string    `json:"event_ids"` // the first 1,000

	counts map[string]int64
	ips    map[string]bool
}

// Minting is a credential that came into being through the lineage since it was
// contained, or for a principal that the plan denies.
type Minting struct {
	EventID     string    `json:"event_id"`
	Time        time.Time `json:"time"`
	Call        string    `json:"call"`
	By          string    `json:"by"` // ARN
	AccessKeyID string    `json:"access_key_id"`
	InLineage   bool      `json:"in_lineage"` // false: somebody else made it, perhaps the owner's new one
}

// settling is how long a change of IAM may take to be seen everywhere:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency.
const settling = 2 * time.Minute

// refused are the errors of calls that AWS did not let through.
var refused = regexp.MustCompile(`(?i)denied|unauthorized|forbidden|not ?authorized|InvalidClientTokenId|UnrecognizedClient|AuthFailure|ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch`)

// ErrNothingAfter says that a case holds no event of the time since a plan was
// carried out.
var ErrNothingAfter = errors.New("the case holds nothing of the time since")

// CheckAfter looks at what the log of a case holds since a plan was carried out: by
// the times of its journal, or without one (nil) after the plan's log_through.
func CheckAfter(ctx context.Context, c *query.Case, p *Plan, journal io.Reader) (*Aftermath, error) {
	digest, err := p.ComputeDigest()
	if err != nil {
		return nil, err
	}
	found := &Aftermath{Keys: p.Keys, PlanDigest: digest, Nodes: []Node{}, Weakened: []Weakening{}, Minted: []Minting{}, NotDone: []string{}}
	k := &checker{c: c, plan: p, found: found, held: map[string]Link{}}
	if err := k.carriedOut(journal); err != nil {
		return nil, err
	}
	if err := k.readCase(ctx); err != nil {
		return nil, err
	}
	if err := learn(ctx, c, k.denials); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if err := k.findDescendants(ctx); err != nil {
		return nil, fmt.Errorf("check: read what was issued since: %w", err)
	}
	if err := k.findActivity(ctx); err != nil {
		return nil, fmt.Errorf("check: read what the lineage did since: %w", err)
	}
	if err := k.findWeakened(ctx); err != nil {
		return nil, fmt.Errorf("check: read what became of the denies: %w", err)
	}
	if err := k.findSCPsUndone(ctx); err != nil {
		return nil, fmt.Errorf("check: read what became of the service control policies: %w", err)
	}
	slices.SortStableFunc(found.Weakened, func(a, b Weakening) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.EventID, b.EventID))
	})
	found.Clean = found.Succeeded == 0 && len(found.Weakened) == 0
	return found, nil
}

// checker makes one Aftermath.
type checker struct {
	c       *query.Case
	plan    *Plan
	found   *Aftermath
	denials []*denial       // that were put on, each with its times
	done    []*doneAction   // all that was carried out
	held    map[string]Link // access key ids
	ips     []string        // from which the intruder alone came
}

// carriedOut finds what stands and since when.
func (k *checker) carriedOut(journal io.Reader) error {
	containing := func(a *Action) bool { return a.Mode == Auto && (a.Phase == Contain || a.Phase == Revoke) }
	if journal == nil {
		var done []Action
		for i := range k.plan.Actions {
			if containing(&k.plan.Actions[i]) {
				done = append(done, k.plan.Actions[i])
			}
		}
		k.found.Since, k.found.SinceWhy = k.plan.LogThrough.UTC(), "no journal lies beside the plan: after the newest event that it knows of"
		k.denials = denialsOf(done, k.found.Since)
		for _, d := range k.denials {
			d.at = k.found.Since
		}
		for i := range done {
			k.done = append(k.done, &doneAction{Action: &done[i], at: k.found.Since})
		}
		return nil
	}
	entries, _, err := readEntries(journal)
	if err != nil {
		return fmt.Errorf("read the journal beside the plan: %w", err)
	}
	if err := k.ofThisPlan(entries); err != nil {
		return err
	}
	standing := map[string]bool{}
	reader := newDenialReader()
	for _, d := range deeds(entries) {
		if !d.stands() || isRead(d.before.Operation) {
			continue
		}
		at := d.after.Time.UTC()
		if k.found.Since.IsZero() || at.Before(k.found.Since) {
			k.found.Since = at
		}
		a := k.actionOf(d)
		standing[a.ID] = true
		for _, earlier := range k.done {
			if earlier.until.IsZero() && earlier.Action.AccountID == a.AccountID && samePlace(earlier.call(), a.call()) {
				earlier.until = at
			}
		}
		k.done = append(k.done, &doneAction{Action: &a, at: at})
		for _, earlier := range k.denials {
			if earlier.until.IsZero() && undoesCall(&a, earlier) {
				earlier.until = at
			}
		}
		reader.prepare(&a)
		for _, denial := range reader.read(&a, at) {
			denial.at = at
			k.denials = append(k.denials, denial)
		}
	}
	if k.found.Since.IsZero() {
		return errors.New("the journal beside the plan shows no call that stands: carry the plan out with --apply first")
	}
	k.found.SinceWhy = "the first call in the journal that stands"
	for i := range k.plan.Actions {
		if a := &k.plan.Actions[i]; containing(a) && !standing[a.ID] {
			k.found.NotDone = append(k.found.NotDone, a.ID)
		}
	}
	return nil
}

// ofThisPlan refuses the journal of another plan.
func (k *checker) ofThisPlan(entries []entry) error {
	other := false
	for _, e := range entries {
		if e.Plan == k.plan.Digest {
			return nil
		}
		other = other || e.Plan != ""
	}
	if other {
		return errors.New("the journal beside the plan is of another plan: name the plan that was carried out")
	}
	return nil
}

// actionOf is what was called, which may be a fallback, with the values as sent.
func (k *checker) actionOf(d *deed) Action {
	a := Action{ID: d.before.Action, Phase: Contain, Mode: Auto}
	if i := slices.IndexFunc(k.plan.Actions, func(p Action) bool { return p.ID == a.ID }); i >= 0 {
		a = k.plan.Actions[i]
		a.Mode, a.ForEach = Auto, nil // it is done
	}
	a.AccountID, a.Service, a.Operation, a.Parameters = d.before.AccountID, d.before.Service, d.before.Operation, d.before.Parameters
	if d.before.Rollback != nil {
		a.Rollback = d.before.Rollback
	}
	return a
}

// readCase reads how far the case reaches, and from its lineage, where it has
// one, from where the intruder came.
func (k *checker) readCase(ctx context.Context) error {
	var newest sql.NullTime
	if err := k.c.DB.QueryRowContext(ctx, `SELECT max(event_time) FROM events`).Scan(&newest); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	k.found.LogThrough = newest.Time.UTC()
	if !newest.Valid || !k.found.LogThrough.After(k.found.Since) {
		return fmt.Errorf("%w %s: load a later export with `trailscan ingest`", ErrNothingAfter, moment(k.found.Since))
	}
	for _, id := range slices.Concat(k.plan.Lineage.AccessKeyIDs, k.plan.Keys) {
		k.held[id] = LinkCredential
	}
	l, err := lineage.Load(ctx, k.c)
	switch {
	case errors.Is(err, lineage.ErrNotTraced):
		return nil
	case err != nil:
		return err
	}
	if !slices.Equal(slices.Sorted(slices.Values(l.Keys)), slices.Sorted(slices.Values(k.plan.Keys))) {
		return fmt.Errorf("the plan is about %s and the case holds the lineage of %s: name the plan's case", strings.Join(k.plan.Keys, ", "), strings.Join(l.Keys, ", "))
	}
	k.found.Traced = l.AsOf.After(k.found.Since)
	theirs, shared := map[string]bool{}, map[string]bool{}
	for _, c := range l.Credentials {
		for _, u := range c.Uses {
			for _, ip := range u.SourceIPs {
				theirs[ip] = theirs[ip] || u.Actor == lineage.Intruder
				shared[ip] = shared[ip] || u.Actor == lineage.Owner
			}
		}
	}
	maps.DeleteFunc(theirs, func(ip string, intruder bool) bool {
		return !intruder || shared[ip] || strings.HasSuffix(ip, ".amazonaws.com") || ip == "AWS Internal"
	})
	k.ips = slices.Sorted(maps.Keys(theirs))
	return nil
}

// placeholders are for an IN list, with its values added to args. An empty list
// holds nothing.
func placeholders(values []string, args *[]any) string {
	if len(values) == 0 {
		return "(NULL)"
	}
	for _, v := range values {
		*args = append(*args, v)
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")"
}

// findDescendants adds what credentials of the lineage issued since, and what
// that issued.
func (k *checker) findDescendants(ctx context.Context) error {
	fresh := slices.Sorted(maps.Keys(k.held))
	for len(fresh) > 0 {
		args := []any{k.found.Since}
		rows, err := k.c.DB.QueryContext(ctx, `
			SELECT DISTINCT issued_access_key_id FROM events
			WHERE event_time > ? AND coalesce(error_code, '') = '' AND issued_access_key_id IS NOT NULL AND access_key_id IN `+placeholders(fresh, &args)+`
			ORDER BY 1`, args...)
		if err != nil {
			return err
		}
		fresh = nil
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return errors.Join(err, rows.Close())
			}
			if k.held[id] == "" {
				k.held[id] = LinkDescendant
				fresh = append(fresh, id)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// stands says that a denial stood at a time.
func (d *denial) stands(at time.Time) bool {
	return at.After(d.at) && (d.until.IsZero() || at.Before(d.until))
}

// ownAgent tells trailscan's own calls by the user agent that it sends.
func ownAgent(agent string) bool { return strings.Contains(agent, "trailscan/") }
