// Package remediate writes the plan that shuts an intruder out and cleans up
// after one, and carries out a plan that a person has reviewed. The planner
// reads a case and never calls AWS; the executor does what the plan states and
// decides nothing else.
package remediate

import "time"

// PlanVersion is the version of the format of plan.json.
const PlanVersion = 1

// Phase orders the actions of a plan.
type Phase string

// The phases, in order of execution.
const (
	Preserve Phase = "preserve"
	Contain  Phase = "contain"
	Revoke   Phase = "revoke"
	Evict    Phase = "evict"
	Recover  Phase = "recover"
	Restore  Phase = "restore"
)

// Mode says who may carry out an action.
type Mode string

// Auto runs with --apply: it has a rollback, deletes nothing and ends nothing
// that cannot be started again. Review needs a person's word, Manual a person.
const (
	Auto   Mode = "auto"
	Review Mode = "review"
	Manual Mode = "manual"
)

// Values that the executor puts into the strings of an action's parameters.
const (
	Now      = "${now}"      // the time AWS answers with at that call, RFC 3339
	Password = "${password}" // made at the call, shown once, never stored
	Item     = "${item}"     // the element of ForEach at hand
)

// Plan is what is to be done, in order. Its JSON is plan.json.
type Plan struct {
	Version     int         `json:"version"`
	Keys        []string    `json:"keys"`
	AccountIDs  []string    `json:"account_ids"`
	GeneratedAt time.Time   `json:"generated_at"`
	LogThrough  time.Time   `json:"log_through"` // the newest event that the plan knows of
	Lineage     PlanLineage `json:"lineage"`
	// Administrators are those that the log shows to have all rights, so that apply
	// can keep the last of them where it cannot read the account.
	Administrators []Administrator `json:"administrators,omitempty"`
	Actions        []Action        `json:"actions"`
	Digest         string          `json:"digest"` // SHA-256 over RFC 8785 JSON without digest and generated_at
}

// PlanLineage is what the intruder holds, so that apply can refuse to run with
// any of it without opening a case.
type PlanLineage struct {
	AccessKeyIDs []string `json:"access_key_ids"`
	PrincipalIDs []string `json:"principal_ids"`
	ARNs         []string `json:"arns"`
}

// Administrator is a user or role that may do everything.
type Administrator struct {
	AccountID string `json:"account_id"`
	Kind      string `json:"kind"` // user or role
	Name      string `json:"name"`
}

// Action is one step of a plan: an AWS API call, or something that only a
// person can do (Mode Manual; Service may then be empty).
type Action struct {
	ID         string         `json:"id"`
	Phase      Phase          `json:"phase"`
	Mode       Mode           `json:"mode"`
	AccountID  string         `json:"account_id"`
	Region     string         `json:"region"`
	Service    string         `json:"service"`    // package of aws-sdk-go-v2, "iam"
	Operation  string         `json:"operation"`  // "UpdateAccessKey"
	Parameters map[string]any `json:"parameters"` // fields of the SDK's input
	ForEach    *Read          `json:"for_each"`   // repeat for each value at Path
	Title      string         `json:"title"`
	Reason     string         `json:"reason"`
	Risk       string         `json:"risk"`
	Evidence   []string       `json:"evidence"` // event ids
	DependsOn  []string       `json:"depends_on"`
	Expect     []Check        `json:"expect"`   // before the call
	Verify     []Check        `json:"verify"`   // after it
	Rollback   []Call         `json:"rollback"` // nil: irreversible
	Fallbacks  []Call         `json:"fallbacks"`
	Deadline   *time.Time     `json:"deadline"`
	CLI        string         `json:"cli"`
}

// Call is an AWS API call.
type Call struct {
	Service    string         `json:"service"`
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"`
}

// Read is a call that reads and the JMESPath of what is wanted of its answer,
// over the names of aws-sdk-go-v2's output fields.
type Read struct {
	Call
	Path string `json:"path"`
}

// Check is a live read and what it must say: that the value at Path equals
// Equals, or that there is none (also because the thing itself is gone).
type Check struct {
	Read
	Equals any  `json:"equals,omitempty"`
	Absent bool `json:"absent,omitempty"`
}
