package ingest

import (
	"slices"
	"time"
)

// Filter chooses logs by what their paths say of them. A file that is chosen is
// loaded whole: its hash stands for what the case holds of it, and a later load
// with another filter only adds. A file whose path does not say where it belongs
// is always chosen.
type Filter struct {
	Accounts []string // twelve digits; none is all
	Regions  []string
	Since    time.Time // zero is unbounded
	Until    time.Time
}

// deliverySlack is how long after an event the file that holds it may be
// delivered. CloudTrail takes some five minutes, and promises nothing.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
const deliverySlack = 24 * time.Hour

// excludes says that nothing at p passes. What was delivered before Since
// happened before it too.
func (f *Filter) excludes(p *logPath) bool {
	switch {
	case len(f.Accounts) > 0 && p.account != "" && !slices.Contains(f.Accounts, p.account),
		len(f.Regions) > 0 && p.region != "" && !slices.Contains(f.Regions, p.region):
		return true
	case p.from.IsZero():
		return false
	}
	return !f.Since.IsZero() && !p.to.After(f.Since) || !f.Until.IsZero() && !p.from.Before(f.Until.Add(deliverySlack))
}

// settled says that all below p passes, as far as folders tell.
func (f *Filter) settled(p *logPath) bool {
	if len(f.Accounts) > 0 && p.account == "" || len(f.Regions) > 0 && p.region == "" {
		return false
	}
	if !f.Since.IsZero() && (p.from.IsZero() || p.from.Before(f.Since)) && p.level < levelDay {
		return false
	}
	return f.Until.IsZero() || p.level >= levelDay || !p.to.IsZero() && !p.to.After(f.Until.Add(deliverySlack))
}

// isZero says that f lets everything pass.
func (f *Filter) isZero() bool {
	return len(f.Accounts) == 0 && len(f.Regions) == 0 && f.Since.IsZero() && f.Until.IsZero()
}
