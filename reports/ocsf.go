package reports

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"trailscan/rules"
)

// OCSF 1.5.0: a finding is an event of the class Detection Finding (2004) with
// the profile cloud, one event a line. Collectors read events line by line, and
// what fills Security Lake (which takes Parquet alone) does too.
// https://schema.ocsf.io/1.5.0/classes/detection_finding
// https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources.html

const (
	ocsfVersion      = "1.5.0"
	ocsfFindings     = 2    // category Findings
	ocsfDetection    = 2004 // class Detection Finding
	ocsfCreate       = 1    // activity: a finding was made
	ocsfStatusNew    = 1
	ocsfRule         = 1  // type of an analytic
	ocsfStatistical  = 3  // the same
	ocsfAWSAccount   = 10 // type of an account
	ocsfIPAddress    = 2  // type of an observable
	ocsfMaxEvidences = 20
)

// ocsfSeverities are the ids and names of severities.
var ocsfSeverities = map[rules.Severity]struct {
	id   int
	name string
}{
	rules.Info: {1, "Informational"}, rules.Low: {2, "Low"}, rules.Medium: {3, "Medium"}, rules.High: {4, "High"}, rules.Critical: {5, "Critical"},
}

type ocsfEvent struct {
	ActivityID   int              `json:"activity_id"`
	ActivityName string           `json:"activity_name"`
	CategoryName string           `json:"category_name"`
	CategoryUID  int              `json:"category_uid"`
	ClassName    string           `json:"class_name"`
	ClassUID     int              `json:"class_uid"`
	Cloud        ocsfCloud        `json:"cloud"`
	Count        int64            `json:"count"`
	EndTime      int64            `json:"end_time"`
	Evidences    []ocsfEvidence   `json:"evidences,omitempty"`
	FindingInfo  ocsfFinding      `json:"finding_info"`
	IsAlert      bool             `json:"is_alert"`
	Message      string           `json:"message"`
	Metadata     ocsfMetadata     `json:"metadata"`
	Observables  []ocsfObservable `json:"observables,omitempty"`
	Resources    []ocsfResource   `json:"resources,omitempty"`
	Severity     string           `json:"severity"`
	SeverityID   int              `json:"severity_id"`
	StartTime    int64            `json:"start_time"`
	Status       string           `json:"status"`
	StatusID     int              `json:"status_id"`
	Time         int64            `json:"time"`
	TypeName     string           `json:"type_name"`
	TypeUID      int              `json:"type_uid"`
	Unmapped     ocsfUnmapped     `json:"unmapped"`
}

type ocsfCloud struct {
	Account  *ocsfAccount `json:"account,omitempty"`
	Provider string       `json:"provider"`
	Region   string       `json:"region,omitempty"`
}

type ocsfAccount struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
	UID    string `json:"uid"`
}

type ocsfEvidence struct {
	Actor    *ocsfActor    `json:"actor,omitempty"`
	Endpoint *ocsfEndpoint `json:"src_endpoint,omitempty"`
	Data     *ocsfData     `json:"data,omitempty"`
}

type ocsfActor struct {
	User ocsfUser `json:"user"`
}

type ocsfUser struct {
	Account    *ocsfAccount `json:"account,omitempty"`
	Credential string       `json:"credential_uid,omitempty"`
	Name       string       `json:"name,omitempty"`
	UID        string       `json:"uid,omitempty"`
	UIDAlt     string       `json:"uid_alt,omitempty"`
}

type ocsfEndpoint struct {
	IP     string `json:"ip,omitempty"`
	Domain string `json:"domain,omitempty"`
}

type ocsfData struct {
	AccessKeyIDs []string `json:"access_key_ids,omitempty"`
	UserAgents   []string `json:"user_agents,omitempty"`
}

