package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/lineage"
)

// graph is a lineage as vertices and arcs, for the languages that draw graphs.
type graph struct {
	vertices []*vertex
	arcs     []*arc
	folded   int
}

// vertex is a credential, a principal, or a number of like ones.
type vertex struct {
	id       string
	lines    []string // of its label
	person   bool
	live     bool
	root     bool
	likeness string // what others must share to be folded with it
	in, out  int
	name     string // in the text of the graph
}

type arc struct {
	from, to  *vertex
	via       string
	certainty lineage.Certainty
	count     int // calls of the same kind
}

// newGraph makes the graph of a lineage: an arc for each way in which something
// came into it.
func newGraph(l *lineage.Lineage, o LineageOptions) *graph {
	g := &graph{}
	byID := map[string]*vertex{}
	at := func(id string) *vertex {
		if byID[id] == nil {
			byID[id] = &vertex{id: id, lines: []string{shortARN(id)}, person: strings.HasPrefix(id, "arn:")}
			g.vertices = append(g.vertices, byID[id])
		}
		return byID[id]
	}
	for i := range l.Credentials {
		c := &l.Credentials[i]
		v := at(c.ID)
		v.live, v.root, v.person = c.LiveAtEnd, c.Parent == nil, false
		v.lines = []string{c.ID, words(string(c.Kind)), shortARN(c.PrincipalARN), lifeLine(c, l.AsOf, o.Zone)}
		v.likeness = strings.Join([]string{string(c.Kind), sessionRole(c.PrincipalARN), string(c.Certainty), fmt.Sprint(c.LiveAtEnd)}, "\x00")
	}
	for _, p := range l.Principals {
		v := at(p.ARN)
		what := words(p.Kind) + " " + words(string(p.How))
		if !slices.Contains(v.lines, what) {
			v.lines = append(v.lines, what)
		}
		v.likeness = strings.Join(v.lines[1:], "\x00")
	}
	type pair struct {
		from, to, via string
		certainty     lineage.Certainty
	}
	arcs := map[pair]*arc{}
	join := func(from, to, via string, certainty lineage.Certainty) {
		k := pair{from, to, via, certainty}
		if a := arcs[k]; a != nil {
			a.count++
			return
		}
		a := &arc{from: at(from), to: at(to), via: via, certainty: certainty, count: 1}
		a.from.out++
		a.to.in++
		arcs[k] = a
		g.arcs = append(g.arcs, a)
	}
	for _, e := range l.Edges {
		join(e.From, e.To, e.Via, e.Certainty)
	}
	for i := range l.Credentials {
		if c := &l.Credentials[i]; c.Parent != nil && byID[c.ID].in == 0 {
			join(*c.Parent, c.ID, c.Via, c.Certainty)
		}
	}
	if !o.Full {
		g.fold()
	}
	for i, v := range g.vertices {
		v.name = fmt.Sprintf("n%d", i)
	}
	return g
}

// lifeLine says of a credential whether it is alive, or how it ended.
func lifeLine(c *lineage.Credential, asOf time.Time, zone *time.Location) string {
	about := ""
	if c.ExpiresDerived {
		about = "about "
	}
	switch {
	case c.LiveAtEnd && c.ExpiresAt == nil:
		return "ALIVE, no expiry"
	case c.LiveAtEnd:
		return "ALIVE until " + about + clock(*c.ExpiresAt, zone)
	case c.EndedAt != nil:
		return "ended " + clock(*c.EndedAt, zone) + " by " + c.EndedVia
	case c.IssuedAt != nil && c.IssuedAt.After(asOf):
		return "issued later"
	case c.ExpiresAt != nil && !c.ExpiresAt.After(asOf):
		return "expired " + about + clock(*c.ExpiresAt, zone)
	}
	return "not alive"
}

