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

// evidence is what the planner reads of a case.
type evidence struct {
	events   []*event // of the lineage, successful, in order of time
	others   []*event // successful writes of everyone else that touch the same APIs
	accounts map[string]bool
	userIDs  map[subject]string
	byID     map[string]use // calls of others, by the unique id of user or role
	byKey    map[string]use // calls of others, by access key id
	attempts map[string][]string

	administrators []Administrator
	federatedBy    map[string]string // ARN of the user who issued a federation token, by its id
	issued         map[string]*event // the calls that issued temporary credentials, by event id
	center         []*event          // of anybody: how Identity Center gives accounts permission sets
	throttled      []*event          // of anybody: reserved concurrency of functions
	ordinary       ordinary          // what the owner calls
}

// subject is a user or role by the name that the IAM API takes.
type subject struct{ account, kind, name string }

// use is how much others use a principal or key.
type use struct {
	calls    int64
	last     time.Time
	services string
	who      []string // sessions of a role, addresses of a user or key: the first few
	whoCount int64
}

// whoUses tells the users of a role by the names of their sessions, those of a
// user or key by their addresses. What holds a line break is no such name.
const whoUses = `CASE WHEN contains(concat(e.principal_id, e.source_ip_address), chr(10)) THEN NULL
	WHEN e.session_issuer_type = 'Role' AND contains(e.principal_id, ':') THEN split_part(e.principal_id, ':', 2) ELSE e.source_ip_address END`

// usageWindow is how far back use by others counts for the risk of an action.
const usageWindow = 30 * 24 * time.Hour

const eventColumns = `e.event_id, e.event_time, e.event_source, e.event_name, e.aws_region, e.account_id, e.invoked_by,
	e.read_only, e.identity_arn, e.user_identity, e.request_parameters, e.response_elements, e.additional_event_data, e.resources`

func loadEvidence(ctx context.Context, c *query.Case, l *lineage.Lineage) (*evidence, error) {
	ev := &evidence{}
	var err error
	ev.events, err = queryEvents(ctx, c, `
		SELECT `+eventColumns+`, le.credential_id, le.actor
		FROM lineage_events le JOIN events e ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE le.actor <> 'owner' AND coalesce(e.error_code, '') = '' AND coalesce(e.error_message, '') = ''`)
	if err != nil {
		return nil, fmt.Errorf("plan: read the events of the lineage: %w", err)
	}
	if err := ev.loadOthers(ctx, c); err != nil {
		return nil, fmt.Errorf("plan: read what others did to the same things: %w", err)
	}
	if err := ev.loadPrincipals(ctx, c); err != nil {
		return nil, fmt.Errorf("plan: read accounts and principals: %w", err)
	}
	if err := ev.loadUse(ctx, c, l); err != nil {
		return nil, fmt.Errorf("plan: read who else uses the lineage's principals: %w", err)
	}
	if err := ev.loadAttempts(ctx, c); err != nil {
		return nil, fmt.Errorf("plan: read the first uses of the lineage's credentials: %w", err)
	}
	if err := ev.loadAdministrators(ctx, c); err != nil {
		return nil, fmt.Errorf("plan: read who has all rights: %w", err)
	}
	if err := ev.loadIssues(ctx, c, l); err != nil {
		return nil, fmt.Errorf("plan: read who issued the lineage's credentials: %w", err)
	}
	return ev, ev.loadOrdinary(ctx, c, l)
}

func queryEvents(ctx context.Context, c *query.Case, q string, args ...any) ([]*event, error) {
	rows, err := c.DB.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*event
	for rows.Next() {
		var (
			id, source, name, region, account, invokedBy, arn sql.NullString
			identity, request, response, additional, res      sql.NullString
			credential, actor                                 sql.NullString
			readOnly                                          sql.NullBool
			when                                              sql.NullTime
		)
		if err := rows.Scan(&id, &when, &source, &name, &region, &account, &invokedBy, &readOnly, &arn,
			&identity, &request, &response, &additional, &res, &credential, &actor); err != nil {
			return nil, err
		}
		e := &event{
			id: id.String, time: when.Time.UTC(), source: shortSource(source.String), name: shortName(name.String),
			region: region.String, accountID: account.String, invokedBy: invokedBy.String,
			readOnly:   readOnly.Bool || !readOnly.Valid && readName(name.String),
			credential: credential.String, unclear: actor.String == string(lineage.Unclear), identityARN: arn.String,
			identity: parseJSON(identity.String), request: parseJSON(request.String),
			response: parseJSON(response.String), additional: parseJSON(additional.String),
		}
		if owner := ownerAccount(parseJSON(res.String)); owner != "" {
			e.accountID = owner
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b *event) int {
		return cmp.Or(a.time.Compare(b.time), strings.Compare(a.id, b.id))
	})
	return out, rows.Err()
}

