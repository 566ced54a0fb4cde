package remediate

import (
	"context"
	"slices"
	"strings"

	"trailscan/lineage"
	"trailscan/query"
)

// loadIssues reads what tells where temporary credentials are from: the calls
// that issued them, who issued federation tokens whose issue is not in the log,
// and what keeps handing out new ones.
func (ev *evidence) loadIssues(ctx context.Context, c *query.Case, l *lineage.Lineage) error {
	ev.federatedBy, ev.issued = map[string]string{}, map[string]*event{}
	var issues, tokens []any
	functions, center := slices.ContainsFunc(ev.events, func(e *event) bool { return e.source == "lambda" }), false
	for _, k := range l.Credentials {
		if k.Kind == lineage.RoleSession && k.IssuedEventID != "" {
			issues = append(issues, k.IssuedEventID)
		}
		if k.Kind == lineage.FederationToken && k.Parent == nil {
			tokens = append(tokens, k.ID)
		}
		functions = functions || k.Kind == lineage.RoleSession
		center = center || strings.Contains(k.PrincipalARN, "AWSReservedSSO_") || strings.Contains(k.PrincipalARN, ":identitystore:")
	}
	for _, r := range l.Principals {
		center = center || strings.HasPrefix(r.Kind, "identity_center")
	}
	var err error
	if len(issues) > 0 {
		found, err := queryEvents(ctx, c, `SELECT `+eventColumns+`, NULL, NULL FROM events e WHERE e.event_id IN (`+marks(len(issues))+`)`, issues...)
		if err != nil {
			return err
		}
		for _, e := range found {
			ev.issued[e.id] = e
		}
	}
	if functions {
		ev.throttled, err = queryEvents(ctx, c, `SELECT `+eventColumns+`, NULL, NULL FROM events e WHERE e.event_source = 'lambda.amazonaws.com'
			AND (e.event_name LIKE 'PutFunctionConcurrency%' OR e.event_name LIKE 'DeleteFunctionConcurrency%') AND coalesce(e.error_code, '') = ''`)
		if err != nil {
			return err
		}
	}
	if center {
		ev.center, err = queryEvents(ctx, c, `SELECT `+eventColumns+`, NULL, NULL FROM events e WHERE e.event_source = 'sso.amazonaws.com'
			AND e.event_name IN ('CreatePermissionSet', 'DeletePermissionSet', 'PutInlinePolicyToPermissionSet', 'DeleteInlinePolicyFromPermissionSet',
				'CreateAccountAssignment', 'DeleteAccountAssignment') AND coalesce(e.error_code, '') = ''`)
		if err != nil {
			return err
		}
	}
	if len(tokens) == 0 {
		return nil
	}
	rows, err := c.DB.QueryContext(ctx, `SELECT access_key_id, min(session_issuer_arn) FROM events
		WHERE session_issuer_type = 'IAMUser' AND session_issuer_arn IS NOT NULL AND access_key_id IN (`+marks(len(tokens))+`) GROUP BY 1`, tokens...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, user string
		if err := rows.Scan(&id, &user); err != nil {
			return err
		}
		ev.federatedBy[id] = user
	}
	return rows.Err()
}

// marks are n places for values in a list of SQL.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }
