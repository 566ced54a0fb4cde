package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trailscan/ingest"
)

// WriteVerification writes the outcome of verify: json is one object, ndjson and
// csv have a record a file and then one a gap, table is for people, with times
// in zone: what is not valid, unless all is asked for, and sums.
func WriteVerification(w io.Writer, format string, v *ingest.Verification, all bool, zone *time.Location) error {
	switch format {
	case "json":
		return JSON(w, v)
	case "table":
		return verificationTable(w, v, all, zone)
	}
	records := append(v.Files[:len(v.Files):len(v.Files)], gapRecords(v.Gaps)...)
	return encodeAll(w, format, sheet[ingest.FileVerdict]{csv: []column[ingest.FileVerdict]{
		{"kind", 0, func(f ingest.FileVerdict) string { return f.Kind }},
		{"verdict", 0, func(f ingest.FileVerdict) string { return string(f.Verdict) }},
		{"signed", 0, func(f ingest.FileVerdict) string { return fmt.Sprint(f.Signed) }},
		{"uri", 0, func(f ingest.FileVerdict) string { return f.URI }},
		{"bucket", 0, func(f ingest.FileVerdict) string { return f.Bucket }},
		{"key", 0, func(f ingest.FileVerdict) string { return f.Key }},
		{"account_id", 0, func(f ingest.FileVerdict) string { return f.AccountID }},
		{"region", 0, func(f ingest.FileVerdict) string { return f.Region }},
		{"trail", 0, func(f ingest.FileVerdict) string { return f.Trail }},
		{"from", 0, func(f ingest.FileVerdict) string { return stamp(f.From) }},
		{"to", 0, func(f ingest.FileVerdict) string { return stamp(f.To) }},
		{"inferred", 0, func(f ingest.FileVerdict) string { return fmt.Sprint(f.Inferred) }},
		{"backfill", 0, func(f ingest.FileVerdict) string { return fmt.Sprint(f.Backfill) }},
		{"logs", 0, func(f ingest.FileVerdict) string { return fmt.Sprint(f.Logs) }},
		{"listed_by", 0, func(f ingest.FileVerdict) string { return f.ListedBy }},
		{"content_sha256", 0, func(f ingest.FileVerdict) string { return f.SHA256 }},
		{"file_sha256", 0, func(f ingest.FileVerdict) string { return f.FileSHA256 }},
		{"reason", 0, func(f ingest.FileVerdict) string { return f.Reason }},
	}}, records)
}

// gapRecords are gaps in the form of files, of the kind gap.
func gapRecords(gaps []ingest.Gap) []ingest.FileVerdict {
	var out []ingest.FileVerdict
	for _, g := range gaps {
		out = append(out, ingest.FileVerdict{Kind: "gap", Verdict: ingest.Verdict(g.Cause), AccountID: g.AccountID, Region: g.Region, Trail: g.Trail,
			From: g.From, To: g.To, Reason: g.Reason})
	}
	return out
}

func verificationTable(w io.Writer, v *ingest.Verification, all bool, zone *time.Location) error {
	var shown []ingest.FileVerdict
	for _, f := range v.Files {
		if all || f.Verdict != ingest.Valid {
			shown = append(shown, f)
		}
	}
	err := encodeAll(w, "table", sheet[ingest.FileVerdict]{table: []column[ingest.FileVerdict]{
		{"verdict", 0, func(f ingest.FileVerdict) string { return words(string(f.Verdict)) }},
		{"kind", 0, func(f ingest.FileVerdict) string { return f.Kind }},
		{"file", 0, func(f ingest.FileVerdict) string {
			if f.URI == "" {
				return f.Key
			}
			return f.URI
		}},
		{"reason", 0, func(f ingest.FileVerdict) string { return f.Reason }},
	}}, shown)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	if len(shown) > 0 {
		b.WriteString("\n")
	}
	for _, g := range v.Gaps {
		fmt.Fprintf(b, "gap      %s to %s (%s), account %s %s, trail %s: %s\n", clock(g.From, zone), clock(g.To, zone), span(g.To.Sub(g.From)),
			Terminal(g.AccountID), Terminal(g.Region), Terminal(orNone(g.Trail)), Terminal(g.Reason))
	}
	for _, c := range v.Chains {
		name := "account " + c.AccountID + " " + c.Region + ", trail " + orNone(c.Trail)
		if c.Organization != "" {
			name += " of " + c.Organization
		}
		if c.Backfill {
			name += ", backfills"
		}
		fmt.Fprintf(b, "chain    %s: %s to %s, %s (%d without logs) list %s", Terminal(name), clock(c.From, zone), clock(c.To, zone),
			plural(int64(c.Digests), "digest"), c.NoLogs, plural(int64(c.Logs), "log"))
		if c.Starts > 1 {
			fmt.Fprintf(b, "; it begins %d times", c.Starts)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "digests  %s\nlogs     %s\n", verdictCounts(v.Digests), verdictCounts(v.Logs))
	if v.Unsigned > 0 {
		fmt.Fprintf(b, "unsigned %s of the valid by hashes alone: the signature of a digest is metadata of its S3 object, which this copy lacks\n",
			plural(int64(v.Unsigned), "file"))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// verdictCounts says how many files have which verdict, the worst first.
func verdictCounts(counts map[ingest.Verdict]int) string {
	var parts []string
	for _, verdict := range ingest.Verdicts {
		if n := counts[verdict]; n > 0 {
			parts = append(parts, number(int64(n))+" "+words(string(verdict)))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
