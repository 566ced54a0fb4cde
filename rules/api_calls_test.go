package rules

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestAPICalls runs every rule of the table of single calls over the calls that
// it names, under each of their names, and over the same name of another
// service and another call of the same service.
func TestAPICalls(t *testing.T) {
	pack := apiCalls()
	if len(pack) < 180 {
		t.Fatalf("%d rules", len(pack))
	}
	var records []map[string]any
	record := func(service, event string, succeeds bool) string {
		id := fmt.Sprintf("e%04d", len(records))
		r := map[string]any{"eventID": id, "eventTime": "2026-03-02T09:00:00Z", "eventSource": service + ".amazonaws.com",
			"eventName": event, "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.23",
			"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAEQD3AV6OUZ2WAGJL5", "userName": "alice"}}
		if !succeeds {
			r["errorCode"] = "AccessDenied"
		}
		records = append(records, r)
		return id
	}
	want := map[string][]string{}
	for _, r := range pack {
		services, events := quotedAfter(sourcesCondition, r.Where), quotedAfter(namesCondition, r.Where)
		for i, s := range services {
			s = strings.TrimSuffix(s, ".amazonaws.com")
			for _, e := range events {
				want[r.ID] = append(want[r.ID], record(s, e, i == 0))
			}
			record(s, events[0]+"Nearly", true)
		}
		record("nearly-"+strings.TrimSuffix(services[0], ".amazonaws.com"), events[0], true)
	}
	c := openCase(t)
	loadRecords(t, c, records)
	for _, r := range pack {
		t.Run(r.ID, func(t *testing.T) {
			found := map[string]bool{}
			find(t, c, r, found)
			for _, id := range want[r.ID] {
				if !found[id] {
					t.Errorf("does not find %s", id)
				}
			}
			if len(found) != len(want[r.ID]) {
				t.Errorf("finds %d calls, not %d", len(found), len(want[r.ID]))
			}
			if r.Severity > Low {
				t.Errorf("severity %s: a single call is low at most", r.Severity)
			}
			if page, err := url.Parse(r.Reference); err != nil || page.Host != "docs.aws.amazon.com" {
				t.Errorf("reference %q is no page of AWS's documentation", r.Reference)
			}
		})
	}
}

func TestAPICallsOfLambdaAreFoundByTheirDatedNames(t *testing.T) {
	r := ruleByID(t, "TS-API-lambda.GetFunction")
	for _, name := range []string{"GetFunction", "GetFunction20150331", "GetFunction20150331v2"} {
		if !slices.Contains(quotedAfter(namesCondition, r.Where), name) {
			t.Errorf("%s is not among the names of %s", name, r.ID)
		}
	}
}
