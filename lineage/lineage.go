// Package lineage finds what descends from an access key: every credential
// that its holder could have passed on and every principal created or changed
// on the way, each with the event that proves it. It judges neither whether a
// call was hostile (package rules) nor what undoes it (package remediate).
package lineage

import "time"

// Lineage is the closure of one incident's keys. Its JSON is lineage.json.
type Lineage struct {
	Keys             []string  `json:"keys"`
	CompromisedSince time.Time `json:"compromised_since"`
	// CompromisedSinceWhy says where CompromisedSince comes from: given, or
	// inferred and from what.
	CompromisedSinceWhy string `json:"compromised_since_why"`
	// FirstMaliciousUse is the estimate of the first use of a key by the intruder,
	// nil where nothing since the compromise looks like one.
	FirstMaliciousUse *FirstUse    `json:"first_malicious_use"`
	AsOf              time.Time    `json:"as_of"`
	Credentials       []Credential `json:"credentials"` // by time issued, then id
	Principals        []Principal  `json:"principals"`  // by time, then ARN
	Edges             []Edge       `json:"edges"`       // by time, then from, to
}

// FirstUse is a call that somebody first used a key for.
type FirstUse struct {
	Time    time.Time `json:"time"`
	EventID string    `json:"event_id"`
	Why     string    `json:"why"`
}

// Kind is what sort of credential one is.
type Kind string

// The kinds of credentials that CloudTrail shows.
const (
	LongTerm         Kind = "long_term"
	SessionToken     Kind = "session_token"
	RoleSession      Kind = "role_session"
	FederationToken  Kind = "federation_token"
	Console          Kind = "console"
	ServiceForwarded Kind = "service_forwarded"
	ServiceSpecific  Kind = "service_specific"
	SSHKey           Kind = "ssh_key"
	Certificate      Kind = "certificate"
	Password         Kind = "password"
	Unknown          Kind = "unknown"
)

// Certainty is how sure an edge is. That of a node is the weakest on the path
// from its root.
type Certainty string

// The log shows the issuing event; it follows from what the log shows; or the
// credential acts for a tainted principal and nothing shows where it is from.
const (
	Confirmed   Certainty = "confirmed"
	Inferred    Certainty = "inferred"
	Unexplained Certainty = "unexplained"
)

// Actor is whose use of a credential a cluster of events looks like.
type Actor string

// The actors of a leaked key.
const (
	Owner    Actor = "owner"
	Intruder Actor = "intruder"
	Unclear  Actor = "unclear"
)

// Credential is one credential of the lineage. ID is its access key id where
// there is one.
type Credential struct {
	ID             string     `json:"id"`
	AccessKeyIDs   []string   `json:"access_key_ids"`
	Kind           Kind       `json:"kind"`
	PrincipalID    string     `json:"principal_id"`
	PrincipalARN   string     `json:"principal_arn"` // of the session, for a role session
	AccountID      string     `json:"account_id"`
	SessionName    string     `json:"session_name"`
	SourceIdentity string     `json:"source_identity"`
	Parent         *string    `json:"parent"` // nil for a root
	Via            string     `json:"via"`    // "sts:AssumeRole"; "" for a root
	IssuedEventID  string     `json:"issued_event_id"`
	IssuedAt       *time.Time `json:"issued_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	ExpiresDerived bool       `json:"expires_derived"` // computed, not read from the response
	FirstUsed      *time.Time `json:"first_used"`
	LastUsed       *time.Time `json:"last_used"`
	EventCount     int64      `json:"event_count"`
	Uses           []Use      `json:"uses"`
	Certainty      Certainty  `json:"certainty"`
	Why            string     `json:"why"`
	LiveAtEnd      bool       `json:"live_at_end"`
	// ValidForSeconds is for how long it was still good at Lineage.AsOf: nil
	// where nothing but a person ends it, 0 where it had ended.
	ValidForSeconds *int64 `json:"valid_for_seconds"`
	// SurvivesKeyDisable and SurvivesUserDelete say whether it goes on when the
	// root key is disabled or deleted, and when the user or role that the root key
	// acts as is deleted.
	SurvivesKeyDisable bool   `json:"survives_key_disable"`
	SurvivesUserDelete bool   `json:"survives_user_delete"`
	EndedBy            string `json:"ended_by"` // what ends it, for a reader
	// EndedAt and those below say how it ended where the log shows that it did,
	// before AsOf and before it expired.
	EndedAt      *time.Time `json:"ended_at"`
	EndedVia     string     `json:"ended_via"` // "iam:DeleteAccessKey"
	EndedEventID string     `json:"ended_event_id"`
	EndedWhy     string     `json:"ended_why"`
}

// Use is a cluster of the events that a credential made: what looks like one
// person's use.
type Use struct {
	Actor      Actor    `json:"actor"`
	SourceIPs  []string `json:"source_ips"`
	UserAgents []string `json:"user_agents"`
	Regions    []string `json:"regions"`
	// Networks are the /24 and /64 of the addresses, and by which VPC endpoint they
	// came. AgentFamilies are the agents without their versions.
	Networks      []string `json:"networks"`
	AgentFamilies []string `json:"agent_families"`
	// NewRegions are those in which the key was not used before its compromise.
	NewRegions []string `json:"new_regions"`
	// AutonomousSystems ("AS64500 Example") and AWSServices ("EC2 us-east-1") are
	// whose the addresses are, as far as files that know were given.
	AutonomousSystems []string  `json:"autonomous_systems"`
	AWSServices       []string  `json:"aws_services"`
	First             time.Time `json:"first"`
	Last              time.Time `json:"last"`
	Count             int64     `json:"count"`
	Why               string    `json:"why"`
}

// How a principal came into the lineage.
type How string

// The ways into the lineage. Only Created taints all later credentials of the
// principal; the others taint what came through that change.
const (
	Created         How = "created"
	CredentialAdded How = "credential_added"
	PasswordSet     How = "password_set"
	TrustChanged    How = "trust_changed"
	PolicyChanged   How = "policy_changed"
	CodeChanged     How = "code_changed"
	Assumed         How = "assumed"
)

// Principal is a user, role or group that the lineage made, changed or used.
// One that came in by several ways stands there once for each.
type Principal struct {
	ARN         string    `json:"arn"`
	PrincipalID string    `json:"principal_id"`
	AccountID   string    `json:"account_id"`
	Kind        string    `json:"kind"` // user, role, group, instance_profile, root, …
	How         How       `json:"how"`
	EventID     string    `json:"event_id"`
	Time        time.Time `json:"time"`
	Certainty   Certainty `json:"certainty"`
	Why         string    `json:"why"`
}

// Edge joins credential ids and principal ARNs.
type Edge struct {
	From      string    `json:"from"`
	To        string    `json:"to"`
	Via       string    `json:"via"`
	EventID   string    `json:"event_id"`
	Time      time.Time `json:"time"`
	Certainty Certainty `json:"certainty"`
	Why       string    `json:"why"`
}
