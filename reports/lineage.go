package reports

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/lineage"
)

// LineageOptions are how a lineage is shown.
type LineageOptions struct {
	Zone    *time.Location
	Columns int // of the terminal; 0 is 100
	// Full shows every credential and principal. Without it a tree or graph folds
	// what is alike and a tree stops at a few screens; both say what they leave out.
	Full bool
}

// What a tree shows without LineageOptions.Full: so many children of a node,
// so many lines of nodes.
const (
	treeChildren = 20
	treeNodes    = 200
)

func (o LineageOptions) like() int {
	if o.Full {
		return math.MaxInt - 1
	}
	return siblingsShown
}

// LineageTree writes a lineage as a tree for a terminal: each credential and
// principal under what it came from.
func LineageTree(w io.Writer, l *lineage.Lineage, o LineageOptions) error {
	d := &drawing{zone: o.Zone, columns: max(cmp.Or(o.Columns, 100), 60), children: treeChildren, room: treeNodes}
	if o.Full {
		d.children, d.room = math.MaxInt, math.MaxInt
	}
	d.write("", "  ", []string{"compromised since " + orNone(clock(l.CompromisedSince, o.Zone)), "(" + orNone(Terminal(l.CompromisedSinceWhy)) + ")"}, " ")
	if f := l.FirstMaliciousUse; f != nil {
		d.write("", "  ", []string{"first misused " + clock(f.Time, o.Zone), "(" + Terminal(f.Why) + "),", "event " + Terminal(f.EventID)}, " ")
	}
	alive := 0
	for _, c := range l.Credentials {
		alive += btoi(c.LiveAtEnd)
	}
	d.write("", "  ", []string{
		fmt.Sprintf("%s, %s alive at %s", plural(int64(len(l.Credentials)), "credential"), number(int64(alive)), orNone(clock(l.AsOf, o.Zone))),
		plural(int64(len(l.Principals)), "principal") + " made, changed or used",
		"~ is computed, not read from the log"}, " · ")
	d.b.WriteString("\n")
	d.branch(lineageTree(l, o.like()), "", true)
	if d.hidden > 0 {
		fmt.Fprintf(&d.b, "\n%s not shown: --full shows all\n", plural(int64(d.hidden), "credential or principal is", "credentials and principals are"))
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

// lineRoom is what a line has at least beside the branches of the tree.
const lineRoom = 40

// treeIndent is by how much a child stands further right than its parent.
const treeIndent = 3

// drawing is a tree while it is drawn.
type drawing struct {
	b        strings.Builder
	zone     *time.Location
	columns  int
	children int // of a node to show
	room     int // nodes left to show
	hidden   int
}

// branch draws the children of a node, which stand after below.
func (d *drawing) branch(nodes []*node, below string, top bool) {
	shown := d.choose(nodes, top)
	left, alive := 0, 0
	for i, n := range nodes {
		if !shown[i] || d.room <= 0 {
			left += n.size
			alive += n.alive
			continue
		}
		d.room--
		prefix, under := below+"├─ ", below+"│  "
		if last := !slices.Contains(shown[i+1:], true) && left == 0 && !slices.Contains(shown, false); last {
			prefix, under = below+"└─ ", below+"   "
		}
		if top {
			prefix, under = "", ""
		}
		d.node(n, prefix, under)
	}
	if left > 0 {
		d.hidden += left
		sign := below + "└─ "
		if top {
			sign = ""
		}
		d.write(sign, below+"   ", []string{fmt.Sprintf("… %s more here, %s alive", number(int64(left)), number(int64(alive)))}, "")
	}
}

// weight tells what to show first where not everything is shown: what is alive,
// then what the lineage made or changed, which may let somebody in again.
func (n *node) weight() int {
	switch {
	case n.alive > 0:
		return 2
	case n.IsPerson && !strings.HasSuffix(n.Kind, " "+string(lineage.Assumed)):
		return 1
	}
	return 0
}

// choose tells which of the children of a node to show, the weightiest, or of the
// nodes at the top, where the roots are never left out for principals.
func (d *drawing) choose(nodes []*node, top bool) []bool {
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	if len(nodes) > d.children {
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Or(
				cmp.Compare(btoi(top && !nodes[b].IsPerson), btoi(top && !nodes[a].IsPerson)),
				cmp.Compare(nodes[b].weight(), nodes[a].weight()))
		})
	}
	shown := make([]bool, len(nodes))
	for _, i := range order[:min(len(order), d.children)] {
		shown[i] = true
	}
	return shown
}