// ownerAccount is the account that owns what a call acts on, where the record
// says: a call on another account's bucket is recorded in the caller's too.
func ownerAccount(resources any) string {
	list, ok := resources.([]any)
	if !ok {
		list = []any{resources}
	}
	for _, r := range list {
		if id, ok := dig(r, []string{"accountId"}).(string); ok {
			return id
		}
	}
	return ""
}

func (ev *evidence) loadPrincipals(ctx context.Context, c *query.Case) error {
	ev.accounts = map[string]bool{}
	ev.userIDs = map[subject]string{}
	rows, err := c.DB.QueryContext(ctx, `
		SELECT account_id, CASE WHEN identity_type = 'IAMUser' AND identity_account_id = account_id THEN user_name END AS name, max(principal_id)
		FROM events WHERE account_id IS NOT NULL GROUP BY ALL ORDER BY ALL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var name, id sql.NullString
		if err := rows.Scan(&account, &name, &id); err != nil {
			return err
		}
		ev.accounts[account] = true
		if name.String != "" && id.String != "" {
			ev.userIDs[subject{account, "user", name.String}] = id.String
		}
	}
	return rows.Err()
}

func (ev *evidence) loadUse(ctx context.Context, c *query.Case, l *lineage.Lineage) error {
	ev.byID, ev.byKey = map[string]use{}, map[string]use{}
	for column, into := range map[string]map[string]use{
		`coalesce(e.session_issuer_principal_id, e.principal_id)`: ev.byID,
		`e.access_key_id`: ev.byKey,
	} {
		rows, err := c.DB.QueryContext(ctx, `
			SELECT `+column+` AS id, count(*), max(e.event_time),
				array_to_string(list_sort(list_distinct(list(split_part(e.event_source, '.', 1)))), ', '),
				array_to_string(list_sort(list(DISTINCT `+whoUses+`))[1:4], chr(10)), count(DISTINCT `+whoUses+`)
			FROM events e LEFT JOIN (SELECT * FROM lineage_events WHERE actor <> 'owner') le
				ON e.source_id = le.source_id AND e.record_index = le.record_index
			WHERE le.source_id IS NULL AND e.event_time >= ? AND id IS NOT NULL
			GROUP BY id`, l.CompromisedSince.Add(-usageWindow))
		if err != nil {
			return err
		}
		for rows.Next() {
			var id, services string
			var who sql.NullString
			var u use
			if err := rows.Scan(&id, &u.calls, &u.last, &services, &who, &u.whoCount); err != nil {
				rows.Close()
				return err
			}
			u.last, u.services = u.last.UTC(), services
			if who.String != "" {
				u.who = strings.Split(who.String, "\n")
			}
			into[id] = u
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

// loadAttempts reads the first events of each credential, also those that
// failed: they show in whose hands it is.
func (ev *evidence) loadAttempts(ctx context.Context, c *query.Case) error {
	ev.attempts = map[string][]string{}
	rows, err := c.DB.QueryContext(ctx, `
		SELECT credential_id, event_id FROM (
			SELECT le.credential_id, e.event_id, e.event_time,
				row_number() OVER (PARTITION BY le.credential_id ORDER BY e.event_time, e.event_id) AS n
			FROM lineage_events le JOIN events e ON e.source_id = le.source_id AND e.record_index = le.record_index
			WHERE le.actor <> 'owner')
		WHERE n <= 5 ORDER BY credential_id, event_time, event_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var credential, id sql.NullString
		if err := rows.Scan(&credential, &id); err != nil {
			return err
		}
		ev.attempts[credential.String] = append(ev.attempts[credential.String], id.String)
	}
	return rows.Err()
}

// stopsUse is what becomes of the use of others where it ends for as long as an
// action stands.
const stopsUse = "that use stops"

// StopsUse is the sentence of an action's risk that says what of others it cuts
// off, "" when that is nothing.
func (a *Action) StopsUse() string {
	before, _, found := strings.Cut(a.Risk, ": "+stopsUse)
	if i := strings.LastIndex(before, "Others "); found && i >= 0 {
		return before[i:] + "."
	}
	return ""
}

// risk says what a principal or key that is cut off does for others, and what
// becomes of that.
func (u use) risk(what, then string) string {
	if u.calls == 0 {
		return "Others made no call through " + what + " in the 30 days before the compromise that the log shows, nor since."
	}
	services := strings.Split(u.services, ", ")
	if len(services) > 6 {
		services = append(services[:6], "…")
	}
	by := ""
	if len(u.who) > 0 {
		by = " (" + strings.Join(u.who, ", ")
		if more := u.whoCount - int64(len(u.who)); more > 0 {
			by += fmt.Sprintf(" and %d more", more)
		}
		by += ")"
	}
	return fmt.Sprintf("Others%s made %d calls through %s since 30 days before the compromise, the last at %s, to %s: %s.",
		by, u.calls, what, u.last.Format(time.RFC3339), strings.Join(services, ", "), then)
}
