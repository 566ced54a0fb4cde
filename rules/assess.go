package rules

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Class is a class of events that a trail records or not. A case without it
// cannot show what a rule over it looks for, and silence then means nothing.
type Class string

// The classes. Management events are all but the data, network and Insights
// events; those of global services stand in the logs of one region.
const (
	AnyEvent        Class = "any" // but those of Insights, which tell of no caller
	Management      Class = "management"
	ManagementRead  Class = "management_read"
	ManagementWrite Class = "management_write"
	GlobalService   Class = "global_service" // those of IAM and its like
	SignIn          Class = "sign_in"
	S3Data          Class = "s3_data"
	LambdaData      Class = "lambda_data"
	OtherData       Class = "data"
	NetworkActivity Class = "network_activity"
)

// homeRegions are where the partitions of AWS log global services.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
const homeRegions = `'us-east-1', 'us-gov-west-1', 'cn-north-1', 'us-iso-east-1', 'us-isob-east-1', 'eusc-de-east-1'`

// Conditions of the classes over events. Records before 2021 lack
// eventCategory, older ones managementEvent and readOnly as well.
const (
	isManagement = `(coalesce(event_category, CASE WHEN management_event = false OR NOT (` + notS3Object + `) THEN 'Data' ELSE 'Management' END) = 'Management')`
	notS3Object  = `event_source IS DISTINCT FROM 's3.amazonaws.com' OR event_name NOT IN
		('GetObject', 'PutObject', 'DeleteObject', 'DeleteObjects', 'HeadObject', 'CopyObject', 'UploadPart', 'ListObjects')`
	isRead = `(coalesce(read_only, regexp_like(event_name, '` + readName + `')))`
	// readName is what a read-only call is named like. AssumeRole is one too.
	readName = `^(Get|List|Describe|Lookup|Head|BatchGet|Search|Query|Scan|Decrypt|Generate|Simulate|AssumeRole)`
)

// classInfo says how a class is recognised in a case and how its absence is
// explained.
type classInfo struct {
	class   Class
	where   string
	missing string
}

var classes = []classInfo{
	{AnyEvent, `event_category IS DISTINCT FROM 'Insight'`, "the case holds no events that somebody caused"},
	{Management, isManagement, "the case holds no management events"},
	{ManagementRead, isManagement + ` AND ` + isRead,
		"the case holds no read-only management events: the trail records writes only, or the reads were left out of the export"},
	{ManagementWrite, isManagement + ` AND NOT ` + isRead,
		"the case holds no management events that change something: the trail records reads only, or the writes were left out of the export"},
	{GlobalService, isManagement + ` AND (aws_region IN (` + homeRegions + `) OR event_source IN ('iam.amazonaws.com', 'organizations.amazonaws.com'))`,
		"the case holds no management events of the region where global services such as IAM are logged (us-east-1 in the commercial partition)"},
	{SignIn, isManagement + ` AND (aws_region IN (` + homeRegions + `) OR event_source = 'signin.amazonaws.com')`,
		"the case holds no sign-in events and none of the region where they are logged (us-east-1 in the commercial partition)"},
	{S3Data, `NOT ` + isManagement + ` AND event_source = 's3.amazonaws.com' AND event_category IS DISTINCT FROM 'NetworkActivity'`,
		"the case holds no S3 data events: the trail does not record calls on objects"},
	{LambdaData, `NOT ` + isManagement + ` AND event_source = 'lambda.amazonaws.com' AND event_category IS DISTINCT FROM 'NetworkActivity'`,
		"the case holds no Lambda data events: the trail does not record invocations"},
	{OtherData, `event_category = 'Data' OR management_event = false`, "the case holds no data events"},
	{NetworkActivity, `event_category = 'NetworkActivity'`, "the case holds no network activity events"},
}

// survey is what a case holds, as far as rules need it.
type survey struct {
	events  map[Class]int64
	history time.Duration // from the first event to the last
	traced  bool          // it holds a lineage
}

func surveyCase(ctx context.Context, conn *sql.Conn) (*survey, error) {
	counts := make([]int64, len(classes))
	targets := make([]any, 0, len(classes)+3)
	var selected []string
	for i, c := range classes {
		selected = append(selected, "coalesce(sum(events) FILTER (WHERE "+c.where+"), 0)::BIGINT")
		targets = append(targets, &counts[i])
	}
	if _, err := conn.ExecContext(ctx, facetsSQL); err != nil {
		return nil, fmt.Errorf("survey the events: %w", err)
	}
	var first, last sql.NullTime
	s := &survey{events: map[Class]int64{}}
	targets = append(targets, &first, &last, &s.traced)
	row := conn.QueryRowContext(ctx, `SELECT `+strings.Join(selected, ",\n")+`, min(first_time), max(last_time), EXISTS (FROM lineage) FROM temp.scan_facets`)
	if err := row.Scan(targets...); err != nil {
		return nil, fmt.Errorf("survey the events: %w", err)
	}
	s.history = last.Time.Sub(first.Time)
	for i, c := range classes {
		s.events[c.class] = counts[i]
	}
	return s, nil
}

