package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"trailscan/internal/mototest"
)

// history answers LookupEvents with the events of regions, newest first.
type history struct {
	events map[string][]string // by region, newest first; a region that is not there is not enabled
	page   int

	mu    sync.Mutex
	calls map[string]int
	asked []map[string]any
	// answer may take the place of the history.
	answer func(w http.ResponseWriter, region string, call int) bool
}

var scopeRegion = regexp.MustCompile(`/([a-z0-9-]+)/cloudtrail/aws4_request`)

func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code string) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"message":"m"}`, code)
	}
	m := scopeRegion.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".LookupEvents") {
		refuse(400, "UnknownOperationException")
		return
	}
	region := m[1]
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	h.mu.Lock()
	if h.calls == nil {
		h.calls = map[string]int{}
	}
	h.calls[region]++
	call := h.calls[region]
	h.asked = append(h.asked, in)
	h.mu.Unlock()
	if h.answer != nil && h.answer(w, region, call) {
		return
	}
	events, enabled := h.events[region]
	if !enabled {
		refuse(400, "UnrecognizedClientException")
		return
	}
	start := 0
	if token, ok := in["NextToken"].(string); ok {
		start, _ = strconv.Atoi(token)
	}
	end := min(start+h.page, len(events))
	type entry struct {
		EventId, CloudTrailEvent string
		EventTime                float64
	}
	out := struct {
		Events    []entry
		NextToken string `json:",omitempty"`
	}{Events: []entry{}}
	for _, e := range events[start:end] {
		out.Events = append(out.Events, entry{"x", e, 1772359200})
	}
	if end < len(events) {
		out.NextToken = strconv.Itoa(end)
	}
	json.NewEncoder(w).Encode(out)
}

func serveHistory(t *testing.T, h *history) Options {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	mototest.Isolate(t)
	return Options{AWS: AWSOptions{Endpoint: server.URL}}
}

func numbered(prefix string, n int) []string {
	var events []string
	for i := range n {
		events = append(events, event(fmt.Sprint(prefix, n-1-i)))
	}
	return events
}

func TestLookup(t *testing.T) {
	h := &history{page: 2, events: map[string][]string{"us-east-1": numbered("u", 5), "eu-west-1": numbered("e", 1), "sa-east-1": {}}}
	o := serveHistory(t, h)
	c := newCase(t)
	throttled := false
	h.answer = func(w http.ResponseWriter, region string, call int) bool {
		if region != "us-east-1" || call != 2 || throttled {
			return false
		}
		throttled = true
		w.Header().Set("X-Amzn-ErrorType", "ThrottlingException")
		w.WriteHeader(400)
		return true
	}
	o.Filter.Since, o.Filter.Until = date("2026-03-01"), date("2026-03-02")
	s, err := Load(t.Context(), c, []string{"lookup-events:"}, o)
	if err != nil || s.Records != 6 || s.Sources != 2 || !throttled {
		t.Fatalf("%+v, %v", s, err)
	}
	if len(s.Skipped) != 1 || strings.Count(s.Skipped[0].Reason, ", ") != len(regions["aws"])-3 || len(s.Unreadable) > 0 {
		t.Errorf("skipped %v, unreadable %v", s.Skipped, s.Unreadable)
	}
	if in := h.asked[0]; in["StartTime"] != float64(date("2026-03-01").Unix()) || in["EndTime"] != float64(date("2026-03-02").Unix()) || in["MaxResults"] != 50.0 {
		t.Errorf("asked %v", in)
	}
	want := dump(t, c, `VALUES ('lookup-events:111122223333/eu-west-1', 'lookup-events', 1), ('lookup-events:111122223333/us-east-1', 'lookup-events', 5)`)
	if got := dump(t, c, `SELECT uri, format, records FROM sources ORDER BY uri`); !slices.Equal(got, want) {
		t.Errorf("sources %q", got)
	}
	// Records stand in the order of the API.
	if got := dump(t, c, `SELECT string_agg(event_id, '' ORDER BY record_index) FROM events WHERE event_id LIKE 'u%'`); got[0] != dump(t, c, `SELECT 'u4u3u2u1u0'`)[0] {
		t.Errorf("order %q", got)
	}
	// Later there is more, and only that is added.
	h.events["us-east-1"] = numbered("u", 7)
	if s, err = Load(t.Context(), c, []string{"lookup-events:"}, o); err != nil || s.Duplicates != 5 || s.AlreadyLoaded != 1 {
		t.Fatalf("again: %+v, %v", s, err)
	}
	if got := dump(t, c, `SELECT count(*), count(DISTINCT event_id) FROM events`); got[0] != dump(t, c, `SELECT 8, 8`)[0] {
		t.Errorf("events %q", got)
	}
}

func TestLookupProblems(t *testing.T) {
	h := &history{page: 2, events: map[string][]string{"us-east-1": numbered("u", 3), "eu-west-1": {}}}
	o := serveHistory(t, h)
	load := func(change func(o *Options)) (*Summary, error) {
		o := o
		change(&o)
		return Load(t.Context(), newCase(t), []string{"lookup-events:"}, o)
	}
	s, err := load(func(o *Options) { o.Filter.Regions = []string{"us-east-1", "me-south-1"} })
	if err != nil || s.Records != 3 || len(s.Unreadable) != 1 || s.Unreadable[0].URI != "lookup-events:111122223333/me-south-1" {
		t.Errorf("a named region that is not enabled: %+v, %v", s, err)
	}
	for want, change := range map[string]func(*Options){
		"does not accept the credentials": func(o *Options) { o.Filter.Regions = []string{"me-south-1"} },
		"no region has events":            func(o *Options) { o.Filter.Regions = nil; h.events = map[string][]string{"us-east-1": {}} },
		"needs credentials":               func(o *Options) { o.AWS.Anonymous = true },
		"--account leaves out": func(o *Options) {
			h.events = map[string][]string{"us-east-1": numbered("u", 1)}
			o.Filter.Accounts = []string{"444455556666"}
		},
		"need cloudtrail:LookupEvents":       func(o *Options) { h.answer = refuseAll },
		"cannot be reached (connect: connec": func(o *Options) { o.AWS.Endpoint = "http://127.0.0.1:1"; o.Filter.Regions = []string{"us-east-1"} },
	} {
		h.answer = nil
		if _, err := load(change); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

func refuseAll(w http.ResponseWriter, _ string, _ int) bool {
	w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
	w.WriteHeader(400)
	return true
}

// A load that is stopped keeps the pages that came, and the next run has the rest.
func TestStopLookup(t *testing.T) {
	h := &history{page: 2, events: map[string][]string{"us-east-1": numbered("u", 9)}}
	o := serveHistory(t, h)
	o.Filter.Regions = []string{"us-east-1"}
	ctx, cancel := context.WithCancel(t.Context())
	h.answer = func(w http.ResponseWriter, region string, call int) bool {
		if call == 3 {
			cancel()
			time.Sleep(50 * time.Millisecond)
			return true
		}
		return false
	}
	c := newCase(t)
	if _, err := Load(ctx, c, []string{"lookup-events:"}, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := dump(t, c, `SELECT status, records, sha256 IS NULL FROM sources`); len(got) != 1 || got[0] != dump(t, c, `SELECT 'damaged', 4, true`)[0] {
		t.Fatalf("stopped: %q", got)
	}
	o = serveHistory(t, &history{page: 2, events: h.events})
	o.Filter.Regions = []string{"us-east-1"}
	s, err := Load(t.Context(), c, []string{"lookup-events:"}, o)
	if err != nil || s.Records != 9 || s.Duplicates != 4 {
		t.Fatalf("again: %+v, %v", s, err)
	}
	if got := dump(t, c, `SELECT count(*) FROM events SEMI JOIN sources USING (source_id)`); got[0] != dump(t, c, `SELECT 9`)[0] {
		t.Fatalf("events %q", got)
	}
}

// fakeLookup answers with pages in turn.
type fakeLookup struct {
	pages []func(*cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error)
	times []time.Time
}

func (f *fakeLookup) LookupEvents(_ context.Context, in *cloudtrail.LookupEventsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	f.times = append(f.times, time.Now())
	page := f.pages[0]
	f.pages = f.pages[1:]
	return page(in)
}

// Calls keep the rate of the API, pages may be empty, and where a token has died
// paging goes on from the oldest event.
func TestLookupPages(t *testing.T) {
	at := date("2026-03-01T10:00:00Z")
	one := func(id, token string) func(*cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
		return func(*cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
			out := &cloudtrail.LookupEventsOutput{NextToken: aws.String(token)}
			if id != "" {
				out.Events = []types.Event{{EventId: &id, EventTime: &at}}
			}
			return out, nil
		}
	}
	fake := &fakeLookup{pages: []func(*cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error){
		one("", "t1"), one("a", "t2"),
		func(*cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
			return nil, &apiError{"InvalidNextTokenException"}
		},
		func(in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
			if in.NextToken != nil || !aws.ToTime(in.EndTime).Equal(at) {
				return nil, fmt.Errorf("token %v, end %v", in.NextToken, in.EndTime)
			}
			return one("b", "")(in)
		},
	}}
	r := &lookupRegion{api: fake, interval: 20 * time.Millisecond}
	for _, want := range []string{"a", "b", ""} {
		page, err := r.page(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(page) > 0 || want != "" && (len(page) != 1 || *page[0].EventId != want) {
			t.Fatalf("page %v, want %s", page, want)
		}
	}
	for i := range len(fake.times) - 1 {
		if gap := fake.times[i+1].Sub(fake.times[i]); gap < 20*time.Millisecond {
			t.Errorf("call %d comes after %v", i+1, gap)
		}
	}
}
