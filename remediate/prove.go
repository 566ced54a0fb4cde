package remediate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
)

// Proof is what a plan's denials would have done to the calls that the log
// holds, had they stood from a moment on, and which credentials they leave. Its
// JSON is what `plan --prove --format json` writes.
type Proof struct {
	Keys       []string  `json:"keys"`
	PlanDigest string    `json:"plan_digest"` // of the plan as it was proven
	Sealed     bool      `json:"sealed"`      // false: the plan was changed after it was made, and --apply refuses it
	At         time.Time `json:"at"`          // since when the denials are taken to stand
	AtWhy      string    `json:"at_why"`
	LogThrough time.Time `json:"log_through"` // the newest event that the lineage knows of
	Intruder   Replay    `json:"intruder"`
	Others     Impact    `json:"others"`
	Steps      []Step    `json:"steps"`  // one for each action that ends a credential or gives one back
	Phases     []Stage   `json:"phases"` // what is left after each phase
}

// Replay is what became of the intruder's calls since Proof.At.
type Replay struct {
	Events        int64         `json:"events"`
	Succeeded     int64         `json:"succeeded"` // of them without an error, in the log
	Unclear       int64         `json:"unclear"`   // of them that the lineage cannot tell from the owner's
	Blocked       int64         `json:"blocked"`
	BlockedIfDone int64         `json:"blocked_if_done"`
	NotBlocked    int64         `json:"not_blocked"`
	Groups        []ReplayGroup `json:"groups"` // not blocked first
}

// ReplayGroup is calls of one caller with one verdict for one reason.
type ReplayGroup struct {
	Verdict      Verdict     `json:"verdict"`
	Reason       Reason      `json:"reason"`
	Why          string      `json:"why"`
	Action       string      `json:"action"` // that blocks, or is nearest to it; "" for none
	Mode         Mode        `json:"mode"`   // of the action
	PrincipalARN string      `json:"principal_arn"`
	Events       int64       `json:"events"`
	Succeeded    int64       `json:"succeeded"`
	First        time.Time   `json:"first"`
	Last         time.Time   `json:"last"`
	Calls        []CallCount `json:"calls"`
	EventIDs     []string    `json:"event_ids"` // the first 1,000

	counts map[string]int64
}

// maxProofIDs bounds the event ids of a group; its events give the number.
const maxProofIDs = 1000

// ProveOptions choose what is proven.
type ProveOptions struct {
	At     time.Time // zero: when the key was compromised
	Sealed bool      // whether the plan's digest is its content's
}

// Prove replays the log of a case against a plan. It is the plan given that is
// proven, whatever the planner would write; the case must hold its lineage.
func Prove(ctx context.Context, c *query.Case, l *lineage.Lineage, p *Plan, o ProveOptions) (*Proof, error) {
	if keys := slices.Sorted(slices.Values(l.Keys)); !slices.Equal(keys, slices.Sorted(slices.Values(p.Keys))) {
		return nil, fmt.Errorf("the plan is about %s and the case holds the lineage of %s: run `trailscan trace %s` or name the plan's case",
			strings.Join(p.Keys, ", "), strings.Join(keys, ", "), strings.Join(p.Keys, " "))
	}
	digest, err := p.ComputeDigest()
	if err != nil {
		return nil, err
	}
	proof := &Proof{
		Keys: p.Keys, PlanDigest: digest, Sealed: o.Sealed, At: o.At.UTC(), AtWhy: "as --at says", LogThrough: l.AsOf.UTC(),
		Steps: []Step{}, Phases: []Stage{},
	}
	if o.At.IsZero() {
		proof.At, proof.AtWhy = l.CompromisedSince.UTC(), "the compromise; "+cmp.Or(l.CompromisedSinceWhy, "as the trace has it")
	}
	v := &prover{c: c, lineage: l, plan: p, proof: proof, denials: denialsOf(p.Actions, proof.At)}
	if err := learn(ctx, c, v.denials); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	v.guard = newGuard(v.denials)
	if err := v.replay(ctx); err != nil {
		return nil, fmt.Errorf("prove: replay the intruder's calls: %w", err)
	}
	if err := v.others(ctx); err != nil {
		return nil, fmt.Errorf("prove: look at the calls of others: %w", err)
	}
	if err := v.stages(ctx); err != nil {
		return nil, fmt.Errorf("prove: read the intruder's ways back: %w", err)
	}
	return proof, nil
}

// prover makes one proof.
type prover struct {
	c       *query.Case
	lineage *lineage.Lineage
	plan    *Plan
	proof   *Proof
	denials []*denial
	guard   *guard
	// void are the credentials that would not exist, with the judgment on the call
	// that they rest on.
	void map[string]judgment
}

