package remediate

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// event is a CloudTrail record as far as the planner needs it.
type event struct {
	id        string
	time      time.Time
	source    string // event source without its domain: "iam"
	name      string // event name without an API version: "CreateFunction"
	region    string
	accountID string // of the object that the call acts on
	invokedBy string
	readOnly  bool

	credential string // of the lineage; "" for a call of someone else
	unclear    bool   // the lineage cannot tell the intruder's use from the owner's

	identityARN string
	identity    any // userIdentity
	request     any // requestParameters
	response    any // responseElements
	additional  any // additionalEventData

	asked, answered map[string]bool // leaves of request and response, once looked at
}

// requestNames are the leaves of requestParameters. Nothing may change those
// once it was called.
func (e *event) requestNames() map[string]bool {
	if e.asked == nil {
		e.asked = leaves(e.request)
	}
	return e.asked
}

// responseNames are the leaves of responseElements.
func (e *event) responseNames() map[string]bool {
	if e.answered == nil {
		e.answered = leaves(e.response)
	}
	return e.answered
}

// apiVersion is what some services append to the names of their events:
// CreateFunction20150331, AddPermission20150331v2, UpdateDistribution2020_05_31.
var apiVersion = regexp.MustCompile(`(\d{8}(v\d+)?|\d{4}_\d{2}_\d{2})$`)

func shortSource(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, ".cn"), ".amazonaws.com")
}

func shortName(s string) string { return apiVersion.ReplaceAllString(s, "") }

// readName says of a record without readOnly (before event version 1.01)
// whether its name is that of a read.
func readName(name string) bool {
	for _, p := range []string{"Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// parseJSON reads a JSON column. What is no JSON reads as nil: the planner
// falls back to a manual action where a value is missing.
func parseJSON(s string) any {
	var v any
	if s == "" || json.Unmarshal([]byte(s), &v) != nil {
		return nil
	}
	return v
}

// leaves are all strings, numbers and truth values in v, and for those that are
// ARNs the names in them too, so that a trail given by ARN equals the trail given
// by name.
func leaves(v any) map[string]bool {
	set := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			set[v] = true
			if strings.HasPrefix(v, "arn:") {
				set[lastSegment(v)] = true
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		case float64, bool:
			set[show(v)] = true
		}
	}
	walk(v)
	return set
}

// arnParts are the parts of an ARN, arn:partition:service:region:account:resource.
type arnParts struct{ partition, service, region, account, resource string }

func parseARN(s string) (arnParts, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return arnParts{}, false
	}
	return arnParts{p[1], p[2], p[3], p[4], p[5]}, true
}

// lastSegment is the name in an ARN: what follows the last slash or, where
// there is none, the last colon. It is s itself when s is no ARN.
func lastSegment(s string) string {
	a, ok := parseARN(s)
	if !ok {
		// Answers of Route 53 have the ids of zones so, most requests without.
		return strings.TrimPrefix(s, "/hostedzone/")
	}
	if i := strings.LastIndexAny(a.resource, "/:"); i >= 0 {
		return a.resource[i+1:]
	}
	return a.resource
}

// timeLayouts are how CloudTrail writes times inside of responseElements.
var timeLayouts = []string{
	time.RFC3339,
	"Jan 2, 2006, 3:04:05 PM",
	"Jan 2, 2006 3:04:05 PM",
}

// parseTime reads a time of a response: text, or epoch seconds or milliseconds.
func parseTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case string:
		// Java 20 and later separate AM and PM by a narrow no-break space.
		v = strings.ReplaceAll(v, "\u202f", " ")
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC(), true
			}
		}
	case float64:
		switch {
		case v > 1e11 && v < 1e15:
			return time.UnixMilli(int64(v)).UTC(), true
		case v > 0 && v <= 1e11:
			return time.Unix(int64(v), 0).UTC(), true
		}
	}
	return time.Time{}, false
}