type ocsfFinding struct {
	Analytic      ocsfAnalytic       `json:"analytic"`
	Attacks       []ocsfAttack       `json:"attacks,omitempty"`
	DataSources   []string           `json:"data_sources,omitempty"`
	Desc          string             `json:"desc,omitempty"`
	FirstSeen     int64              `json:"first_seen_time"`
	LastSeen      int64              `json:"last_seen_time"`
	RelatedEvents []ocsfRelatedEvent `json:"related_events,omitempty"`
	Title         string             `json:"title"`
	Types         []string           `json:"types,omitempty"`
	UID           string             `json:"uid"`
}

type ocsfAnalytic struct {
	Desc   string `json:"desc,omitempty"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
	UID    string `json:"uid"`
}

type ocsfAttack struct {
	SubTechnique *ocsfEntity `json:"sub_technique,omitempty"`
	Tactic       *ocsfEntity `json:"tactic,omitempty"`
	Technique    *ocsfEntity `json:"technique,omitempty"`
	Version      string      `json:"version"`
}

type ocsfEntity struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

type ocsfRelatedEvent struct {
	UID string `json:"uid"`
}

type ocsfMetadata struct {
	Product  ocsfProduct `json:"product"`
	Profiles []string    `json:"profiles"`
	UID      string      `json:"uid"`
	Version  string      `json:"version"`
}

type ocsfProduct struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type ocsfObservable struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
	Value  string `json:"value"`
}

type ocsfResource struct {
	Name string `json:"name,omitempty"`
	UID  string `json:"uid,omitempty"`
}

// ocsfUnmapped is what OCSF has no place for.
type ocsfUnmapped struct {
	Outcome   string   `json:"outcome"`
	InLineage bool     `json:"in_lineage"`
	Regions   []string `json:"regions"`
}

func writeOCSF(w io.Writer, s FindingSet) error {
	for f, err := range s.Findings {
		if err != nil {
			return err
		}
		text, err := marshal(ocsfOf(f, s))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", text); err != nil {
			return fmt.Errorf("write OCSF: %w", err)
		}
	}
	return nil
}

func ocsfOf(f rules.Finding, s FindingSet) ocsfEvent {
	r := s.rule(f)
	severity := ocsfSeverities[f.Severity]
	first, last := f.FirstSeen.UnixMilli(), f.LastSeen.UnixMilli()
	e := ocsfEvent{
		ActivityID: ocsfCreate, ActivityName: "Create",
		CategoryUID: ocsfFindings, CategoryName: "Findings",
		ClassUID: ocsfDetection, ClassName: "Detection Finding",
		TypeUID: ocsfDetection*100 + ocsfCreate, TypeName: "Detection Finding: Create",
		StatusID: ocsfStatusNew, Status: "New",
		SeverityID: severity.id, Severity: severity.name,
		IsAlert:   f.Severity >= rules.Medium,
		Count:     f.Count,
		StartTime: first, EndTime: last, Time: last,
		Message: f.Summary,
		Cloud:   ocsfCloud{Account: ocsfAccountOf(f), Provider: "AWS"},
		Metadata: ocsfMetadata{
			Product:  ocsfProduct{"trailscan", "trailscan", s.Version},
			Profiles: []string{"cloud"}, UID: f.ID, Version: ocsfVersion,
		},
		FindingInfo: ocsfFinding{
			Analytic: ocsfAnalytic{Desc: r.Explain, Name: f.Title, Type: "Rule", TypeID: ocsfRule, UID: f.Rule},
			Attacks:  ocsfAttacks(f, s.Attack),
			Desc:     f.Summary, FirstSeen: first, LastSeen: last,
			Title: f.Title, Types: []string{f.Tactic}, UID: f.ID,
		},
		Unmapped: ocsfUnmapped{string(f.Outcome), f.InLineage, f.Regions},
	}
	if r.Spike != nil || r.FirstSeen != nil {
		e.FindingInfo.Analytic.Type, e.FindingInfo.Analytic.TypeID = "Statistical", ocsfStatistical
	}
	if len(f.Regions) == 1 {
		e.Cloud.Region = f.Regions[0]
	}
	for _, o := range s.Origins[f.ID] {
		e.FindingInfo.DataSources = append(e.FindingInfo.DataSources, o.URI)
	}
	for _, id := range f.EventIDs {
		e.FindingInfo.RelatedEvents = append(e.FindingInfo.RelatedEvents, ocsfRelatedEvent{id})
	}
	for _, name := range f.Resources {
		if strings.HasPrefix(name, "arn:") {
			e.Resources = append(e.Resources, ocsfResource{Name: shortARN(name), UID: name})
		} else {
			e.Resources = append(e.Resources, ocsfResource{Name: name})
		}
	}
	e.Evidences, e.Observables = ocsfEvidences(f)
	return e
}

func ocsfAccountOf(f rules.Finding) *ocsfAccount {
	if f.AccountID == "" {
		return nil
	}
	// Readers such as Prowler's models ask for a name, which the log does not have.
	return &ocsfAccount{f.AccountID, "AWS Account", ocsfAWSAccount, f.AccountID}
}

// ocsfEvidences are who did it, and from where: one an address.
func ocsfEvidences(f rules.Finding) ([]ocsfEvidence, []ocsfObservable) {
	who := ocsfEvidence{Actor: &ocsfActor{ocsfUser{Account: ocsfAccountOf(f), UID: f.PrincipalARN, UIDAlt: f.PrincipalID, Name: shortARN(f.PrincipalARN)}}}
	if f.PrincipalARN == "" {
		who.Actor.User.UID, who.Actor.User.UIDAlt = f.PrincipalID, ""
	}
	if len(f.AccessKeyIDs) > 0 {
		who.Actor.User.Credential = f.AccessKeyIDs[0]
	}
	if len(f.AccessKeyIDs) > 1 || len(f.UserAgents) > 0 {
		who.Data = &ocsfData{f.AccessKeyIDs, f.UserAgents}
	}
	evidences := []ocsfEvidence{who}
	if who.Actor.User == (ocsfUser{}) {
		evidences = nil
	}
	var seen []ocsfObservable
	for _, address := range f.SourceIPs[:min(len(f.SourceIPs), ocsfMaxEvidences)] {
		at := &ocsfEndpoint{Domain: address} // a service calls by its name
		if _, err := netip.ParseAddr(address); err == nil {
			at = &ocsfEndpoint{IP: address}
			seen = append(seen, ocsfObservable{"evidences[].src_endpoint.ip", "IP Address", ocsfIPAddress, address})
		}
		evidences = append(evidences, ocsfEvidence{Endpoint: at})
	}
	return evidences, seen
}

// ocsfAttacks are the techniques, each under the finding's tactic where ATT&CK
// lists it there.
func ocsfAttacks(f rules.Finding, v rules.AttackVersion) []ocsfAttack {
	var attacks []ocsfAttack
	tactic := ocsfTactic(f.Tactic, v)
	for _, id := range f.Techniques {
		a := ocsfAttack{Version: v.String()}
		if v.Lists(id, f.Tactic) {
			a.Tactic = tactic
		}
		parent, _, isSub := strings.Cut(id, ".")
		a.Technique = &ocsfEntity{cmp.Or(v.TechniqueName(parent), parent), parent}
		if isSub {
			a.SubTechnique = &ocsfEntity{cmp.Or(v.TechniqueName(id), id), id}
		}
		attacks = append(attacks, a)
	}
	if len(attacks) == 0 && tactic != nil {
		attacks = append(attacks, ocsfAttack{Tactic: tactic, Version: v.String()})
	}
	return attacks
}

func ocsfTactic(short string, v rules.AttackVersion) *ocsfEntity {
	t, known := v.TacticOf(short)
	if !known {
		return nil
	}
	return &ocsfEntity{t.Name, t.ID}
}