// fold puts leaves that are alike, and came from the same vertex in the same
// way, into one when there are many.
func (g *graph) fold() {
	type leafKey struct {
		from                     *vertex
		via, certainty, likeness string
		person                   bool
	}
	leaves := map[leafKey][]*arc{}
	for _, a := range g.arcs {
		if a.to.in == 1 && a.to.out == 0 && a.to.likeness != "" {
			k := leafKey{a.from, a.via, string(a.certainty), a.to.likeness, a.to.person}
			leaves[k] = append(leaves[k], a)
		}
	}
	gone := map[*vertex]bool{}
	stands := map[*vertex]*vertex{} // for the folded ones
	dropped := map[*arc]bool{}
	for _, like := range leaves {
		if len(like) <= siblingsShown+1 {
			continue
		}
		first := like[0].to
		all := &vertex{id: first.id, person: first.person, live: first.live}
		all.lines = append([]string{fmt.Sprintf("%s like these", number(int64(len(like))))}, first.lines[1:]...)
		if !first.person {
			all.lines = []string{all.lines[0], first.lines[1], sessionRoleName(first.lines[2])}
			if first.live {
				all.lines = append(all.lines, "ALIVE")
			} else {
				all.lines = append(all.lines, "not alive")
			}
		}
		stands[first] = all
		for _, a := range like {
			gone[a.to] = true
			dropped[a] = a != like[0]
		}
		like[0].to = all
		like[0].count = len(like)
		g.folded += len(like)
	}
	var vertices []*vertex
	for _, v := range g.vertices {
		if s := stands[v]; s != nil {
			vertices = append(vertices, s)
		} else if !gone[v] {
			vertices = append(vertices, v)
		}
	}
	g.vertices = vertices
	g.arcs = slices.DeleteFunc(g.arcs, func(a *arc) bool { return dropped[a] })
}

// sessionRoleName is the role in the short ARN of a session; others stay.
func sessionRoleName(short string) string {
	if rest, ok := strings.CutPrefix(short, "assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return "assumed-role/" + role
	}
	return short
}

// label is the lines of a vertex, each written by escape.
func (v *vertex) label(escape func(string) string, between string) string {
	var lines []string
	for _, line := range v.lines {
		if line != "" {
			lines = append(lines, escape(clipMiddle(Terminal(line), 80)))
		}
	}
	return strings.Join(lines, between)
}

func (a *arc) label() string {
	text := clipMiddle(Terminal(a.via), 80)
	if a.count > 1 {
		text += " ×" + number(int64(a.count))
	}
	return text
}

// dotText sets text within a DOT string: an escString, in which a backslash and,
// to Graphviz, an entity mean something.
// https://graphviz.org/docs/attr-types/escString/
var dotText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace

