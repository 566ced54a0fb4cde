package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Expectation is the part of the truth that the scenario's author states; its
// strings may hold templates, which are filled in when the log is complete.
type Expectation struct {
	Keys       []string            `json:"keys"`
	Since      string              `json:"compromised_since"`
	Principals []TruthPrincipal    `json:"principals"`
	Plan       ExpectedPlan        `json:"plan"`
	Guarded    []string            `json:"everyday_arns"` // must be neither in lineage nor in plan
	Shared     []string            `json:"shared_roles"`  // roles that both hands use: everyday sessions of them are guarded
	Survivors  map[string]Survivor `json:"credentials"`   // by name, what the simulation cannot know
}

// Survivor says what an author knows about a credential of the intruder.
type Survivor struct {
	KeyDisable bool   `json:"survives_key_disable"`
	Why        string `json:"why"`
}

// Truth is what a perfect tool finds in a log; testdata/README.md explains it.
type Truth struct {
	Scenario string   `json:"scenario"`
	About    string   `json:"about"`
	Account  string   `json:"account_id"`
	Log      TruthLog `json:"log"`
	Keys     []string `json:"keys"`
	Since    string   `json:"compromised_since"`
	Lineage  struct {
		Credentials []TruthCredential `json:"credentials"`
		Principals  []TruthPrincipal  `json:"principals"`
	} `json:"lineage"`
	IntruderEvents []string      `json:"intruder_events"`
	Everyday       TruthEveryday `json:"everyday"`
	Rules          []TruthRule   `json:"rules"`
	Benign         []TruthBenign `json:"benign"`
	Plan           ExpectedPlan  `json:"plan"`
}

// TruthLog measures the log.
type TruthLog struct {
	First    string         `json:"first_event"`
	Last     string         `json:"last_event"`
	Events   int            `json:"events"`
	Intruder int            `json:"intruder_events"`
	Regions  map[string]int `json:"events_by_region"`
}

// TruthCredential is a credential of the lineage.
type TruthCredential struct {
	Name               string   `json:"name"` // the scenario's, for messages of tests
	AccessKeyIDs       []string `json:"access_key_ids"`
	Kind               string   `json:"kind"`
	PrincipalARN       string   `json:"principal_arn"`
	PrincipalID        string   `json:"principal_id"`
	Parent             string   `json:"parent"` // name of the credential that issued it
	Via                string   `json:"via"`
	IssuedEventID      string   `json:"issued_event_id"`
	IssuedAt           string   `json:"issued_at"`
	ExpiresAt          string   `json:"expires_at"`
	LiveAtEnd          bool     `json:"live_at_end"`
	SurvivesKeyDisable bool     `json:"survives_key_disable"`
	EventCount         int      `json:"event_count"` // the intruder's uses that show the key
	Why                string   `json:"why,omitempty"`
}

// TruthPrincipal is a principal of the lineage.
type TruthPrincipal struct {
	ARN string   `json:"arn"`
	How []string `json:"how"` // any of these is right
	Why string   `json:"why"`
}

// TruthEveryday lists what must be neither in the lineage nor in the plan.
type TruthEveryday struct {
	Events        []string `json:"events"`
	CredentialIDs []string `json:"credential_ids"`
	ARNs          []string `json:"arns"`
}

// TruthRule is a behaviour that must be found in the lineage.
type TruthRule struct {
	Rule    string   `json:"rule"`
	Outcome string   `json:"outcome,omitempty"`
	Events  []string `json:"events,omitempty"` // those that a finding must name; empty for behaviours of a whole act
	Act     string   `json:"act"`
}

// TruthBenign is a finding that everyday use rightly raises.
type TruthBenign struct {
	Rule         string   `json:"rule"`
	PrincipalARN string   `json:"principal_arn"`
	PrincipalID  string   `json:"principal_id"`
	Why          string   `json:"why"`
	Events       []string `json:"events"`
}

// ExpectedPlan is what the plan must and must not hold.
type ExpectedPlan struct {
	Expected []ExpectedAction `json:"expected"`
	Never    []string         `json:"never"` // must occur in no action's parameters
}

// ExpectedAction must be in the plan; Parameters is a part of the action's.
type ExpectedAction struct {
	Phase      string         `json:"phase"`
	Service    string         `json:"service"`
	Operation  string         `json:"operation"`
	Region     string         `json:"region,omitempty"`
	Parameters map[string]any `json:"parameters"`
	Contains   []string       `json:"contains,omitempty"` // texts that the action's parameters hold
	Why        string         `json:"why"`
}

