package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// LookupEvents names, as a source, the event history of the account whose credentials are used.
const LookupEvents = "lookup-events:"

// LookupEvents answers two calls a second in a region, with 50 events each.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
const (
	lookupInterval = 500 * time.Millisecond
	lookupPage     = 50
)

// lookupAPI is what is called of CloudTrail.
type lookupAPI interface {
	LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
}

// lookupRegion pages the event history of a region, newest first.
type lookupRegion struct {
	name         string
	api          lookupAPI
	since, until time.Time // zero is unbounded
	interval     time.Duration

	next   time.Time // when the next call may be made
	token  *string
	oldest time.Time // event so far
	ended  bool
	first  []types.Event // the first page, which tells whether there is a source at all
}

// page gives the next events, none at the end. Pages may be empty before that.
func (r *lookupRegion) page(ctx context.Context, options ...func(*cloudtrail.Options)) ([]types.Event, error) {
	for !r.ended {
		if err := pause(ctx, time.Until(r.next)); err != nil {
			return nil, err
		}
		in := &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(lookupPage), NextToken: r.token}
		if !r.since.IsZero() {
			in.StartTime = &r.since
		}
		if !r.until.IsZero() {
			in.EndTime = &r.until
		}
		out, err := r.api.LookupEvents(ctx, in, options...)
		r.next = time.Now().Add(r.interval)
		if answerCode(err) == "InvalidNextTokenException" && !r.oldest.IsZero() && (r.until.IsZero() || r.oldest.Before(r.until)) {
			// A token does not live for ever. What comes again is a copy.
			r.token, r.until = nil, r.oldest
			continue
		}
		if err != nil {
			return nil, err
		}
		r.token = out.NextToken
		r.ended = aws.ToString(r.token) == ""
		for _, e := range out.Events {
			if t := aws.ToTime(e.EventTime); !t.IsZero() && (r.oldest.IsZero() || t.Before(r.oldest)) {
				r.oldest = t
			}
		}
		if len(out.Events) > 0 {
			return out.Events, nil
		}
	}
	return nil, nil
}

// open reads the event history of the region as one record after another. Where
// a call fails, or the load is stopped, the pages before stay.
func (r *lookupRegion) open(ctx context.Context, s *source) (io.ReadCloser, error) {
	reader := &lookupReader{ctx: ctx, region: r, source: s}
	return reader, reader.fill(r.first)
}

// metadata implements remote: events have none.
func (r *lookupRegion) metadata(context.Context, *source) (map[string]string, error) {
	return nil, nil
}

type lookupReader struct {
	ctx    context.Context
	region *lookupRegion
	source *source
	text   []byte
	pages  int
	err    error
}

// fill makes text of a page.
func (r *lookupReader) fill(page []types.Event) error {
	r.text = r.text[:0]
	r.pages++
	for _, e := range page {
		if record := aws.ToString(e.CloudTrailEvent); record != "" {
			r.text = append(append(r.text, record...), '\n')
			continue
		}
		// It always has one. What has none is rejected, not lost.
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		r.text = append(append(r.text, text...), '\n')
	}
	return nil
}

func (r *lookupReader) Read(p []byte) (int, error) {
	for len(r.text) == 0 && r.err == nil {
		page, err := r.region.page(r.ctx)
		switch {
		case err == nil && len(page) == 0:
			r.err = io.EOF
		case err != nil:
			err = explain(r.ctx, "LookupEvents", err)
			r.err = fmt.Errorf("the history ends after %d pages, before its end; run the same command again: %w", r.pages, err)
		default:
			r.err = r.fill(page)
		}
	}
	if len(r.text) == 0 {
		return 0, r.err
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

func (r *lookupReader) Close() error { return nil }

// lookup adds the event history of the account, a source a region. A region that
// the account has not enabled answers as if the credentials were wrong, so that
// takes one in which they are right.
func (l *listing) lookup(ctx context.Context, o *Options) error {
	if o.AWS.Anonymous {
		return fmt.Errorf("%s needs credentials: leave out --no-sign-request", LookupEvents)
	}
	c, err := o.AWS.config(ctx)
	if err != nil {
		return fmt.Errorf("%s %w", LookupEvents, err)
	}
	names := o.Filter.Regions
	if len(names) == 0 {
		names = partitionOf(c.Region)
	}
	var all []*lookupRegion
	for _, name := range names {
		api := cloudtrail.NewFromConfig(c, func(co *cloudtrail.Options) { co.Region = name })
		all = append(all, &lookupRegion{name: name, api: api, since: o.Filter.Since, until: o.Filter.Until, interval: lookupInterval})
	}
	return l.addRegions(ctx, all, o)
}

// partitionOf lists the regions of the partition that a region is in.
func partitionOf(region string) []string {
	for _, names := range regions {
		if slices.Contains(names, region) {
			return names
		}
	}
	return append([]string{region}, regions["aws"]...)
}

// addRegions asks every region for its first page.
func (l *listing) addRegions(ctx context.Context, all []*lookupRegion, o *Options) error {
	errs := make([]error, len(all))
	var calls sync.WaitGroup
	for i, r := range all {
		calls.Go(func() {
			r.first, errs[i] = r.page(ctx, func(co *cloudtrail.Options) { co.RetryMaxAttempts = firstAttempts })
		})
	}
	calls.Wait()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	account, answered := "", false
	for i, r := range all {
		answered = answered || errs[i] == nil
		if account == "" && len(r.first) > 0 {
			account = accountOf(r.first[0])
		}
	}
	if !answered {
		return explainLookup(ctx, all[0].name, errs[0])
	}
	if len(o.Filter.Accounts) > 0 && account != "" && !slices.Contains(o.Filter.Accounts, account) {
		return fmt.Errorf("%s reads the account of the credentials, %s, which --account leaves out", LookupEvents, account)
	}
	var refused []string
	for i, r := range all {
		uri := LookupEvents + account + "/" + r.name
		switch {
		case errs[i] != nil && isRefused(errs[i]) && len(o.Filter.Regions) == 0:
			refused = append(refused, r.name)
		case errs[i] != nil:
			l.unreadable = append(l.unreadable, Problem{uri, explainLookup(ctx, r.name, errs[i]).Error()})
		case len(r.first) > 0:
			l.found[uri] = &source{uri: uri, path: uri, stream: true, remote: r, format: formatLookupEvents}
		}
	}
	if len(refused) > 0 {
		l.skipped = append(l.skipped, Problem{LookupEvents + account,
			"the account has not enabled these regions, or the session token is not valid there: " + strings.Join(refused, ", ")})
	}
	return nil
}

// isRefused says that a region does not know the credentials.
func isRefused(err error) bool {
	switch answerCode(err) {
	case "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired":
		return true
	}
	return false
}

func explainLookup(ctx context.Context, region string, err error) error {
	call := "LookupEvents in " + region
	if code := answerCode(err); code == "AccessDeniedException" || code == "AccessDenied" {
		return &awsError{call + ": access denied: the credentials need cloudtrail:LookupEvents", err}
	}
	return explain(ctx, call, err)
}

// accountOf is the account whose history holds an event.
func accountOf(e types.Event) string {
	var record struct {
		Recipient string `json:"recipientAccountId"`
		Identity  struct {
			Account string `json:"accountId"`
		} `json:"userIdentity"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record); err != nil {
		return ""
	}
	if IsAccountID(record.Recipient) {
		return record.Recipient
	}
	if IsAccountID(record.Identity.Account) {
		return record.Identity.Account
	}
	return ""
}