// LineageDOT writes a lineage as a graph for Graphviz: dashed arcs are inferred,
// dotted ones unexplained, what is alive is red.
func LineageDOT(w io.Writer, l *lineage.Lineage, o LineageOptions) error {
	g := newGraph(l, o)
	b := &strings.Builder{}
	b.WriteString("digraph lineage {\n")
	fmt.Fprintf(b, "  graph [rankdir=LR, fontname=\"Helvetica\", labelloc=t, label=\"%s\"];\n", dotText(caption(l, g, o.Zone)))
	b.WriteString("  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f2f2f2\", color=\"#666666\", fontname=\"Helvetica\", fontsize=10];\n")
	b.WriteString("  edge [color=\"#666666\", fontname=\"Helvetica\", fontsize=9];\n")
	for _, v := range g.vertices {
		attrs := ""
		if v.person {
			attrs += ", shape=ellipse, style=filled, fillcolor=\"#e3ecf7\""
		}
		if v.live {
			attrs += ", fillcolor=\"#fbdada\", color=\"#b00020\", penwidth=2"
		}
		if v.root {
			attrs += ", peripheries=2"
		}
		fmt.Fprintf(b, "  %s [label=\"%s\"%s];\n", v.name, v.label(dotText, `\n`), attrs)
	}
	for _, a := range g.arcs {
		style := map[lineage.Certainty]string{lineage.Inferred: ", style=dashed", lineage.Unexplained: ", style=dotted"}[a.certainty]
		fmt.Fprintf(b, "  %s -> %s [label=\"%s\"%s];\n", a.from.name, a.to.name, dotText(a.label()), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// caption says what a graph shows and what it leaves out.
func caption(l *lineage.Lineage, g *graph, zone *time.Location) string {
	text := fmt.Sprintf("Lineage of %s; red is alive at %s, dashed is inferred, dotted unexplained",
		clip(Terminal(strings.Join(l.Keys, ", ")), 200), orNone(clock(l.AsOf, zone)))
	if g.folded > 0 {
		text += fmt.Sprintf("; %s like others are folded, --full shows all", number(int64(g.folded)))
	}
	return text
}

// mermaidEdges is how many edges renderers of mermaid draw unless told otherwise.
// https://mermaid.js.org/config/schema-docs/config.html#maxedges
const mermaidEdges = 500

// mermaidText sets text within a quoted mermaid label. All but plain characters
// become entities, for mermaid gives a meaning to most: quotes and brackets end
// labels, backticks make Markdown, %%{ begins a directive, <, & and # markup.
// https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
func mermaidText(s string) string {
	var b strings.Builder
	for i, r := range s {
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ' ' ||
			i > 0 && strings.ContainsRune("/:,=@_-", r) ||
			r == '.' && next > ' ' && next != utf8.RuneError // "1. " at the start would be a list
		if plain {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// LineageMermaid writes a lineage as a mermaid flowchart, which GitHub and many
// wikis draw: dashed arcs are inferred, dotted ones unexplained, what is alive
// is red.
func LineageMermaid(w io.Writer, l *lineage.Lineage, o LineageOptions) error {
	g := newGraph(l, o)
	b := &strings.Builder{}
	b.WriteString("%% red is alive, dashed is inferred, dotted unexplained\n")
	if g.folded > 0 {
		fmt.Fprintf(b, "%%%% %s like others are folded: --full shows all\n", number(int64(g.folded)))
	}
	if n := len(g.arcs); n > mermaidEdges {
		fmt.Fprintf(b, "%%%% %s edges: raise mermaid's maxEdges, of %d by default, to draw them\n", number(int64(n)), mermaidEdges)
	}
	b.WriteString("flowchart LR\n")
	classes := map[string][]string{}
	for _, v := range g.vertices {
		open, end := `["`, `"]`
		if v.person {
			open, end = `(["`, `"])`
			classes["principal"] = append(classes["principal"], v.name)
		}
		if v.live {
			classes["alive"] = append(classes["alive"], v.name)
		}
		if v.root {
			classes["root"] = append(classes["root"], v.name)
		}
		fmt.Fprintf(b, "  %s%s%s%s\n", v.name, open, v.label(mermaidText, "<br/>"), end)
	}
	var dotted []string
	for i, a := range g.arcs {
		line := "-->"
		if a.certainty != lineage.Confirmed {
			line = "-.->"
		}
		if a.certainty == lineage.Unexplained {
			dotted = append(dotted, fmt.Sprint(i))
		}
		label := mermaidText(a.label())
		if label != "" {
			label = `|"` + label + `"|`
		}
		fmt.Fprintf(b, "  %s %s%s %s\n", a.from.name, line, label, a.to.name)
	}
	if len(dotted) > 0 {
		fmt.Fprintf(b, "  linkStyle %s stroke-dasharray:1 4\n", strings.Join(dotted, ","))
	}
	for _, class := range []struct{ name, style string }{
		{"principal", "fill:#e3ecf7,stroke:#666666,color:#000000"},
		{"alive", "fill:#fbdada,stroke:#b00020,stroke-width:2px,color:#000000"},
		{"root", "stroke-width:4px"},
	} {
		if names := classes[class.name]; len(names) > 0 {
			fmt.Fprintf(b, "  classDef %s %s\n  class %s %s\n", class.name, class.style, strings.Join(names, ","), class.name)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
