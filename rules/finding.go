package rules

import "time"

// Finding is what a rule says of one principal in one account: one a rule,
// account, principal, outcome and being in the lineage or not. Its JSON is an
// element of findings.json.
type Finding struct {
	ID           string    `json:"id"` // hash of what makes it one finding
	Rule         string    `json:"rule"`
	Title        string    `json:"title"`
	Severity     Severity  `json:"severity"`
	Tactic       string    `json:"tactic"`
	Techniques   []string  `json:"techniques"`
	Outcome      Outcome   `json:"outcome"`
	FirstSeen    time.Time `json:"first_seen"`
	LastSeen     time.Time `json:"last_seen"`
	Count        int64     `json:"count"` // events
	AccountID    string    `json:"account_id"`
	Regions      []string  `json:"regions"`
	PrincipalID  string    `json:"principal_id"`
	PrincipalARN string    `json:"principal_arn"`
	AccessKeyIDs []string  `json:"access_key_ids"`
	SourceIPs    []string  `json:"source_ips"`
	UserAgents   []string  `json:"user_agents"`
	Resources    []string  `json:"resources"`
	EventIDs     []string  `json:"event_ids"` // the first 1,000
	InLineage    bool      `json:"in_lineage"`
	Summary      string    `json:"summary"`
}

// Assessment says whether a rule could say anything of a case. Its JSON is an
// element of assessment.json.
type Assessment struct {
	Rule     string `json:"rule"`
	Assessed string `json:"assessed"` // Assessed, NotAssessable or NotAssessed
	Reason   string `json:"reason"`   // "" for Assessed
}

// A rule had what it needs; the case holds no events of the class that it
// needs; or a list that it needs was not given.
const (
	Assessed      = "assessed"
	NotAssessable = "not_assessable"
	NotAssessed   = "not_assessed"
)
