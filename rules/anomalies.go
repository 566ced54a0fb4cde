package rules

// elevated are the findings that count towards another: of medium severity or
// above, each behaviour once.
const elevated = `severity IN ('medium', 'high', 'critical') AND rule NOT LIKE 'TS-XX-%' AND rule NOT LIKE 'TS-KEY-%'`

// anomalies are about what is rare for whoever does it, whatever it is, and
// about findings that point at one key.
func anomalies() []Rule {
	return []Rule{
		{
			ID:         "TS-XX-001",
			Title:      "Long-term key that several findings name",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `access_key_id IN (
                SELECT k FROM findings CROSS JOIN UNNEST(access_key_ids) AS named(k)
                WHERE k LIKE 'AKIA%' AND ` + elevated + `
                GROUP BY k HAVING count(DISTINCT regexp_extract(rule, '^TS-[A-Z]+-[0-9]+', 0)) >= 4)
            AND event_id IN (
                SELECT k FROM findings CROSS JOIN UNNEST(event_ids) AS named(k)
                WHERE ` + elevated + `)`,
			OnFindings:     true,
			Resource:       `access_key_id`,
			Explain:        `Four behaviours or more of medium severity or above come from one key: take it for leaked. Trace it.`,
			FalsePositives: `The key of an administrator who sets an account up, or of an announced test.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
		},
		{
			// Low: there is a first time for everything.
			ID:             "TS-XX-002",
			Title:          "Call that its user or role never made",
			Severity:       Low,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          `invoked_by IS NULL AND NOT ` + byService,
			Resource:       `event_source || ':' || event_name`,
			Explain:        `What a user or role does changes little from week to week. Read the calls together: many at once look like somebody else.`,
			FalsePositives: `New work, new versions of programs.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html",
			FirstSeen:      &FirstSeen{Scope: []string{actingPrincipal}, Key: []string{"event_source", "event_name"}, Learn: 14 * day},
		},
		{
			ID:             "TS-XX-002b",
			Title:          "Error that its user or role never got",
			Severity:       Low,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          `error_code IS NOT NULL AND invoked_by IS NULL AND NOT ` + byService,
			Resource:       `event_source || ':' || event_name`,
			Explain:        `Programs know what they may do; who tries a stolen key does not.`,
			FalsePositives: `Faults of a new version.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
			Outcomes:       []Outcome{Denied, Failed},
			FirstSeen:      &FirstSeen{Scope: []string{actingPrincipal}, Key: []string{"event_source", "error_code"}, Learn: 14 * day},
		},
	}
}
