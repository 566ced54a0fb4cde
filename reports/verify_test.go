package reports

import (
	"io"
	"testing"
	"time"

	"trailscan/ingest"
)

func TestOutputsOfAHostileVerification(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	v := &ingest.Verification{
		Digests: map[ingest.Verdict]int{ingest.Valid: 1200, ingest.Missing: 1},
		Logs:    map[ingest.Verdict]int{ingest.Altered: 1, ingest.Valid: 1},
		Chains: []ingest.Chain{{Organization: "o-abcdefghij", AccountID: "111122223333", Region: "us-east-1", Trail: hostileHTML + hostileTerminal, HomeRegion: "us-east-1",
			From: at("2026-09-01T00:00:00Z"), To: at("2026-09-28T16:00:00Z"), Digests: 1200, NoLogs: 3, Starts: 2, Logs: 4100}},
		Gaps: []ingest.Gap{{AccountID: "111122223333", Region: "us-east-1", Trail: hostileTerminal, From: at("2026-09-28T13:00:00Z"), To: at("2026-09-28T15:00:00Z"),
			Cause: ingest.GapMissing, Digests: 2, Reason: "about 2 digests of this span are gone"}},
		Files: []ingest.FileVerdict{
			{Kind: "digest", Verdict: ingest.Missing, Key: "AWSLogs/" + hostileFormula, AccountID: "111122223333", Region: "us-east-1", Trail: hostileFormula, To: at("2026-09-28T14:00:00Z"), Reason: "it is not there"},
			{Kind: "log", Verdict: ingest.Altered, URI: "/logs/" + hostileTerminal, Bucket: "b", Key: "k", ListedBy: hostileHTML, SHA256: "ab", FileSHA256: "cd", Reason: "2 bytes follow"},
			{Kind: "log", Verdict: ingest.Valid, URI: "/logs/fine.json.gz"},
		},
	}
	for _, format := range []string{"table", "json", "ndjson", "csv"} {
		out := golden(t, "verify."+format, func(w io.Writer) error { return WriteVerification(w, format, v, false, time.UTC) })
		for _, r := range out {
			if deceptive(r) && r != '\n' && r != '\t' {
				t.Errorf("%s holds the control or format character %U", format, r)
			}
		}
	}
}