// Truth returns what a perfect tool finds in the log. It follows from the
// scenario alone: from whose hand each step is and what each step handed out.
func (l *Log) Truth() (*Truth, error) {
	w := l.w
	want, err := w.filled(w.s.Expectation)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: truth: %w", w.s.Name, err)
	}
	t := &Truth{Scenario: w.s.Name, About: w.s.About, Account: w.account, Keys: want.Keys, Since: want.Since,
		Rules: []TruthRule{}, Benign: []TruthBenign{}, Plan: want.Plan}
	t.Lineage.Principals = want.Principals
	t.Log = TruthLog{Events: len(l.Events), Regions: map[string]int{}, Last: stamp(l.last())}
	uses := map[*credential]int{}
	benign := map[string]*TruthBenign{}
	rules := map[string]*TruthRule{}
	named := map[string]bool{}
	for _, act := range w.s.Acts {
		named[act.Name] = act.Hand == Everyday
	}
	for i, e := range l.Events {
		if i == 0 {
			t.Log.First = stamp(e.Time)
		}
		t.Log.Regions[e.Region]++
		if e.Hand == Intruder {
			t.IntruderEvents = append(t.IntruderEvents, e.ID)
			if e.keyID != "" {
				uses[e.by]++
			}
		} else if named[e.Act] || slices.Contains(want.Keys, e.by.keyID) {
			t.Everyday.Events = append(t.Everyday.Events, e.ID)
		}
		for _, r := range e.rules {
			addRule(rules, r, e)
		}
		for _, r := range sortedKeys(e.benign) {
			k := r + " " + e.principalID
			if benign[k] == nil {
				benign[k] = &TruthBenign{Rule: r, PrincipalARN: e.principalARN, PrincipalID: e.principalID, Why: e.benign[r]}
			}
			benign[k].Events = append(benign[k].Events, e.ID)
		}
	}
	t.Log.Intruder = len(t.IntruderEvents)
	for _, k := range sortedKeys(rules) {
		t.Rules = append(t.Rules, *rules[k])
	}
	for _, act := range w.s.Acts {
		for _, r := range act.Rules {
			t.Rules = append(t.Rules, TruthRule{Rule: r, Act: act.Name})
		}
	}
	for _, k := range sortedKeys(benign) {
		t.Benign = append(t.Benign, *benign[k])
	}
	for _, k := range want.Keys {
		for _, name := range sortedKeys(w.creds) {
			if c := w.creds[name]; c.keyID == k {
				t.Lineage.Credentials = append(t.Lineage.Credentials, l.truthOf(c, uses[c], want.Survivors))
			}
		}
	}
	for _, c := range w.issued {
		if c.hand == Intruder {
			t.Lineage.Credentials = append(t.Lineage.Credentials, l.truthOf(c, uses[c], want.Survivors))
		}
	}
	t.Everyday.ARNs = want.Guarded
	t.Everyday.CredentialIDs = w.everydayKeys(want)
	return t, nil
}

// JSON writes a truth as truth.json holds it.
func (t *Truth) JSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(t)
	return buf.Bytes(), err
}

func addRule(rules map[string]*TruthRule, rule string, e *Event) {
	k := rule + " " + e.outcome + " " + e.Act
	if rules[k] == nil {
		rules[k] = &TruthRule{Rule: rule, Outcome: e.outcome, Act: e.Act}
	}
	rules[k].Events = append(rules[k].Events, e.ID)
}

func (l *Log) truthOf(c *credential, uses int, survivors map[string]Survivor) TruthCredential {
	t := TruthCredential{
		Name: c.name, AccessKeyIDs: c.keyIDs(), Kind: c.kind, PrincipalARN: c.identity.ARN, PrincipalID: c.identity.PrincipalID,
		Via: c.via, IssuedEventID: c.event, LiveAtEnd: c.expires.IsZero() || c.expires.After(l.last()),
		SurvivesKeyDisable: survivors[c.name].KeyDisable, Why: survivors[c.name].Why, EventCount: uses,
	}
	if c.parent != nil {
		t.Parent = c.parent.name
	}
	if !c.issuedAt.IsZero() {
		t.IssuedAt = stamp(c.issuedAt)
	}
	if !c.expires.IsZero() {
		t.ExpiresAt = stamp(c.expires)
	}
	return t
}

// everydayKeys are the credentials that a careless tool would take for the
// intruder's: what everyday acts and the keys' owners were handed out, and the
// everyday sessions of roles that the intruder used too.
func (w *world) everydayKeys(want *Expectation) []string {
	var ids []string
	acts := map[string]bool{}
	for _, e := range w.events {
		if e.Hand == Everyday && !strings.HasPrefix(e.by.name, "service:") {
			acts[e.ID] = slices.ContainsFunc(w.s.Acts, func(a Act) bool { return a.Name == e.Act }) ||
				slices.Contains(want.Keys, e.by.keyID)
		}
	}
	for _, c := range w.issued {
		if c.hand != Everyday {
			continue
		}
		shared := c.identity.SessionContext != nil && slices.Contains(want.Shared, c.identity.SessionContext.SessionIssuer.UserName)
		if acts[c.event] || shared || (c.parent != nil && slices.Contains(want.Keys, c.parent.keyID)) {
			ids = append(ids, c.keyIDs()...)
		}
	}
	for _, name := range sortedKeys(w.s.Users) {
		if c, ok := w.creds[name]; ok && !slices.Contains(want.Keys, c.keyID) {
			ids = append(ids, c.keyID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// filled replaces the templates of an expectation.
func (w *world) filled(e Expectation) (*Expectation, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	sc := &scope{w: w, d: newDice(w.s.Seed, "truth"), at: w.s.end, region: w.s.Region}
	if v, err = sc.expand(v); err != nil {
		return nil, err
	}
	if raw, err = json.Marshal(v); err != nil {
		return nil, err
	}
	out := &Expectation{}
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, err
	}
	if _, err := time.Parse(timeLayout, out.Since); err != nil {
		return nil, fmt.Errorf("compromised_since: %w", err)
	}
	return out, nil
}
