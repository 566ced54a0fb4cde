package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/query"
	"trailscan/rules"
)

// classes are CloudTrail's, in the order in which they are shown. Management
// events that do not say whether they read are of the third.
var classes = []string{"management_read", "management_write", "management", "data", "network_activity", "insight"}

// Class is a class of events that is present. Its names are those that trails
// select by; classes that are not present are not listed.
type Class struct {
	Class        string    `json:"class"`         // one of classes
	ResourceType string    `json:"resource_type"` // of data events: AWS::S3::Object
	EventSource  string    `json:"event_source"`  // of data and network activity events
	Events       int64     `json:"events"`
	Names        int64     `json:"event_names"` // different ones, of data and network activity events
	Accounts     int64     `json:"accounts"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`

	account string // counted last
}

// classSQL counts the events of the classes that are told by resource. What an
// event of data acts on is the first resource that it names, save the bucket
// that S3 names beside its object.
const classSQL = `
SELECT class, resource_type, event_source, count(*), count(DISTINCT event_name), count(DISTINCT account), min(event_time), max(event_time)
FROM (
    SELECT CASE WHEN event_category = 'NetworkActivity' OR event_type = 'AwsVpceEvent' THEN 'network_activity' ELSE 'data' END AS class,
        coalesce(event_source, '') AS event_source, event_name, coalesce(account_id, '') AS account, event_time,
        coalesce(CASE WHEN resources LIKE '%"AWS::S3::Object"%' THEN 'AWS::S3::Object'
            ELSE nullif(regexp_extract(resources, '"type":"([^"]*)"', 1), '') END, '') AS resource_type
    FROM events
    WHERE (event_category = 'NetworkActivity' OR event_type = 'AwsVpceEvent' OR ` + dataEventSQL + `)
        AND event_category IS DISTINCT FROM 'Insight' AND insight_details IS NULL
)
GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3`

// addClass counts events of a class of one account, in order of accounts. Those
// of data and of network activity are told apart by loadDataClasses.
func (v *Coverage) addClass(class string, s Covered) {
	if class == "data" || class == "network_activity" {
		return
	}
	i := slices.IndexFunc(v.Classes, func(c Class) bool { return c.Class == class })
	if i < 0 {
		i = len(v.Classes)
		v.Classes = append(v.Classes, Class{Class: class})
	}
	c := &v.Classes[i]
	if c.account != s.AccountID || c.Events == 0 {
		c.account = s.AccountID
		c.Accounts++
	}
	c.Events += s.Events
	c.First = earlier(c.First, s.First)
	if s.Last.After(c.Last) {
		c.Last = s.Last
	}
}

func (v *Coverage) loadDataClasses(ctx context.Context, c *query.Case) error {
	err := eachRow(ctx, c, classSQL, nil, func(scan func(...any) error) error {
		var s Class
		if err := scan(&s.Class, &s.ResourceType, &s.EventSource, &s.Events, &s.Names, &s.Accounts, when{&s.First}, when{&s.Last}); err != nil {
			return err
		}
		v.Classes = append(v.Classes, s)
		return nil
	})
	slices.SortStableFunc(v.Classes, func(a, b Class) int {
		return cmp.Or(cmp.Compare(slices.Index(classes, a.Class), slices.Index(classes, b.Class)), cmp.Compare(b.Events, a.Events))
	})
	return err
}

