package rules

// anomalies are about what is rare for whoever does it, whatever it is.
func anomalies() []Rule {
	return []Rule{
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
