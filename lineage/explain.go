package lineage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/query"
)

// ErrNotInLineage is an id that the lineage does not hold.
var ErrNotInLineage = errors.New("not in the lineage")

// Explanation tells how one id came into the lineage, and its end. Its JSON is
// what trace --explain writes.
type Explanation struct {
	ID   string   `json:"id"`
	Keys []string `json:"keys"` // the roots of the lineage
	// Subjects are the credentials and principals that the id stands for: an ARN
	// stands for the principal and for all credentials that act as it.
	Subjects []Subject `json:"subjects"`
}

// Subject is a credential or a principal with the ways that led to it.
type Subject struct {
	ID         string      `json:"id"`         // credential id or principal ARN
	Credential *Credential `json:"credential"` // nil for a principal
	// Principals say how the principal, or the one that the credential acts as,
	// came into the lineage.
	Principals []Principal `json:"principals"`
	Ways       []Way       `json:"ways"` // by time; none for a root
}

// Way is a chain of steps from a root to a subject.
type Way struct {
	Certainty Certainty `json:"certainty"` // of its weakest step
	Steps     []Step    `json:"steps"`
}

// Step is one event on the way. What the case does not hold of it is "".
type Step struct {
	Number       int       `json:"number"`
	Time         time.Time `json:"time"`
	From         string    `json:"from"` // credential id or principal ARN
	To           string    `json:"to"`
	Via          string    `json:"via"`
	EventID      string    `json:"event_id"`
	AccountID    string    `json:"account_id"`
	Region       string    `json:"region"`
	PrincipalARN string    `json:"principal_arn"` // who called
	AccessKeyID  string    `json:"access_key_id"`
	SourceIP     string    `json:"source_ip"`
	UserAgent    string    `json:"user_agent"`
	Certainty    Certainty `json:"certainty"`
	Why          string    `json:"why"`
}

// Explain tells of an id of a lineage (an access key id, one of a console
// session's, a credential id, a principal's or session's ARN, a principal id)
// by which events it came into it. The error is ErrNotInLineage where the lineage
// does not hold the id.
func Explain(ctx context.Context, c *query.Case, l *Lineage, id string) (*Explanation, error) {
	e := &explainer{l: l, into: map[string][]*Edge{}, credentials: map[string]*Credential{}}
	for i := range l.Credentials {
		e.credentials[l.Credentials[i].ID] = &l.Credentials[i]
	}
	for i := range l.Edges {
		e.into[l.Edges[i].To] = append(e.into[l.Edges[i].To], &l.Edges[i])
	}
	x := &Explanation{ID: id, Keys: l.Keys, Subjects: e.subjects(id)}
	if len(x.Subjects) == 0 {
		return nil, e.missing(ctx, c, id)
	}
	if err := x.lookUp(ctx, c); err != nil {
		return nil, fmt.Errorf("explain %s: %w", id, err)
	}
	return x, nil
}

// explainer finds ways through a lineage.
type explainer struct {
	l           *Lineage
	into        map[string][]*Edge
	credentials map[string]*Credential
}

// missing says what to do about an id that the lineage does not hold.
func (e *explainer) missing(ctx context.Context, c *query.Case, id string) error {
	var known bool
	err := c.DB.QueryRowContext(ctx, `SELECT EXISTS (FROM events WHERE access_key_id = ? OR issued_access_key_id = ? OR identity_arn = ?
		OR session_issuer_arn = ? OR issued_principal_arn = ? OR principal_id = ?)`, id, id, id, id, id, id).Scan(&known)
	if err != nil {
		return fmt.Errorf("explain %s: %w", id, err)
	}
	keys := strings.Join(e.l.Keys, ", ")
	if known {
		return fmt.Errorf("%s is %w of %s, though the case holds events of it: see them with `trailscan timeline`, or trace it for itself; --all-use follows the owner's use of the key too",
			id, ErrNotInLineage, keys)
	}
	return fmt.Errorf("%s is %w of %s and in no event of the case: take an id from `trailscan trace`, and check that the logs cover its account and time", id, ErrNotInLineage, keys)
}

// subjects are what an id stands for: principals first, then credentials by time.
func (e *explainer) subjects(id string) []Subject {
	var subjects []Subject
	seen := map[string]bool{}
	for _, p := range e.l.Principals {
		if p.ARN != id && (p.PrincipalID != id || id == "") {
			continue
		}
		if !seen[p.ARN] {
			seen[p.ARN] = true
			subjects = append(subjects, Subject{ID: p.ARN, Ways: e.ways(p.ARN)})
		}
		for i := range subjects {
			if subjects[i].ID == p.ARN {
				subjects[i].Principals = append(subjects[i].Principals, p)
			}
		}
	}
	for i := range e.l.Credentials {
		c := &e.l.Credentials[i]
		if id != "" && (c.ID == id || slices.Contains(c.AccessKeyIDs, id) || c.PrincipalARN == id || c.PrincipalID == id) {
			subjects = append(subjects, Subject{ID: c.ID, Credential: c, Principals: e.holds(c), Ways: e.ways(c.ID)})
		}
	}
	return subjects
}

