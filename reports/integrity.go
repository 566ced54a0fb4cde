package reports

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trailscan/ingest"
	"trailscan/query"
	"trailscan/rules"
)

// Integrity is what `trailscan verify` said of the case's sources: whether
// CloudTrail's digests vouch for them.
type Integrity struct {
	Verdicts []VerdictCount `json:"verdicts"` // most sources first; empty when none was verified
	Unsigned int64          `json:"unsigned"` // valid sources for which hashes vouch, and no signature
	Unsaid   int64          `json:"unsaid"`   // sources without a verdict
	Flaws    []Flaw         `json:"flaws"`    // by key, gaps last
}

// VerdictCount is how many sources have a verdict: valid, altered, unlisted
// or not_covered.
type VerdictCount struct {
	Verdict string `json:"verdict"`
	Sources int64  `json:"sources"`
}

// Flaw is a file that is altered or missing, or a span without digests.
type Flaw struct {
	Kind      string    `json:"kind"`    // log, digest or gap
	Verdict   string    `json:"verdict"` // of a gap: its cause
	Key       string    `json:"key"`     // S3 key
	AccountID string    `json:"account_id"`
	Region    string    `json:"region"`
	Trail     string    `json:"trail"`
	From      time.Time `json:"from,omitzero"`
	To        time.Time `json:"to,omitzero"`
	Reason    string    `json:"reason"`
}

// maxFlaws is how many a document lists.
const maxFlaws = 200

// Shown are the flaws that a document lists.
func (i Integrity) Shown() []Flaw { return i.Flaws[:min(len(i.Flaws), maxFlaws)] }

// Known says that the sources, or some of them, were verified.
func (i Integrity) Known() bool { return len(i.Verdicts) > 0 || len(i.Flaws) > 0 }

// Phrase counts the verdicts in words.
func (i Integrity) Phrase() string {
	var parts []string
	for _, n := range i.Verdicts {
		part := plural(n.Sources, "source") + " " + words(n.Verdict)
		if n.Verdict == string(ingest.Valid) && i.Unsigned > 0 {
			part += fmt.Sprintf(" (%s by hashes alone: the signature is not in the copy)", number(i.Unsigned))
		}
		parts = append(parts, part)
	}
	if i.Unsaid > 0 {
		parts = append(parts, number(i.Unsaid)+" not verified")
	}
	return strings.Join(parts, ", ")
}

// integrityGap tells of files that CloudTrail's digests show to be altered or
// missing.
func (inc *Incident) integrityGap() {
	counts := map[string]int64{}
	var details []string
	for _, f := range inc.Integrity.Flaws {
		if f.Kind == "gap" {
			continue
		}
		counts[f.Verdict]++
		details = append(details, fmt.Sprintf("%s %s %s: %s", f.Verdict, f.Kind, orNone(f.Key), f.Reason))
	}
	if len(details) == 0 {
		return
	}
	inc.gap("altered-or-missing", rules.Critical,
		fmt.Sprintf("Files that are not as CloudTrail delivered them: %d altered, %d missing", counts[string(ingest.Altered)], counts[string(ingest.Missing)]),
		"Somebody changed or deleted logs or digests, or the copy is not whole. Compare with the bucket, its versions and its access logs; "+
			"what an altered file says is no evidence, and what was in a missing one is not known.", details...)
}

func (inc *Incident) loadIntegrity(ctx context.Context, c *query.Case) error {
	const verdicts = `
SELECT coalesce(integrity, ''), count(*), count(*) FILTER (integrity = 'valid' AND starts_with(integrity_reason, ?)) FROM sources
WHERE status <> 'foreign' GROUP BY 1 ORDER BY 2 DESC, 1`
	err := eachRow(ctx, c, verdicts, []any{ingest.UnsignedReason}, func(scan func(...any) error) error {
		var n VerdictCount
		var unsigned int64
		if err := scan(&n.Verdict, &n.Sources, &unsigned); err != nil {
			return err
		}
		inc.Integrity.Unsigned += unsigned
		if n.Verdict == "" {
			inc.Integrity.Unsaid = n.Sources
		} else {
			inc.Integrity.Verdicts = append(inc.Integrity.Verdicts, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	const flaws = `
SELECT kind, verdict, coalesce(key, ''), coalesce(account_id, ''), coalesce(region, ''), coalesce(trail, ''), from_time, to_time, coalesce(reason, '')
FROM integrity ORDER BY key NULLS LAST, from_time, account_id, region, trail`
	return eachRow(ctx, c, flaws, nil, func(scan func(...any) error) error {
		var f Flaw
		if err := scan(&f.Kind, &f.Verdict, &f.Key, &f.AccountID, &f.Region, &f.Trail, when{&f.From}, when{&f.To}, &f.Reason); err != nil {
			return err
		}
		inc.Integrity.Flaws = append(inc.Integrity.Flaws, f)
		return nil
	})
}