// assess says whether the case can show what the rule looks for.
func (s *survey) assess(r Rule, lists map[string]bool) Assessment {
	if r.List != "" && !lists[r.List] {
		return Assessment{r.ID, NotAssessed, fmt.Sprintf("the list %s was not given: use %s", r.List, ListFlag(r.List))}
	}
	if r.Lineage && !s.traced {
		return Assessment{r.ID, NotAssessed, "no key was traced: run `trailscan trace KEY` first"}
	}
	for _, need := range r.needs() {
		for _, c := range classes {
			if c.class == need && s.events[need] == 0 {
				return Assessment{r.ID, NotAssessable, c.missing}
			}
		}
	}
	if f := r.FirstSeen; f != nil && s.history < f.Learn {
		return Assessment{r.ID, NotAssessable, fmt.Sprintf(
			"the rule learns what is usual for %s, and the case spans %s", span(f.Learn), span(s.history))}
	}
	return Assessment{Rule: r.ID, Assessed: Assessed}
}

// needs are the classes of which the case must hold events, every one.
func (r Rule) needs() []Class {
	if r.Needs != "" {
		return []Class{r.Needs}
	}
	if r.Sequence == nil {
		return classesOf(r.Where, r.Where)
	}
	var needs []Class
	for _, step := range r.Sequence.Steps {
		condition := step.Where
		if !namesCondition.MatchString(condition) {
			condition = r.Where
		}
		for _, c := range classesOf(condition, r.Where+"\n"+step.Where) {
			if !slices.Contains(needs, c) {
				needs = append(needs, c)
			}
		}
	}
	return needs
}

var (
	namesCondition   = regexp.MustCompile(`event_name\)?\s*(?:=|IN|LIKE)\s*(\([^)]*\)|'[^']*')`)
	sourcesCondition = regexp.MustCompile(`event_source\)?\s*(?:=|IN)\s*(\([^)]*\)|'[^']*')`)
	quotedText       = regexp.MustCompile(`'([^']*)'`)
	// Conditions may compare names in lower case.
	readNames     = regexp.MustCompile(`(?i)` + readName)
	signInNames   = regexp.MustCompile(`(?i)^(ConsoleLogin|SwitchRole|ExitRole|GetSigninToken|CheckMfa|CredentialChallenge|CredentialVerification|UserAuthentication|PasswordRecovery\w*|PasswordUpdated|EmailUpdated)$`)
	s3ObjectNames = regexp.MustCompile(`(?i)^((Get|Put|Delete|Head|Copy|Restore|Select)Objects?\w*|ListObject\w*|UploadPart\w*)$`)
	// Calls on a bucket's or object's settings that look like object names but
	// are management events.
	s3Settings = regexp.MustCompile(`(?i)ObjectLockConfiguration$`)
)

// classesOf derives the classes that a condition needs from the event names in
// it: theirs when all are of one class, else management events of any kind. A
// condition without names or sources is about any event. sources is the text in
// which the event sources stand.
func classesOf(condition, sources string) []Class {
	from := quotedAfter(sourcesCondition, sources)
	var class Class
	for _, name := range quotedAfter(namesCondition, condition) {
		c := classOfName(name, from)
		if class != "" && c != class {
			c = Management
		}
		class = c
	}
	switch {
	case class != "":
	case strings.Contains(condition, "'NetworkActivity'"):
		return []Class{NetworkActivity}
	case slices.Contains(from, "signin.amazonaws.com"):
		return []Class{SignIn}
	case len(from) > 0:
		class = Management
	default:
		return []Class{AnyEvent}
	}
	switch class {
	case Management, ManagementRead, ManagementWrite:
		if len(from) > 0 && !slices.ContainsFunc(from, isRegional) {
			return []Class{GlobalService, class}
		}
	}
	return []Class{class}
}

// quotedAfter returns the literals of the conditions that a pattern finds.
func quotedAfter(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		for _, q := range quotedText.FindAllStringSubmatch(m[1], -1) {
			found = append(found, q[1])
		}
	}
	return found
}

// isRegional holds for sources whose calls are logged where they are made.
func isRegional(source string) bool {
	return !slices.Contains([]string{"iam.amazonaws.com", "organizations.amazonaws.com", "account.amazonaws.com"}, source)
}

func classOfName(name string, sources []string) Class {
	from := func(service string) bool { return slices.Contains(sources, service+".amazonaws.com") }
	switch {
	case from("signin") && signInNames.MatchString(name):
		return SignIn
	case from("s3") && s3ObjectNames.MatchString(name) && !s3Settings.MatchString(name):
		return S3Data
	case from("lambda") && strings.HasPrefix(strings.ToLower(name), "invoke"):
		return LambdaData
	case readNames.MatchString(name) && !strings.EqualFold(name, "GetFederationToken"): // which CloudTrail calls no read
		return ManagementRead
	}
	return ManagementWrite
}

// span writes a duration in days or hours.
func span(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return fmt.Sprintf("%d hours", d/time.Hour)
}