// ways are the chains to an id: one for each event that led to it.
func (e *explainer) ways(id string) []Way {
	ways := []Way{}
	if c := e.credentials[id]; c != nil && c.Parent == nil {
		return ways
	}
	for _, last := range e.into[id] {
		w := Way{Certainty: Confirmed}
		for _, edge := range e.upstream(last) {
			w.Certainty = weaker(w.Certainty, edge.Certainty)
			w.Steps = append(w.Steps, Step{Number: len(w.Steps) + 1, Time: edge.Time, From: edge.From, To: edge.To, Via: edge.Via,
				EventID: edge.EventID, Certainty: edge.Certainty, Why: edge.Why})
		}
		ways = append(ways, w)
	}
	return ways
}

// upstream is the chain of edges from a root that ends with one. Above the last
// edge it goes by how each credential was issued and each principal first taken.
// Roles may assume each other, so no id is passed twice.
func (e *explainer) upstream(last *Edge) []*Edge {
	chain := []*Edge{last}
	passed := map[string]bool{last.To: true}
	for at := last; ; {
		passed[at.From] = true
		edge := e.origin(at.From, at.Time.Add(clockSkew), passed)
		if edge == nil {
			break
		}
		chain = append(chain, edge)
		at = edge
	}
	slices.Reverse(chain)
	return chain
}

// origin is the edge by which an id first came into the lineage, not after a
// moment and from nothing that was passed: nil for a root.
func (e *explainer) origin(id string, until time.Time, passed map[string]bool) *Edge {
	var first *Edge
	c := e.credentials[id]
	if c != nil && c.Parent == nil {
		return nil
	}
	for _, edge := range e.into[id] {
		if passed[edge.From] || edge.Time.After(until) {
			continue
		}
		if c != nil && edge.EventID == c.IssuedEventID {
			return edge
		}
		if first == nil {
			first = edge
		}
	}
	return first
}

// holds tells the principals whose permissions a credential has, as the lineage
// lists them.
func (e *explainer) holds(c *Credential) []Principal {
	held := []Principal{}
	h := (&node{cred: *c}).holder()
	for _, p := range e.l.Principals {
		if a, ok := parseARN(p.ARN); ok && a.kind == h.kind && a.account == h.account && a.name == h.name {
			held = append(held, p)
		}
	}
	return held
}

// lookUp fills in what the case holds of the events of all steps.
func (x *Explanation) lookUp(ctx context.Context, c *query.Case) error {
	steps := map[string][]*Step{}
	var ids []any
	for i := range x.Subjects {
		for j := range x.Subjects[i].Ways {
			for k := range x.Subjects[i].Ways[j].Steps {
				s := &x.Subjects[i].Ways[j].Steps[k]
				if s.EventID == "" {
					continue
				}
				if steps[s.EventID] == nil {
					ids = append(ids, s.EventID)
				}
				steps[s.EventID] = append(steps[s.EventID], s)
			}
		}
	}
	for batch := range slices.Chunk(ids, 1000) {
		if err := lookUpEvents(ctx, c, batch, steps); err != nil {
			return err
		}
	}
	return nil
}

func lookUpEvents(ctx context.Context, c *query.Case, ids []any, steps map[string][]*Step) error {
	rows, err := c.DB.QueryContext(ctx, `SELECT event_id, event_time, coalesce(account_id, ''), coalesce(aws_region, ''),
		    coalesce(identity_arn, principal_id, invoked_by, ''), coalesce(access_key_id, ''), coalesce(source_ip_address, ''), coalesce(user_agent, '')
		FROM events WHERE event_id IN (`+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+`)
		ORDER BY event_time, source_id, record_index`, ids...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s Step
		if err := rows.Scan(&s.EventID, &s.Time, &s.AccountID, &s.Region, &s.PrincipalARN, &s.AccessKeyID, &s.SourceIP, &s.UserAgent); err != nil {
			return err
		}
		for _, step := range steps[s.EventID] {
			// An id that conflicts stands for several events; that of the step's
			// time is meant. Edges of code that ran later bear another time.
			if step.AccountID == "" || step.Time.Equal(s.Time.UTC()) {
				step.AccountID, step.Region, step.PrincipalARN = s.AccountID, s.Region, s.PrincipalARN
				step.AccessKeyID, step.SourceIP, step.UserAgent = s.AccessKeyID, s.SourceIP, s.UserAgent
			}
		}
	}
	return rows.Err()
}
