package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// siblingsShown is how many like credentials of one parent stand in a tree one
// by one; renewed role sessions come by the hundred.
const siblingsShown = 4

// node is a credential, a principal or a number of like credentials in the
// tree of a lineage.
type node struct {
	Label     string // id of a credential, ARN of a principal
	Kind      string // "role session", "user"
	Via       string // what led here from the parent
	Principal string // for whom a credential acts
	At        time.Time
	Expires   time.Time
	Derived   bool   // Expires is computed
	ValidFor  *int64 // seconds; nil where nothing but a person ends it
	EndedAt   time.Time
	EndedVia  string
	EndedWhy  string
	Over      string // why it is not alive, where nobody ended it
	Through   string // the principal through which it came in, if any
	First     time.Time
	Last      time.Time
	Events    int64
	Live      bool
	Survives  bool
	Certainty string
	Why       string
	EndedBy   string
	Uses      []lineage.Use
	IsPerson  bool // a principal, not a credential
	EventID   string
	Folded    int // how many credentials it stands for, 0 for one of its own
	Children  []*node
	size      int // credentials and principals of the branch, itself included
	alive     int // credentials of the branch
}

// Lasts is for how long a credential that is alive stays so.
func (n *node) Lasts() string {
	switch {
	case !n.Live || n.IsPerson || n.Folded > 0:
		return ""
	case n.ValidFor == nil:
		return "no expiry"
	case n.Derived:
		return "for about " + span(time.Duration(*n.ValidFor)*time.Second)
	}
	return "for " + span(time.Duration(*n.ValidFor)*time.Second)
}

// lineageTree arranges a lineage as trees under its roots: credentials under
// the one that issued them, principals under the one that made or changed them.
// Like children are folded when there are more than like of them.
func lineageTree(l *lineage.Lineage, like int) []*node {
	if l == nil {
		return nil
	}
	byID := map[string]*node{}
	var order []*node
	through := map[string]string{}
	for _, e := range l.Edges {
		if strings.HasPrefix(e.From, "arn:") {
			through[e.To] = e.From
		}
	}
	for _, c := range l.Credentials {
		n := credentialNode(c, l.AsOf)
		n.Through = through[c.ID]
		byID[c.ID] = n
		order = append(order, n)
	}
	var roots []*node
	parents := map[*node]*node{}
	for i, c := range l.Credentials {
		n := order[i]
		var parent *node
		if c.Parent != nil {
			parent = byID[*c.Parent]
		}
		// A parent that is not listed, or a circle, makes a root.
		for p := parent; p != nil; p = parents[p] {
			if p == n {
				parent = nil
				break
			}
		}
		if parent == nil {
			roots = append(roots, n)
			continue
		}
		parents[n] = parent
		parent.Children = append(parent.Children, n)
	}
	roots = append(roots, hangPrincipals(l, byID)...)
	for _, n := range order {
		slices.SortStableFunc(n.Children, func(a, b *node) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Label, b.Label))
		})
		n.Children = foldLike(n.Children, like)
	}
	roots = foldLike(roots, like)
	weigh(roots)
	return roots
}

// weigh counts what is in each branch.
func weigh(nodes []*node) {
	for _, n := range nodes {
		weigh(n.Children)
		if n.Folded == 0 {
			n.size, n.alive = 1, btoi(n.Live)
		}
		for _, c := range n.Children {
			n.size += c.size
			n.alive += c.alive
		}
	}
}

// hangPrincipals puts principals under the credentials that made or changed
// them, each once a parent and kind of change, and gives those without one.
func hangPrincipals(l *lineage.Lineage, byID map[string]*node) (roots []*node) {
	edges := map[string][]lineage.Edge{}
	for _, e := range l.Edges {
		if byID[e.From] != nil {
			edges[e.To] = append(edges[e.To], e)
		}
	}
	type change struct {
		parent    *node
		arn, kind string
	}
	placed := map[change]*node{}
	for _, p := range l.Principals {
		n := principalNode(p)
		var parent *node
		for _, e := range edges[p.ARN] {
			if parent == nil || e.EventID == p.EventID {
				parent, n.Via = byID[e.From], e.Via
			}
			if e.EventID == p.EventID {
				break
			}
		}
		if first := placed[change{parent, n.Label, n.Kind}]; first != nil {
			first.Events++
			continue
		}
		placed[change{parent, n.Label, n.Kind}] = n
		if parent == nil {
			roots = append(roots, n)
			continue
		}
		parent.Children = append(parent.Children, n)
	}
	return roots
}