// node draws a node after prefix, and what is below it after below.
func (d *drawing) node(n *node, prefix, below string) {
	head := []string{Terminal(clip(n.Label, 240)), Terminal(n.Kind)}
	if n.Via != "" {
		head[1] += " via " + Terminal(n.Via)
	}
	if state := d.state(n); state != "" {
		head = append(head, state)
	}
	if n.Certainty != string(lineage.Confirmed) && n.Certainty != "" {
		head = append(head, "("+Terminal(n.Certainty)+")")
	}
	stem := below + "   "
	if len(n.Children) > 0 {
		stem = below + "│  "
	}
	d.write(prefix, stem, head, "  ")
	d.write(stem, stem, d.facts(n), " · ")
	d.uses(n.Uses, stem)
	// A chain of roles may be longer than a line is wide. Below a child its own
	// text and that of its children still must fit.
	if utf8.RuneCountInString(below) > d.columns-lineRoom-2*treeIndent && len(n.Children) > 0 {
		d.write(below+"└─ ", below+"   ", []string{"goes on at the left margin, under", Terminal(clip(n.Label, 60))}, " ")
		below = ""
	}
	d.branch(n.Children, below, false)
}

// state says whether a credential is alive, or how it ended.
func (d *drawing) state(n *node) string {
	switch {
	case n.IsPerson || n.Folded > 0:
		return ""
	case n.Live:
		state := "ALIVE " + strings.Replace(n.Lasts(), "about ", "~", 1)
		if n.ValidFor == nil {
			state = "ALIVE, no expiry"
		}
		if n.Survives {
			state += ", outlives the key"
		}
		return state
	case !n.EndedAt.IsZero():
		return "ended " + clock(n.EndedAt, d.zone) + " by " + Terminal(n.EndedVia)
	}
	return n.Over
}

func (d *drawing) facts(n *node) []string {
	var facts []string
	add := func(what string, t time.Time) {
		if !t.IsZero() {
			facts = append(facts, what+clock(t, d.zone))
		}
	}
	if n.IsPerson {
		add("", n.At)
		return facts
	}
	if n.Principal != "" {
		facts = append(facts, Terminal(clip(shortARN(n.Principal), 240)))
	}
	if n.Through != "" {
		facts = append(facts, "through "+Terminal(clip(shortARN(n.Through), 120)))
	}
	add("issued ", n.At)
	if n.Derived {
		add("expires ~", n.Expires)
	} else {
		add("expires ", n.Expires)
	}
	if n.First.IsZero() {
		facts = append(facts, "never used")
	} else {
		facts = append(facts, fmt.Sprintf("used %s to %s, %s%s", clock(n.First, d.zone), clock(n.Last, d.zone), plural(n.Events, "event"), whose(n.Uses)))
	}
	if n.EndedWhy != "" {
		facts = append(facts, Terminal(clip(n.EndedWhy, 240)))
	}
	if n.Live && n.EndedBy != "" {
		facts = append(facts, "to end it: "+Terminal(clip(n.EndedBy, 400)))
	}
	return facts
}

// usesShown is how many clusters of a credential's use stand in a tree.
const usesShown = 8

// uses writes whose use a credential saw, cluster by cluster. One cluster needs
// no line: its numbers stand with the credential.
func (d *drawing) uses(uses []lineage.Use, stem string) {
	if len(uses) < 2 {
		return
	}
	for i, u := range uses {
		if i == usesShown && d.children != math.MaxInt {
			d.write(stem, stem, []string{fmt.Sprintf("· %s not shown: --full shows all", plural(int64(len(uses)-i), "more cluster is", "more clusters are"))}, " ")
			return
		}
		from := u.Networks
		if len(from) == 0 || len(u.SourceIPs) <= 3 {
			from = u.SourceIPs
		}
		line := fmt.Sprintf("· %s: %s from %s to %s, %s", u.Actor, plural(u.Count, "event"), clock(u.First, d.zone), clock(u.Last, d.zone), some(from, 3))
		if len(u.AgentFamilies) > 0 {
			line += ", by " + some(u.AgentFamilies, 3)
		}
		d.write(stem, stem+"  ", []string{Terminal(line), Terminal(u.Why)}, "; ")
	}
}

// whose is how many events of a credential look like each actor's.
func whose(uses []lineage.Use) string {
	counts := map[lineage.Actor]int64{}
	for _, u := range uses {
		counts[u.Actor] += u.Count
	}
	var parts []string
	for _, a := range []lineage.Actor{lineage.Owner, lineage.Intruder, lineage.Unclear} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", a, number(counts[a])))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// write writes parts in as few lines as fit: the first after prefix, the others
// after stem. Words are kept whole.
func (d *drawing) write(prefix, stem string, parts []string, between string) {
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	if len(parts) == 0 {
		return
	}
	line, room := "", d.columns-utf8.RuneCountInString(stem)
	room = max(room, lineRoom)
	var lines []string
	for _, part := range parts {
		if line != "" && utf8.RuneCountInString(line+between+part) <= room {
			line += between + part
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = part
		for utf8.RuneCountInString(line) > room { // break a part that is longer than a line
			cut := strings.LastIndexByte(string([]rune(line)[:room+1]), ' ')
			if cut <= 0 {
				break
			}
			lines = append(lines, line[:cut])
			line = line[cut+1:]
		}
	}
	for i, l := range append(lines, line) {
		if i == 0 {
			d.b.WriteString(prefix + l + "\n")
		} else {
			d.b.WriteString(stem + l + "\n")
		}
	}
}