// Cut is a field that CloudTrail itself has cut in some events of a service, or
// a note (addendum) that it has added to events which it delivered late or again.
type Cut struct {
	AccountID    string    `json:"account_id"`
	EventSource  string    `json:"event_source"`
	Field        string    `json:"field"` // as the record spells it: requestParameters
	How          string    `json:"how"`   // omitted, truncated, or an addendum's reason: UPDATED_DATA
	Events       int64     `json:"events"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
	EventNames   []string  `json:"event_names"` // the first ten by name
	ExampleEvent string    `json:"example_event_id"`
}

// CloudTrail leaves out a field that is larger than it takes, puts "omitted":true
// there, and cuts userAgent and errorMessage at one kilobyte:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.
const cutBytes = 1024

var omittable = []struct{ column, field string }{
	{"request_parameters", "requestParameters"},
	{"response_elements", "responseElements"},
	{"additional_event_data", "additionalEventData"},
	{"service_event_details", "serviceEventDetails"},
	{"resources", "resources"},
	{"insight_details", "insightDetails"},
	{"user_identity", "userIdentity"},
	{"extra", "others"},
}

func cutSQL() string {
	var marks, where []string
	for _, o := range omittable {
		is := o.column + ` LIKE '%"omitted":true%'`
		marks = append(marks, `CASE WHEN `+is+` THEN '`+o.field+`/omitted' END`)
		where = append(where, is)
	}
	for _, o := range [][2]string{{"user_agent", "userAgent"}, {"error_message", "errorMessage"}} {
		is := fmt.Sprintf(`strlen(%s) >= %d`, o[0], cutBytes)
		marks = append(marks, `CASE WHEN `+is+` THEN '`+o[1]+`/truncated' END`)
		where = append(where, is)
	}
	marks = append(marks, `CASE WHEN addendum IS NOT NULL THEN 'addendum/' || coalesce(json_extract_scalar(addendum, '$.reason'), '') END`)
	where = append(where, `addendum IS NOT NULL`)
	return `
SELECT coalesce(account_id, ''), coalesce(event_source, ''), split_part(mark, '/', 1), substr(mark, instr(mark, '/') + 1),
    count(*), min(event_time), max(event_time), array_to_string(list_slice(array_agg(DISTINCT event_name ORDER BY event_name), 1, 10), ' '),
    coalesce(arg_min(event_id, (event_time, event_id)), '')
FROM (
    SELECT account_id, event_source, event_name, event_time, event_id, unnest([` + strings.Join(marks, ",\n        ") + `]) AS mark
    FROM events
    WHERE ` + strings.Join(where, "\n        OR ") + `
)
WHERE mark IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4`
}

func (v *Coverage) loadCuts(ctx context.Context, c *query.Case) error {
	return eachRow(ctx, c, cutSQL(), nil, func(scan func(...any) error) error {
		var s Cut
		var names string
		if err := scan(&s.AccountID, &s.EventSource, &s.Field, &s.How, &s.Events, when{&s.First}, when{&s.Last}, &names, &s.ExampleEvent); err != nil {
			return err
		}
		s.EventNames = strings.Fields(names)
		v.Cuts = append(v.Cuts, s)
		return nil
	})
}

// cutGap tells which fields CloudTrail has cut.
func (inc *Incident) cutGap() {
	var details, notes []string
	for _, cut := range inc.Coverage.Cuts {
		line := fmt.Sprintf("%s %s in %s of %s (%s) in account %s, e.g. %s", cut.Field, orNone(cut.How), plural(cut.Events, "event"),
			shortSource(cut.EventSource), some(cut.EventNames, 4), orNone(cut.AccountID), cut.ExampleEvent)
		if cut.Field == "addendum" {
			notes = append(notes, line)
		} else {
			details = append(details, line)
		}
	}
	if len(details) > 0 {
		inc.gap("cut-fields", rules.Medium, "CloudTrail has cut fields of events",
			"What a call asked for or answered is not in the log where it was too long. An intruder can make it so. The service may still tell: "+
				"look at the resource itself.", details...)
	}
	if len(notes) > 0 {
		inc.gap("addenda", rules.Info, "Events were delivered late or corrected",
			"CloudTrail marks events that it delivers again or late, after an outage say. Events of that time may still be missing.", notes...)
	}
}

// namedSQL counts the accounts and regions that resources are said to be in.
const namedSQL = `
SELECT split_part(place, ':', 2), split_part(place, ':', 1), sum(n)::BIGINT
FROM (
    SELECT unnest(list_distinct(regexp_extract_all(resources, '"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*:[0-9]{12}):', 1))) AS place, n
    FROM (SELECT resources, count(*) AS n FROM events WHERE resources IS NOT NULL GROUP BY 1)
)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`

// namedGap tells of accounts and regions that events name resources in, and
// whose own logs are not in the case.
func (inc *Incident) namedGap(ctx context.Context, c *query.Case) error {
	accounts, places := map[string]bool{}, map[[2]string]bool{}
	for _, s := range inc.Coverage.Scopes {
		accounts[s.AccountID] = true
		places[[2]string{s.AccountID, s.Region}] = true
	}
	var details []string
	err := eachRow(ctx, c, namedSQL, nil, func(scan func(...any) error) error {
		var account, region string
		var n int64
		if err := scan(&account, &region, &n); err != nil {
			return err
		}
		switch {
		case accounts[account] && (region == "" || places[[2]string{account, region}]):
			return nil // global services log in their own region
		case accounts[account]:
			details = append(details, fmt.Sprintf("region %s of account %s: resources of %s", region, account, plural(n, "event")))
		default:
			details = append(details, fmt.Sprintf("account %s%s: resources of %s", account, strings.TrimSuffix(" in "+region, " in "), plural(n, "event")))
		}
		return nil
	})
	if len(details) > 0 {
		inc.gap("named-elsewhere", rules.Info, fmt.Sprintf("Resources are named in %s whose logs are not here", plural(int64(len(details)), "place")),
			"What was done to them by others is in the logs of their account and region. Some belong to AWS.", details...)
	}
	return err
}