func credentialNode(c lineage.Credential, asOf time.Time) *node {
	return &node{
		Label: c.ID, Kind: words(string(c.Kind)), Via: c.Via, Principal: c.PrincipalARN,
		At: deref(c.IssuedAt), Expires: deref(c.ExpiresAt), Derived: c.ExpiresDerived,
		First: deref(c.FirstUsed), Last: deref(c.LastUsed), Events: c.EventCount, Live: c.LiveAtEnd,
		Survives: c.SurvivesKeyDisable, Certainty: string(c.Certainty), Why: c.Why, EndedBy: c.EndedBy,
		ValidFor: c.ValidForSeconds, EndedAt: deref(c.EndedAt), EndedVia: c.EndedVia, EndedWhy: c.EndedWhy,
		Uses: c.Uses, EventID: c.IssuedEventID, Over: over(&c, asOf),
	}
}

// over says why a credential is not alive that nobody ended.
func over(c *lineage.Credential, asOf time.Time) string {
	switch {
	case c.LiveAtEnd || c.EndedAt != nil:
		return ""
	case deref(c.IssuedAt).After(asOf):
		return "issued later"
	case c.ExpiresAt != nil && !c.ExpiresAt.After(asOf):
		return "expired"
	}
	return "not alive"
}

func principalNode(p lineage.Principal) *node {
	return &node{
		Label: p.ARN, Kind: words(p.Kind) + " " + words(string(p.How)), At: p.Time,
		Certainty: string(p.Certainty), Why: p.Why, IsPerson: true, EventID: p.EventID, Events: 1,
	}
}

// foldLike puts childless credentials that differ in id and time only into one
// node when there are more than shown, keeping that many, those alive first.
func foldLike(nodes []*node, shown int) []*node {
	if len(nodes) <= shown+1 {
		return nodes
	}
	type likeness struct{ kind, via, principal, certainty string }
	of := func(n *node) likeness {
		return likeness{n.Kind, n.Via, sessionRole(n.Principal), n.Certainty}
	}
	like := map[likeness][]*node{}
	for _, n := range nodes {
		if !n.IsPerson && len(n.Children) == 0 {
			like[of(n)] = append(like[of(n)], n)
		}
	}
	folded := map[*node]bool{}
	summary := map[*node]*node{} // after the last one shown
	for _, group := range like {
		if len(group) <= shown+1 {
			continue
		}
		byLife := slices.Clone(group)
		slices.SortStableFunc(byLife, func(a, b *node) int { return cmp.Compare(btoi(b.Live), btoi(a.Live)) })
		rest := byLife[shown:]
		s := &node{Kind: rest[0].Kind, Via: rest[0].Via, Principal: sessionRole(rest[0].Principal), Certainty: rest[0].Certainty}
		live := 0
		for _, n := range rest {
			folded[n] = true
			s.Events += n.Events
			s.First = earlier(s.First, n.First)
			if n.Last.After(s.Last) {
				s.Last = n.Last
			}
			s.At = earlier(s.At, n.At)
			if n.Live {
				live++
			}
			s.Survives = s.Survives || n.Survives
		}
		s.Live = live > 0
		s.Folded, s.size, s.alive = len(rest), len(rest), live
		s.Label = fmt.Sprintf("%d more like these, %d of them alive", len(rest), live)
		summary[group[len(group)-1]] = s
	}
	var out []*node
	for _, n := range nodes {
		if !folded[n] {
			out = append(out, n)
		}
		if s := summary[n]; s != nil {
			out = append(out, s)
		}
	}
	return out
}

// sessionRole is the role of an assumed-role session's ARN; other ARNs stay.
func sessionRole(arn string) string {
	if before, _, ok := strings.Cut(arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(arn[len(before)+len(":assumed-role/"):], "/")
		return before + ":assumed-role/" + role
	}
	return arn
}

// words writes an identifier of the artifacts for people: "role_session".
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// earlier is the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
