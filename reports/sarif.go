package reports

import (
	"io"
	"net/url"
	"regexp"
	"strings"

	"trailscan/rules"
)

// SARIF 2.1.0, as GitHub's code scanning and other tools take it. A finding is a
// result, its place the source that holds its events and, as logical places, who
// acted on what. What a rule could not see stands in the notifications.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Properties  sarifRunDetails   `json:"properties"`
}

type sarifRunDetails struct {
	Attack string `json:"attack_version"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string           `json:"id"`
	Name             string           `json:"name"`
	ShortDescription sarifText        `json:"shortDescription"`
	FullDescription  sarifText        `json:"fullDescription"`
	Help             sarifText        `json:"help"`
	HelpURI          string           `json:"helpUri,omitempty"`
	Configuration    sarifLevel       `json:"defaultConfiguration"`
	Properties       sarifRuleDetails `json:"properties"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifRuleDetails struct {
	Tags             []string       `json:"tags"`
	SecuritySeverity string         `json:"security-severity"`
	Severity         rules.Severity `json:"severity"`
	Tactic           string         `json:"tactic"`
	Techniques       []string       `json:"techniques"`
}

type sarifInvocation struct {
	Successful    bool          `json:"executionSuccessful"`
	Execution     []sarifNotice `json:"toolExecutionNotifications"`
	Configuration []sarifNotice `json:"toolConfigurationNotifications"`
}

type sarifNotice struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
	Rule    sarifRef  `json:"associatedRule"`
}

type sarifRef struct {
	ID string `json:"id"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Occurrences  int64             `json:"occurrenceCount,omitzero"`
	Properties   rules.Finding     `json:"properties"`
}

type sarifLocation struct {
	Physical *sarifPlace    `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPlace struct {
	Artifact sarifArtifact `json:"artifactLocation"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifLogical struct {
	Name          string `json:"name"`
	QualifiedName string `json:"fullyQualifiedName"`
	Kind          string `json:"kind"`
}

func writeSARIF(w io.Writer, s FindingSet) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "trailscan", SemanticVersion: s.Version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: true, Execution: []sarifNotice{}, Configuration: []sarifNotice{}}},
		Results:     []sarifResult{},
		Properties:  sarifRunDetails{s.Attack.String()},
	}
	places := map[string]int{}
	for f, err := range s.Findings {
		if err != nil {
			return err
		}
		if _, known := places[f.Rule]; !known {
			places[f.Rule] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(s.rule(f)))
		}
		run.Results = append(run.Results, sarifResult{
			RuleID:       f.Rule,
			RuleIndex:    places[f.Rule],
			Level:        sarifLevels[f.Severity],
			Message:      sarifText{Text: sarifMessage(f.Summary)},
			Locations:    sarifLocations(f, s.Origins[f.ID]),
			Fingerprints: map[string]string{"findingId/v1": f.ID},
			Occurrences:  f.Count,
			Properties:   f,
		})
	}
	for _, a := range s.Assessments {
		notice := sarifNotice{"note", sarifText{Text: sarifMessage(a.Rule + ": " + a.Reason)}, sarifRef{a.Rule}}
		switch to := &run.Invocations[0]; a.Assessed {
		case rules.NotAssessable:
			to.Execution = append(to.Execution, notice)
		case rules.NotAssessed:
			to.Configuration = append(to.Configuration, notice)
		}
	}
	return JSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

var sarifLevels = map[rules.Severity]string{
	rules.Critical: "error", rules.High: "error", rules.Medium: "warning", rules.Low: "note", rules.Info: "note",
}

// sarifScores are what GitHub sorts by: over 9.0 is critical, from 7.0 high,
// from 4.0 medium.
var sarifScores = map[rules.Severity]string{
	rules.Critical: "9.5", rules.High: "8.0", rules.Medium: "5.5", rules.Low: "3.0", rules.Info: "0.0",
}

func sarifRuleOf(r rules.Rule) sarifRule {
	explain := r.Explain
	if explain == "" {
		explain = r.Title
	}
	text, markdown := explain, mdText(explain)
	if r.FalsePositives != "" {
		text += "\n\nFalse positives: " + r.FalsePositives
		markdown += "\n\n**False positives:** " + mdText(r.FalsePositives)
	}
	tags := []string{"security", "attack." + r.Tactic}
	for _, id := range r.Techniques {
		tags = append(tags, "attack."+strings.ToLower(id))
	}
	page := ""
	if u, err := url.Parse(r.Reference); err == nil && u.Scheme == "https" {
		page = u.String()
	}
	return sarifRule{
		ID:               r.ID,
		Name:             r.Title,
		ShortDescription: sarifText{Text: sarifMessage(r.Title)},
		FullDescription:  sarifText{Text: sarifMessage(explain)},
		Help:             sarifText{sarifMessage(text), sarifBraces.Replace(markdown)},
		HelpURI:          page,
		Configuration:    sarifLevel{sarifLevels[r.Severity]},
		Properties:       sarifRuleDetails{tags, sarifScores[r.Severity], r.Severity, r.Tactic, append([]string{}, r.Techniques...)},
	}
}

// sarifLocations are the sources of a finding, each with who acted on what.
func sarifLocations(f rules.Finding, origins []Origin) []sarifLocation {
	logical := []sarifLogical{}
	add := func(kind, name string) {
		if name != "" {
			logical = append(logical, sarifLogical{shortARN(name), name, kind})
		}
	}
	add("account", f.AccountID)
	add("principal", f.PrincipalARN)
	for _, r := range f.Resources[:min(len(f.Resources), maxOrigins)] {
		add("resource", r)
	}
	if len(origins) == 0 {
		return []sarifLocation{{Logical: logical}}
	}
	locations := make([]sarifLocation, len(origins))
	for i, o := range origins {
		locations[i] = sarifLocation{Physical: &sarifPlace{sarifArtifact{reference(o.URI)}}, Logical: logical}
	}
	return locations
}

var (
	sarifLink     = regexp.MustCompile(`\[[^\]]*\]\(`)
	sarifBrackets = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)
	sarifBraces   = strings.NewReplacer("{", "{{", "}", "}}")
)

// sarifMessage writes text that is no link and no placeholder (§3.11.5, 3.11.6).
func sarifMessage(s string) string {
	if sarifLink.MatchString(s) {
		s = sarifBrackets.Replace(s)
	}
	return sarifBraces.Replace(s)
}
