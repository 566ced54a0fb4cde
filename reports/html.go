package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"trailscan/remediate"
)

//go:embed report.html.tmpl
var htmlText string

//go:embed report.css
var styleText string

// nodesOpen is how many nodes of a branch of the lineage stand open.
const nodesOpen = 25

// htmlPage is the report's template. It holds no script and loads nothing; the
// page's content security policy forbids both.
var htmlPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"style":      func() template.CSS { return template.CSS(styleText) },
	"number":     number,
	"size":       size,
	"span":       span,
	"phrase":     phrase,
	"principals": principalsPhrase,
	"plural":     plural,
	"some":       some,
	"words":      words,
	"clip":       clip,
	"service":    shortSource,
	"arn":        shortARN,
	"isZero":     time.Time.IsZero,
	"deref":      deref,
	"clock":      func(t time.Time) string { return clock(t, time.UTC) }, // HTML puts the reader's zone
	"call":       callText,
	"hour":       func(t time.Time) string { return hour(t, time.UTC) }, // as well
	"firstNodes": func(list []*node) []*node { return list[:min(nodesOpen, len(list))] },
	"restNodes":  func(list []*node) []*node { return list[min(nodesOpen, len(list)):] },
	"alive": func(list []*node) (n int) {
		for _, x := range list {
			n += btoi(x.Live)
		}
		return n
	},
	"firstOf6": func(list []string) []string { return list[:min(6, len(list))] },
	"minus":    func(a, b int) int { return max(0, a-b) },
	"asked":    rulesAsked,
	"blind":    rulesBlind,
	"covers":   (*Incident).coveragePhrase,
	"step":     func(seconds int64) string { return span(time.Duration(seconds) * time.Second) },
	"silence":  func(s Silence) string { return s.text(stamp) }, // HTML puts the reader's zone
	"classes":  func(v Coverage) []string { return v.classLines(stamp) },
	"int64":    func(n int) int64 { return int64(n) },
}).Parse(htmlText))

// HTML writes report.html: one file that needs no network, with times in zone.
func HTML(w io.Writer, inc *Incident, zone *time.Location) error {
	page, err := htmlPage.Clone()
	if err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	page.Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return clock(t, zone) },
		"hour":  func(t time.Time) string { return hour(t, zone) },
		"silence": func(s Silence) string {
			return s.text(func(t time.Time) string { return clock(t, zone) })
		},
		"classes": func(v Coverage) []string {
			return v.classLines(func(t time.Time) string { return clock(t, zone) })
		},
	})
	var b bytes.Buffer
	if err := page.Execute(&b, newDocument(inc, zone)); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	// The template escapes markup; what is left are the characters that hide or
	// turn around the text beside them.
	if _, err := io.WriteString(w, visible(b.String(), "\n\t")); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// callText writes an API call for a reader.
func callText(c remediate.Call) string {
	text, err := marshal(c.Parameters)
	if err != nil || len(c.Parameters) == 0 {
		return c.Service + ":" + c.Operation
	}
	return c.Service + ":" + c.Operation + " " + string(text)
}
