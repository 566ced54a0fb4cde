package remediate

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// doneAction is an action that was carried out, and since when and until when
// what it did stands.
type doneAction struct {
	*Action
	at, until time.Time
}

func (a *doneAction) stands(at time.Time) bool {
	return a.Phase != Restore && at.After(a.at) && (a.until.IsZero() || at.Before(a.until))
}

// undoneBy says what a call undid of an action, "" for nothing: it is the call
// that takes the action back, or puts another policy in the place of the action's.
func (a *doneAction) undoneBy(r *request, denies bool) string {
	if r.account != a.AccountID {
		return ""
	}
	_, name := splitCall(r.call)
	for _, c := range a.Rollback {
		again := c.Operation == a.Operation && sameParameters(c.Parameters, a.Parameters)
		if c.Operation == name && !again && asks(r.params, c.Parameters, true) {
			return "taken back: " + a.Title
		}
	}
	isPolicy := func(v any) bool { s, ok := v.(string); return ok && strings.Contains(s, `"Statement"`) }
	for _, v := range a.Parameters {
		if isPolicy(v) && !denies && a.Operation == name && asks(r.params, a.Parameters, false) && !holdsValue(r.params, v) {
			return "another policy was written since: " + a.Title
		}
	}
	return ""
}

// asks says whether a request is about what parameters name; whole, that it holds
// their documents and settings too.
func asks(request any, parameters map[string]any, whole bool) bool {
	said := leaves(request)
	some := false
	for _, v := range parameters {
		text, isText := v.(string)
		switch {
		case !isText || strings.HasPrefix(strings.TrimSpace(text), "{"):
			if whole && !holdsValue(request, v) {
				return false
			}
		case !said[text] && !said[lastSegment(text)]:
			return false
		default:
			some = true
		}
	}
	return some
}

// holdsValue says whether a request holds a value of an SDK's call, whose members
// CloudTrail spells with a small letter.
func holdsValue(request, v any) bool {
	if text, ok := v.(string); ok {
		m, _ := request.(map[string]any)
		for _, e := range m {
			if same(e, text, time.Time{}) {
				return true
			}
		}
		return false
	}
	said := leaves(request)
	for leaf := range leaves(plainJSON(v)) {
		if !said[leaf] {
			return false
		}
	}
	return true
}

// statementsIn are the statements of a policy.
func statementsIn(policy string) []any {
	var document struct{ Statement any }
	if json.Unmarshal([]byte(policy), &document) != nil {
		return nil
	}
	if list, ok := document.Statement.([]any); ok {
		return list
	}
	return []any{document.Statement}
}

// holdsStatements says whether a policy has all statements of another, whatever
// else it has. The time that a person puts in place of TIME may be any.
func holdsStatements(policy, wanted string) bool {
	theirs, ours := statementsIn(policy), statementsIn(strings.ReplaceAll(wanted, `"`+stopTime+`"`, `"`+Now+`"`))
	for _, s := range ours {
		if !slices.ContainsFunc(theirs, func(t any) bool { return same(t, s, time.Time{}) }) {
			return false
		}
	}
	return len(ours) > 0
}

// scpCalls are the calls that make, change and take off service control policies.
var scpCalls = []string{"CreatePolicy", "UpdatePolicy", "DetachPolicy", "DeletePolicy", "DisablePolicyType", "LeaveOrganization", "RemoveAccountFromOrganization"}

// findSCPsUndone looks in the log of the management account for the service
// control policies that the plan gave a person, by their text, and for what
// became of them.
func (k *checker) findSCPsUndone(ctx context.Context) error {
	var ours []*denial
	for _, d := range denialsOf(k.plan.Actions, k.found.Since) {
		if d.kind == bySCP {
			ours = append(ours, d)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	var args []any
	rows, err := k.c.DB.QueryContext(ctx, `
		SELECT `+requestColumns+`, e.event_id, e.response_elements
		FROM events e
		WHERE e.event_source LIKE 'organizations.%' AND coalesce(e.error_code, '') = '' AND e.event_name IN `+placeholders(scpCalls, &args)+`
		ORDER BY e.event_time, e.event_id`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	standing := map[string]*denial{} // by the id of the policy
	for rows.Next() {
		var row requestRow
		var id, response sql.NullString
		if err := rows.Scan(append(row.into(), &id, &response)...); err != nil {
			return err
		}
		r := row.request()
		_, name := splitCall(r.call)
		policy := r.text("policyId")
		if name == "CreatePolicy" {
			policy, _ = dig(parseJSON(response.String), strings.Split("policy.policySummary.id", ".")).(string)
		}
		note := func(d *denial, what string) {
			held := k.held[r.accessKey] != ""
			if r.time.After(k.found.Since) && (held || !ownAgent(r.userAgent)) {
				k.found.Weakened = append(k.found.Weakened, Weakening{id.String, r.time, r.call, d.action.ID, what, r.arn, r.accessKey, r.sourceIP, held})
			}
		}
		d := standing[policy]
		about := "the service control policy " + policy + ", which denies,"
		switch name {
		case "CreatePolicy", "UpdatePolicy":
			text := r.text("content")
			i := slices.IndexFunc(ours, func(d *denial) bool { return holdsStatements(text, d.text) })
			switch {
			case policy == "" || text == "": // its name alone
			case i >= 0:
				standing[policy] = ours[i]
			case d != nil:
				note(d, about+" was replaced by a text without its statements")
				delete(standing, policy)
			}
		case "DetachPolicy":
			if d != nil {
				note(d, about+" was detached from "+r.text("targetId"))
			}
		case "DeletePolicy":
			if d != nil {
				note(d, about+" was deleted")
				delete(standing, policy)
			}
		case "DisablePolicyType":
			if r.text("policyType") == "SERVICE_CONTROL_POLICY" {
				for _, d := range inPlanOrder(standing, ours) {
					note(d, "service control policies were switched off for "+r.text("rootId"))
				}
			}
		default: // an account that leaves takes no policy of the organisation with it
			for _, d := range inPlanOrder(standing, ours) {
				if d.account == r.text("accountId") || name == "LeaveOrganization" && d.account == r.account {
					note(d, "account "+d.account+" left the organisation, and with it the service control policy that denies")
				}
			}
		}
	}
	return rows.Err()
}

// inPlanOrder are the denials that stand, in the order of the plan.
func inPlanOrder(standing map[string]*denial, all []*denial) []*denial {
	var out []*denial
	for _, d := range all {
		for _, s := range standing {
			if s == d {
				out = append(out, d)
				break
			}
		}
	}
	return out
}
