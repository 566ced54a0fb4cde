package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"trailscan/rules"
)

// A layer of the ATT&CK Navigator: the techniques that were found, coloured by
// the worst finding of each, with the rules and counts as comment.
// https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md

type navigatorLayer struct {
	Name        string               `json:"name"`
	Versions    navigatorVersions    `json:"versions"`
	Domain      string               `json:"domain"`
	Description string               `json:"description"`
	Sorting     int                  `json:"sorting"`
	Layout      navigatorLayout      `json:"layout"`
	Techniques  []navigatorTechnique `json:"techniques"`
	Gradient    navigatorGradient    `json:"gradient"`
	Legend      []navigatorLegend    `json:"legendItems"`
	Metadata    []navigatorMetadata  `json:"metadata"`
}

type navigatorVersions struct {
	Attack    string `json:"attack"`
	Navigator string `json:"navigator"`
	Layer     string `json:"layer"`
}

type navigatorLayout struct {
	Layout   string `json:"layout"`
	ShowID   bool   `json:"showID"`
	ShowName bool   `json:"showName"`
	Expanded string `json:"expandedSubtechniques"`
}

type navigatorTechnique struct {
	ID       string              `json:"techniqueID"`
	Tactic   string              `json:"tactic,omitempty"`
	Score    int                 `json:"score"`
	Color    string              `json:"color"`
	Comment  string              `json:"comment"`
	Enabled  bool                `json:"enabled"`
	Metadata []navigatorMetadata `json:"metadata"`
}

type navigatorMetadata struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type navigatorGradient struct {
	Colors []string `json:"colors"`
	Min    int      `json:"minValue"`
	Max    int      `json:"maxValue"`
}

type navigatorLegend struct {
	Label string `json:"label"`
	Color string `json:"color"`
}

// navigatorScores are the score and the colour of a severity, the worst first.
var navigatorScores = []struct {
	severity rules.Severity
	score    int
	color    string
}{
	{rules.Critical, 100, "#b2182b"}, {rules.High, 75, "#ef6548"}, {rules.Medium, 50, "#fdae61"}, {rules.Low, 25, "#fee8a8"}, {rules.Info, 10, "#e6f0f7"},
}

// place is where a technique stands in the matrix; no tactic means everywhere
// that it does.
type place struct{ technique, tactic string }

func writeNavigator(w io.Writer, s FindingSet) error {
	layer := navigatorLayer{
		Name:        "trailscan findings",
		Versions:    navigatorVersions{s.Attack.String(), "5.1.0", "4.5"},
		Domain:      "enterprise-attack",
		Description: "ATT&CK techniques that trailscan's findings name; score and colour are those of the worst finding",
		Sorting:     3, // by score, the highest first
		Layout:      navigatorLayout{"side", true, true, "annotated"},
		Techniques:  []navigatorTechnique{},
		Gradient:    navigatorGradient{Max: 100},
		Metadata:    []navigatorMetadata{},
	}
	for _, line := range Unassessed(s.Assessments) {
		layer.Metadata = append(layer.Metadata, navigatorMetadata{"not looked for", line})
	}
	for _, level := range navigatorScores {
		layer.Legend = append(layer.Legend, navigatorLegend{level.severity.String(), level.color})
		layer.Gradient.Colors = append([]string{level.color}, layer.Gradient.Colors...)
	}
	found := map[place][]rules.Finding{}
	findings, err := collect(s.Findings)
	if err != nil {
		return err
	}
	for _, f := range findings {
		for _, id := range f.Techniques {
			at := place{technique: id}
			if s.Attack.Lists(id, f.Tactic) {
				at.tactic = f.Tactic
			}
			found[at] = append(found[at], f)
		}
	}
	places := slices.SortedFunc(maps.Keys(found), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.technique, b.technique), cmp.Compare(a.tactic, b.tactic))
	})
	for _, at := range places {
		layer.Techniques = append(layer.Techniques, navigatorOf(at, found[at]))
	}
	return JSON(w, layer)
}

func navigatorOf(at place, findings []rules.Finding) navigatorTechnique {
	worst, lineage := rules.Info, 0
	var events int64
	for _, f := range findings {
		worst = max(worst, f.Severity)
		events += f.Count
		if f.InLineage {
			lineage++
		}
	}
	t := navigatorTechnique{
		ID: at.technique, Tactic: at.tactic, Enabled: true, Comment: navigatorComment(findings),
		Metadata: []navigatorMetadata{
			{"severity", worst.String()}, {"findings", fmt.Sprint(len(findings))},
			{"findings in the lineage", fmt.Sprint(lineage)}, {"events", fmt.Sprint(events)},
		},
	}
	for _, level := range navigatorScores {
		if level.severity == worst {
			t.Score, t.Color = level.score, level.color
		}
	}
	return t
}

// navigatorComment lists the rules of the findings, the worst first.
func navigatorComment(findings []rules.Finding) string {
	type line struct {
		rule, title string
		severity    rules.Severity
		findings    int64
		events      int64
	}
	byRule := map[string]*line{}
	for _, f := range findings {
		l := byRule[f.Rule]
		if l == nil {
			l = &line{rule: f.Rule, title: f.Title}
			byRule[f.Rule] = l
		}
		l.severity = max(l.severity, f.Severity)
		l.findings++
		l.events += f.Count
	}
	lines := slices.SortedFunc(maps.Values(byRule), func(a, b *line) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(a.rule, b.rule))
	})
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = fmt.Sprintf("%s (%s, %s, %s): %s", l.rule, l.severity, plural(l.findings, "finding"), plural(l.events, "event"), l.title)
	}
	return strings.Join(texts, "\n")
}
