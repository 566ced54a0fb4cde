package lineage

import (
	"context"
	"database/sql/driver"
	"time"
)

// bearerUse adds to trace_events what was done with long-term credentials that
// are no access keys: API keys of Bedrock, passwords of CodeCommit, SSH keys,
// certificates. The record bears no access key id. It names the credential, or
// else only the user: what the user never did in this way before is by the
// credential that the lineage made.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_bedrock_cloudwatchlogs.html
func (t *tracer) bearerUse(ctx context.Context, c *closure) error {
	var bearers []int
	for i, n := range c.nodes {
		switch n.cred.Kind {
		case ServiceSpecific, SSHKey, Certificate:
			bearers = append(bearers, i)
		}
	}
	if len(bearers) == 0 {
		return nil
	}
	err := t.table(ctx, "trace_bearers", `node INTEGER, id VARCHAR, principal_id VARCHAR, arn VARCHAR, "from" TIMESTAMP, actor VARCHAR`, len(bearers),
		func(i int) []driver.Value {
			n := c.nodes[bearers[i]]
			return []driver.Value{int32(bearers[i]), n.cred.ID, n.cred.PrincipalID, n.cred.PrincipalARN, n.from.Add(-clockSkew).Truncate(time.Second), string(n.actor)}
		})
	if err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO trace_events
		WITH keyless AS (
		    SELECT source_id, record_index, event_time, event_source, credential_id, principal_id, identity_arn,
		        source_ip_address, vpc_endpoint_id, user_agent, aws_region, shared_event_id, invoked_by FROM events
		    WHERE coalesce(access_key_id, '') = '' AND identity_type = 'IAMUser' AND NOT `+signInSource+`
		        AND (credential_id IN (SELECT id FROM trace_bearers) OR principal_id IN (SELECT principal_id FROM trace_bearers)
		            OR identity_arn IN (SELECT arn FROM trace_bearers WHERE principal_id = ''))
		), users AS (
		    SELECT k.*, b.node, b.actor, b."from", coalesce(k.credential_id = b.id, false) AS named,
		        bool_or(k.event_time < b."from") OVER (PARTITION BY b.node, k.event_source) AS before
		    FROM keyless k JOIN trace_bearers b ON k.credential_id = b.id OR k.principal_id = b.principal_id OR b.principal_id = '' AND k.identity_arn = b.arn
		)
		SELECT source_id, record_index, node, actor, event_time, source_ip_address, vpc_endpoint_id, user_agent, aws_region, shared_event_id,
		    '', coalesce(invoked_by, '')
		FROM users WHERE event_time >= "from" AND (named OR NOT before)
		QUALIFY row_number() OVER (PARTITION BY source_id, record_index ORDER BY named DESC, "from" DESC, node) = 1`)
}
