// Package rules holds the detections: what each looks for, its compilation to
// SQL over the events relation, and the findings that come of it. A rule is a
// value in a list (one file a tactic), not code; adding one is adding an entry.
package rules

import "time"

// Rule is one detection. Its SQL fields are expressions over the columns of
// events, and a column outcome (success, denied or failed), in the dialect that
// DuckDB and Trino share. A rule without a shape (Threshold, Sequence,
// FirstSeen, Spike, Rerun) matches every event for which Where holds; at most one shape is
// set.
type Rule struct {
	ID         string   // "TS-PE-002"
	Title      string   // a noun phrase of what happened
	Severity   Severity // of a success, or of what Outcomes asks for
	Tactic     string   // short name in ATT&CK v18, "persistence"
	Techniques []string // ATT&CK v18, "T1098.001"

	// Where holds for the events that the rule is about.
	Where string
	// Resource is what the event acted on: a name, an ARN or an id. NULL or
	// "" where it says none.
	Resource string
	// Explain says what the behaviour means to a responder and what to look at
	// next: a sentence or two.
	Explain string
	// FalsePositives says who does the same with good reason.
	FalsePositives string
	// Reference is the page of AWS's documentation about the calls.
	Reference string
	// Outcomes narrows the rule to some of them; nil means all three.
	Outcomes []Outcome
	// Needs is the class of events without which the rule can say nothing. ""
	// derives it from the event names in the rule's SQL.
	Needs Class
	// List names the list that a user must give before the rule can run; its SQL
	// reads it with (SELECT value FROM lists WHERE name = '…'). "" needs none.
	List string
	// OnFindings is set for a rule that reads the table findings: it runs after
	// the others and sees what they found.
	OnFindings bool
	// Lineage is set for a rule about the stored lineage: without one it cannot
	// run, and its findings count as the lineage's.
	Lineage bool
	// OfLineage narrows calls, which the rule's SQL is about, to the events of the
	// lineage: all that its credentials did, but what the owner did.
	OfLineage bool

	Threshold *Threshold
	Sequence  *Sequence
	FirstSeen *FirstSeen
	Spike     *Spike
	Rerun     []Rule // that are run again with the whole lineage as their principal
}

// Threshold matches the events of a group once they reach a number within a
// window of time that slides over them.
type Threshold struct {
	By       []string // expressions of the group; an event where one is NULL is left out
	Distinct string   // what is counted once each; "" counts events
	Sum      string   // what is added up instead, a number; NULL adds nothing
	Count    int      // at least so many
	Most     int      // and at most so many in the fullest window; 0: no limit
	Except   int      // but not so many; 0: no exception
	Window   time.Duration
}

// Sequence matches when Steps happen one after the other for one value of the
// join, the last within Within of the first. Where of the rule narrows every
// step. The events of all steps are the finding's.
type Sequence struct {
	Steps     []Step
	Within    time.Duration
	Unordered bool // the steps may come in any order, and one event may be several
	Least     int  // of an unordered sequence: so many of the steps; 0: all
}

// Step is an event of a sequence and the value that joins it to the others.
type Step struct {
	Where string
	On    string // NULL joins nothing
}

// FirstSeen matches an event whose key the case's own earlier events (those
// where Among holds, the rule's Where by default) did not have. The history of
// a scope begins with its first event of any kind; the first Learn of it only
// teaches. Events of the lineage never do.
type FirstSeen struct {
	Scope []string // whose history counts: an account, a principal
	Key   []string // what must be new to it
	Among string
	Learn time.Duration
}

// Spike matches the events of a group in a minute, an hour or a day that holds
// many more of them than the group's others do. Events of the lineage are no
// baseline.
type Spike struct {
	By    []string      // expressions of the group; an event where one is NULL is left out
	Per   time.Duration // a minute, an hour or a day
	Count int           // at least so many
}
