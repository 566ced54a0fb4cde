package remediate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"trailscan/query"
)

// is says that a denial is on this user or role. A name may stand for another one
// later, and a renamed user did its earlier calls under another name: unique ids
// decide where both are known.
func (d *denial) is(s subject, id string) bool {
	if d.holder.account != s.account || d.holder.kind != s.kind {
		return false
	}
	named := d.holder.name == s.name
	if d.id != "" && (strings.HasPrefix(id, "AIDA") || strings.HasPrefix(id, "AROA")) {
		return d.id == id && (named || d.renamed)
	}
	return named
}

// learn reads from a case what names of denials stand for.
func learn(ctx context.Context, c *query.Case, denials []*denial) error {
	if err := findSets(ctx, c, denials); err != nil {
		return err
	}
	return findRenamed(ctx, c, denials)
}

// findSets names the permission sets of denials, by the calls that made them.
func findSets(ctx context.Context, c *query.Case, denials []*denial) error {
	if !slices.ContainsFunc(denials, func(d *denial) bool { return d.kind == bySet }) {
		return nil
	}
	rows, err := c.DB.QueryContext(ctx, `
		SELECT json_extract_string(response_elements, '$.permissionSet.permissionSetArn'), json_extract_string(request_parameters, '$.name')
		FROM events WHERE event_source LIKE 'sso.%' AND event_name = 'CreatePermissionSet' AND coalesce(error_code, '') = ''
		ORDER BY event_time, event_id`)
	if err != nil {
		return fmt.Errorf("read the names of permission sets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var arn, name sql.NullString
		if err := rows.Scan(&arn, &name); err != nil {
			return fmt.Errorf("read the names of permission sets: %w", err)
		}
		for _, d := range denials {
			if d.kind == bySet && d.holder.name == arn.String {
				d.name = name.String
			}
		}
	}
	return rows.Err()
}

// findRenamed marks the denials on users that the log shows to have got their
// name later.
func findRenamed(ctx context.Context, c *query.Case, denials []*denial) error {
	rows, err := c.DB.QueryContext(ctx, `
		SELECT DISTINCT account_id, request_parameters FROM events
		WHERE event_source LIKE 'iam.%' AND event_name = 'UpdateUser' AND coalesce(error_code, '') = ''`)
	if err != nil {
		return fmt.Errorf("read who was renamed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account, params sql.NullString
		if err := rows.Scan(&account, &params); err != nil {
			return fmt.Errorf("read who was renamed: %w", err)
		}
		name, _ := dig(parseJSON(params.String), []string{"newUserName"}).(string)
		for _, d := range denials {
			d.renamed = d.renamed || name != "" && d.holder == subject{account.String, "user", name}
		}
	}
	return rows.Err()
}
