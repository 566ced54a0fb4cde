package remediate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"trailscan/lineage"
	"trailscan/query"
)

// ownerCall is an API that the owner of a principal used before the compromise.
type ownerCall struct {
	source, name string
	calls        int64
	eventID      string // of one such call
}

// ordinary is what the logs show of ordinary work: what gives the owner a way to
// work again and tells what nobody needs.
type ordinary struct {
	calls   map[string][]ownerCall      // before the compromise, by the unique id of a user or role, the most used first
	mfa     map[string]bool             // ids that signed in with MFA
	regions map[string]map[string]int64 // calls before the compromise, by account and region
}

// loadOrdinary reads the use by owners and the regions that others work in.
func (ev *evidence) loadOrdinary(ctx context.Context, c *query.Case, l *lineage.Lineage) error {
	ev.ordinary = ordinary{calls: map[string][]ownerCall{}, mfa: map[string]bool{}, regions: map[string]map[string]int64{}}
	ids := map[string]bool{}
	for _, k := range l.Credentials {
		id, _, _ := strings.Cut(k.PrincipalID, ":")
		ids[id] = true
	}
	for _, r := range l.Principals {
		ids[r.PrincipalID] = true
	}
	delete(ids, "")
	const others = `FROM events e LEFT JOIN (SELECT * FROM lineage_events WHERE actor <> 'owner') le
			ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE le.source_id IS NULL AND coalesce(e.error_code, '') = ''`
	if len(ids) > 0 {
		args := []any{l.CompromisedSince}
		for _, id := range sortedKeys(ids) {
			args = append(args, id)
		}
		if err := ev.scan(ctx, c, `
			SELECT coalesce(e.session_issuer_principal_id, e.principal_id) AS id, e.event_source, e.event_name,
				count(*) AS n, min(e.event_id), coalesce(bool_or(e.session_mfa), false)
			`+others+` AND e.event_time < ? AND id IN (`+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+`)
			GROUP BY ALL ORDER BY id, n DESC, e.event_source, e.event_name`, args, func(rows *sql.Rows) error {
			var id string
			var source, name, event sql.NullString
			var n int64
			var mfa bool
			if err := rows.Scan(&id, &source, &name, &n, &event, &mfa); err != nil {
				return err
			}
			ev.ordinary.calls[id] = append(ev.ordinary.calls[id], ownerCall{shortSource(source.String), shortName(name.String), n, event.String})
			ev.ordinary.mfa[id] = ev.ordinary.mfa[id] || mfa
			return nil
		}); err != nil {
			return fmt.Errorf("plan: read what the owners called: %w", err)
		}
	}
	err := ev.scan(ctx, c, `
		SELECT e.account_id, e.aws_region, count(*) `+others+` AND e.account_id IS NOT NULL AND e.aws_region IS NOT NULL
			AND e.event_time < ?
		GROUP BY ALL`, []any{l.CompromisedSince}, func(rows *sql.Rows) error {
		var account, region string
		var n int64
		if err := rows.Scan(&account, &region, &n); err != nil {
			return err
		}
		if ev.ordinary.regions[account] == nil {
			ev.ordinary.regions[account] = map[string]int64{}
		}
		ev.ordinary.regions[account][region] = n
		return nil
	})
	if err != nil {
		return fmt.Errorf("plan: read which regions are used: %w", err)
	}
	return nil
}

func (ev *evidence) scan(ctx context.Context, c *query.Case, q string, args []any, row func(*sql.Rows) error) error {
	rows, err := c.DB.QueryContext(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// namedAsCalled are the event sources whose actions actionsOf knows for sure
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
var namedAsCalled = []string{
	"acm", "athena", "autoscaling", "backup", "cloudformation", "cloudtrail", "codebuild", "codecommit", "config", "ec2", "ecr", "ecs", "eks",
	"elasticache", "elasticloadbalancing", "events", "firehose", "glue", "guardduty", "iam", "kinesis", "kms", "lambda", "logs", "monitoring", "organizations",
	"rds", "redshift", "route53", "sagemaker", "secretsmanager", "securityhub", "servicequotas", "sns", "sqs", "ssm", "states", "sts", "wafv2",
}

// callsNamedAlike are the calls of other sources that are named as their action.
var callsNamedAlike = []string{
	"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:GetBucketAcl",
	"s3:GetBucketVersioning", "s3:GetBucketTagging", "s3:CreateBucket",
	"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:Scan",
	"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DescribeTable", "dynamodb:ListTables",
}

// needNoPermission are calls that nothing has to allow.
var needNoPermission = []string{"sts:GetCallerIdentity", "sts:GetSessionToken", "signin:ConsoleLogin"}

// renamedActions are calls of namedAsCalled that need another permission, or
// more than one that the log does not show.
var renamedActions = []string{"iam:CreateServiceLinkedRole", "kms:ReEncrypt", "ecr:PutImage", "sts:AssumeRoot", "lambda:InvokeWithResponseStream"}

// actions gives the IAM actions that calls need, and the calls of which the
// action is not known for sure.
func actions(calls []ownerCall) (known, unsure []string) {
	for _, c := range calls {
		call := c.source + ":" + c.name
		sure := actionNames[call] != nil && !severalOf[call] || slices.Contains(callsNamedAlike, call) ||
			slices.Contains(namedAsCalled, c.source) && wordForm.MatchString(c.name)
		switch {
		case slices.Contains(needNoPermission, call):
		case sure && !slices.Contains(renamedActions, call):
			known = append(known, actionsOf(c.source, c.name)...)
		default:
			unsure = append(unsure, call)
		}
	}
	slices.Sort(known)
	slices.Sort(unsure)
	return slices.Compact(known), slices.Compact(unsure)
}
