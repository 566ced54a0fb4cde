package remediate

import (
	"strings"
	"time"
)

// undo says what reverses one API call of an intruder. The tables of them, one
// a field of AWS, are plain data; expr.go has the grammar of their values.
type undo struct {
	call   string   // "iam:AttachUserPolicy", event source and name
	object []string // what the call acts on
	prior  []prior  // earlier events that show what stood there before, if the log has them
	steps  []step
	// overlay says that the call changes the fields it names and leaves the others:
	// prior is then what those fields were, each as the log last shows it.
	overlay bool
	// was takes the place of prior where events show the state in another way, and
	// says itself what still stands; prior then only names the events it looks at.
	was func(h history, c *change, mine map[*event]bool) any
	// split makes a change of its own of each element of a list, which is el.
	split bool
	// idempotent says that the object alone tells the state that the call leads
	// to: where someone else had made the call before, it changed nothing.
	idempotent bool
	// blind takes the place of steps when steps need prior and the log lacks it.
	blind []step
	// todo is for a person: what to do where steps cannot, or at all.
	todo string
	// watch says that the call blinded those who watch: what a person has to do
	// about it comes first, too.
	watch bool
	// chain makes each step wait for those before it; apart excepts a step.
	chain bool
	// creates names what comes into being: "user", "role", … Its removal undoes
	// all else that was done to it.
	creates string
	// also are calls besides that of the steps that make undoing needless.
	also []string
	// within are calls that end what the change is in, each with which value of
	// object names it.
	within map[string]int
	// deadline is when undoing comes too late.
	deadline func(*event) (time.Time, bool)
	// handled says that contain and revoke deal with what the call gave; no
	// action names the call itself.
	handled bool
}

// prior is an event that shows a state: its name in the same source, what it
// acts on in the order of undo.object, and where the state is.
type prior struct {
	name   string
	object []string
	value  string
}

// step is one call of an undo.
type step struct {
	phase Phase
	mode  Mode
	call  string // "iam:DetachUserPolicy", package and operation of aws-sdk-go-v2
	in    args
	back  []reverse // nil: irreversible
	title string
	risk  string
	each  *each
	// apart is a step of a chain that waits for none of those before it: what a
	// user holds is taken off piece by piece, and one that fails is no reason to
	// leave the others.
	apart bool
	// when limits the step to events where an expression has this value, any
	// (anyValue), or another than what follows a "!".
	when [2]string
	// expect is that the object is the one the log shows, not another of its name.
	expect []want
}

// anyValue is a when that asks only that there is something.
const anyValue = "*"

// reverse is a call that takes a step back.
type reverse struct {
	call string
	in   args
}

// each repeats a step over what a live read answers.
type each struct {
	call string
	in   args
	path string // JMESPath with {expressions}
}

// want is a check of the live state before a step.
type want struct {
	call   string
	in     args
	path   string
	equals string // expression; "" means that there is nothing at path
}

// exposure is a read that lets the intruder keep what was read.
type exposure struct {
	call   string
	object []string
	// only counts events where an expression is true, or is what is says.
	only string
	is   string
	step *step
	todo string
}

// undoTable has every undo by its call.
var undoTable = index(undoIAMUsers, undoIAMGrants, undoIAMRoles, undoIAMAccount, undoSignIn, watching(undoLogging), watching(undoDetection),
	undoCompute, undoNetwork, undoServerless, undoStorage, undoSecrets, undoOrganization, undoOther)

func index(tables ...[]undo) map[string]*undo {
	m := map[string]*undo{}
	for _, t := range tables {
		for i := range t {
			m[t[i].call] = &t[i]
		}
	}
	return m
}

// watching marks a table of what watches the account.
func watching(table []undo) []undo {
	for i := range table {
		table[i].watch = true
	}
	return table
}

var exposureTable = func() map[string]*exposure {
	m := map[string]*exposure{}
	for i := range exposures {
		m[exposures[i].call] = &exposures[i]
	}
	return m
}()

func splitCall(call string) (service, operation string) {
	service, operation, _ = strings.Cut(call, ":")
	return service, operation
}

// sdkService is the package of aws-sdk-go-v2 for an event source, where they
// are not called the same.
var sdkService = map[string]string{
	"config":            "configservice",
	"logs":              "cloudwatchlogs",
	"monitoring":        "cloudwatch",
	"events":            "eventbridge",
	"sso":               "ssoadmin",
	"sso-directory":     "identitystore",
	"cognito-idp":       "cognitoidentityprovider",
	"access-analyzer":   "accessanalyzer",
	"cognito-identity":  "cognitoidentity",
	"elasticmapreduce":  "emr",
	"elasticfilesystem": "efs",
	"acm-pca":           "acmpca",
}