// requestColumns are those that requestRow reads, after callerColumns.
const requestColumns = callerColumns + `, e.event_time, e.event_source, e.event_name, e.aws_region, e.source_ip_address, e.user_agent, e.event_type,
	e.account_id, e.request_parameters, e.resources`

type requestRow struct {
	callerRow
	when                                                               sql.NullTime
	source, name, region, ip, agent, event, account, params, resources sql.NullString
}

func (r *requestRow) into() []any {
	return append(r.callerRow.into(), &r.when, &r.source, &r.name, &r.region, &r.ip, &r.agent, &r.event, &r.account, &r.params, &r.resources)
}

func (r *requestRow) request() *request {
	source, name := shortSource(r.source.String), shortName(r.name.String)
	q := &request{
		caller: r.caller(), time: r.when.Time.UTC(), call: source + ":" + name, actions: actionsOf(source, name), region: r.region.String,
		sourceIP: r.ip.String, userAgent: r.agent.String, event: r.event.String, account: r.callerRow.account.String, params: parseJSON(r.params.String),
	}
	if r.account.Valid {
		q.account = r.account.String
	}
	q.resources = resourcesOf(source, q.region, q.account, q.params, parseJSON(r.resources.String))
	return q
}

// replay judges the intruder's calls since the moment of the proof.
func (v *prover) replay(ctx context.Context) error {
	if err := v.findVoid(ctx); err != nil {
		return err
	}
	rows, err := v.c.DB.QueryContext(ctx, `
		SELECT `+requestColumns+`, e.event_id, le.credential_id, le.actor, coalesce(e.error_code, '') = '' AND coalesce(e.error_message, '') = ''
		FROM lineage_events le JOIN events e ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE le.actor <> 'owner' AND e.event_time >= ?
		ORDER BY e.event_time, e.event_id`, v.proof.At)
	if err != nil {
		return err
	}
	defer rows.Close()
	type key struct {
		verdict           Verdict
		reason            Reason
		action, principal string
	}
	groups := map[key]*ReplayGroup{}
	sum := &v.proof.Intruder
	for rows.Next() {
		var row requestRow
		var id, credential, actor sql.NullString
		var succeeded bool
		if err := rows.Scan(append(row.into(), &id, &credential, &actor, &succeeded)...); err != nil {
			return err
		}
		r := row.request()
		v.centerUser(r, credential.String)
		j := v.guard.judge(r)
		if rests, ok := v.void[credential.String]; ok && stronger(rests.verdict, j.verdict) {
			j = judgment{rests.verdict, ReasonNeverIssued, rests.by}
		}
		k := key{j.verdict, j.reason, j.action(), r.principal()}
		g := groups[k]
		if g == nil {
			g = &ReplayGroup{Verdict: j.verdict, Reason: j.reason, Why: j.reason.Words(), Action: k.action, PrincipalARN: k.principal,
				First: r.time, EventIDs: []string{}, counts: map[string]int64{}}
			if j.by != nil {
				g.Mode = j.by.action.Mode
			}
			groups[k] = g
		}
		g.Events++
		g.Last = r.time
		g.counts[r.call]++
		if len(g.EventIDs) < maxProofIDs {
			g.EventIDs = append(g.EventIDs, id.String)
		}
		sum.Events++
		if succeeded {
			sum.Succeeded++
			g.Succeeded++
		}
		if actor.String == string(lineage.Unclear) {
			sum.Unclear++
		}
		switch j.verdict {
		case WouldBlock:
			sum.Blocked++
		case WouldBlockIfDone:
			sum.BlockedIfDone++
		default:
			sum.NotBlocked++
		}
	}
	sum.Groups = make([]ReplayGroup, 0, len(groups))
	for _, g := range groups {
		g.Calls = callCounts(g.counts)
		sum.Groups = append(sum.Groups, *g)
	}
	slices.SortFunc(sum.Groups, func(a, b ReplayGroup) int {
		return cmp.Or(verdictRank(a.Verdict)-verdictRank(b.Verdict), a.First.Compare(b.First), strings.Compare(a.PrincipalARN, b.PrincipalARN),
			strings.Compare(string(a.Reason), string(b.Reason)), strings.Compare(a.Action, b.Action))
	})
	return rows.Err()
}

func verdictRank(v Verdict) int {
	return slices.Index([]Verdict{WouldNotBlock, WouldBlockIfDone, WouldBlock}, v)
}

// stronger says that a verdict keeps more out than another.
func stronger(a, b Verdict) bool { return verdictRank(a) > verdictRank(b) }

func (j judgment) action() string {
	if j.by == nil {
		return ""
	}
	return j.by.action.ID
}
