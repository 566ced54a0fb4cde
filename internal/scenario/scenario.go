// Package scenario makes believable CloudTrail logs: weeks of everyday use of
// one account, an intrusion in the midst of it, and the truth about both.
//
// A scenario is one file of steps (who, what, when, from where); the package
// supplies the CloudTrail record around each step, simulates what AWS hands
// out (credentials, ids, times) and writes the archive as S3 would hold it.
// Equal input gives equal bytes: all chance comes from the scenario's seed and
// no clock is read. It knows nothing of how trailscan reads logs, so that its
// truth is independent of what it tests.
package scenario

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// Scenario is the content of one scenario file; testdata/README.md explains
// how to write one.
type Scenario struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Account string `json:"account"`
	Seed    uint64 `json:"seed"`
	From    string `json:"from"` // first day, 2006-01-02
	Days    int    `json:"days"`
	Region  string `json:"region"` // where steps happen that name none

	Users       map[string]User        `json:"users"`
	Roles       map[string]Role        `json:"roles"`
	Identities  map[string]WebIdentity `json:"web_identities"`
	Origins     map[string]Origin      `json:"origins"`
	Things      map[string]Pool        `json:"things"` // what templates pick from with ${any.NAME}
	Menus       map[string]Menu        `json:"menus"`
	Routines    []Routine              `json:"routines"`
	Acts        []Act                  `json:"acts"`
	Calls       map[string]Call        `json:"calls"` // added to the catalogue
	Expectation Expectation            `json:"truth"`

	start, end time.Time
}

// User is an IAM user that exists when the log begins. One with a key has a
// credential of the user's own name.
type User struct {
	Key  bool   `json:"key"`
	Path string `json:"path,omitempty"`
}

// Role is an IAM role that exists when the log begins.
type Role struct {
	Path string `json:"path,omitempty"`
}

// WebIdentity is a subject that an OpenID Connect provider vouches for.
type WebIdentity struct {
	Provider string `json:"provider"` // host of the provider
	Audience string `json:"audience"`
	Subject  string `json:"subject"`
}

// Origin is a machine or network that calls come from. ${command} in its agent
// becomes the AWS CLI's name of the call.
type Origin struct {
	IPs         []string `json:"ips"`
	Agent       string   `json:"agent"`
	VPCEndpoint string   `json:"vpc_endpoint,omitempty"`
	Service     string   `json:"service,omitempty"` // an AWS service that uses its service-linked role
}

// Pool is a set of names: given ones, or Count made ones with the prefix New.
type Pool struct {
	Names []string `json:"names,omitempty"`
	New   string   `json:"new,omitempty"`
	Count int      `json:"count,omitempty"`
}

// Menu is what a routine chooses its calls from, by weight. A call whose name
// ends in "!" is denied.
type Menu map[string]int

// Act is a run of steps that belong together.
type Act struct {
	Name  string `json:"name"`
	Hand  Hand   `json:"hand"`
	About string `json:"about,omitempty"`
	// Rules are behaviours that the act shows only as a whole.
	Rules []string `json:"rules,omitempty"`
	// Benign is as of a step, of all its steps.
	Benign map[string]string `json:"benign,omitempty"`
	By     string            `json:"by,omitempty"`     // default of its steps
	From   string            `json:"from,omitempty"`   // default of its steps
	Where  string            `json:"region,omitempty"` // default of its steps
	Steps  []Step            `json:"steps"`
}

// Hand says whose an event is.
type Hand string

// The hands: an event is either everyday use or the intruder's.
const (
	Everyday Hand = "everyday"
	Intruder Hand = "intruder"
)

//go:embed incidents/*.json
var incidents embed.FS

// Names lists the scenarios that the package carries.
func Names() []string {
	files, err := fs.Glob(incidents, "incidents/*.json")
	if err != nil { // the pattern is constant
		return nil
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".json")
	}
	return names
}

// Load reads one of the scenarios that Names lists.
func Load(name string) (*Scenario, error) {
	data, err := incidents.ReadFile("incidents/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("scenario %q: %w (there are: %s)", name, err, strings.Join(Names(), ", "))
	}
	return Parse(data)
}

// Parse reads a scenario file. A member that it does not know is an error, so
// that a misspelt one is not silently without effect.
func Parse(data []byte) (*Scenario, error) {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	var s Scenario
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	start, err := time.Parse(time.DateOnly, s.From)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: from: %w", s.Name, err)
	}
	if s.Days < 1 {
		return nil, fmt.Errorf("scenario %s: days must be at least 1", s.Name)
	}
	if len(s.Account) != 12 {
		return nil, fmt.Errorf("scenario %s: account %q is not of 12 digits", s.Name, s.Account)
	}
	if s.Region == "" {
		s.Region = "us-east-1"
	}
	s.start, s.end = start, start.AddDate(0, 0, s.Days)
	return &s, nil
}
