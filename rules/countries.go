package rules

import "time"

// country is the country that an event came from, as the list of countries knows
// it, and NULL where it does not.
const country = `nullif((SELECT max(regexp_extract(value, '=([A-Z][A-Z])$', 1)) FROM lists
                WHERE name = 'countries' AND regexp_extract(value, '^([^=]+)=', 1) = source_ip_address), '')`

// countries are about where calls come from. CloudTrail does not say it: a database
// of the countries of addresses must be given.
func countries() []Rule {
	const page = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"
	return []Rule{
		{
			ID:         "TS-IA-011b",
			Title:      "Console sign-in from a country never seen for its user",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND ` + publicAddress,
			Resource:       country,
			Explain:        `Nothing that this user did came from that country before. Ask the user where they were, and end the session if not there.`,
			FalsePositives: `Travel, a VPN, a provider whose addresses are registered elsewhere.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			List:           CountriesList,
			FirstSeen:      &FirstSeen{Scope: []string{"principal_id"}, Key: []string{country}, Among: publicAddress, Learn: 7 * day},
		},
		{
			ID:         "TS-IA-011c",
			Title:      "Console sign-ins of one user from two countries within two hours",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND ` + publicAddress,
			Resource:       country,
			Explain:        `Few people cross a border in that time: two signed in with one password. See which session did what.`,
			FalsePositives: `A VPN switched on or off, life near a border, roaming.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			List:           CountriesList,
			Threshold:      &Threshold{By: []string{"principal_id"}, Distinct: country, Count: 2, Window: 2 * time.Hour},
		},
		{
			ID:         "TS-IA-022b",
			Title:      "Something created from a country new to the account",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `regexp_like(event_name, '^(?:Create|Run|Start|Launch|Provision|Register|Import|Allocate)')
            AND read_only IS DISTINCT FROM true AND NOT ` + byService + `
            AND ` + publicAddress,
			Resource:       country,
			Explain:        `Nobody of this account had called from that country before. Look at what was created, and by whom.`,
			FalsePositives: `A new office, a pipeline that a provider moved.`,
			Reference:      page,
			List:           CountriesList,
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{country}, Among: publicAddress, Learn: 7 * day},
		},
		{
			ID:             "TS-XX-002c",
			Title:          "Calls from a country that their user or role never called from",
			Severity:       Low,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          `invoked_by IS NULL AND NOT ` + byService + ` AND ` + publicAddress,
			Resource:       country,
			Explain:        `A program stays where it runs, and people mostly where they live. Read the calls together with what else is new about them.`,
			FalsePositives: `Travel, a new office, a workload moved to another region.`,
			Reference:      page,
			List:           CountriesList,
			FirstSeen:      &FirstSeen{Scope: []string{actingPrincipal}, Key: []string{country}, Learn: 14 * day},
		},
	}
}
