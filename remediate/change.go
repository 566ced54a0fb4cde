package remediate

import (
	"maps"
	"slices"
	"strings"
)

// change is what the lineage did to one thing through one API: the events, the
// first of which saw the state before and the last of which made the state now.
type change struct {
	undo    *undo
	events  []*event
	objects []string // the values of undo.object; lists stand apart, in elements
	unnamed bool     // the log lacks one of those values; objects is the event's id
	// elements are what a call that acts on many did so to, such as instances.
	elements []string
	labels   map[string]bool // those of objects that no event spells out
	el       any             // the one of them that this change is about, if the undo is split
	gone     map[string]bool // elements that are undone already
	touched  *event          // by someone else since, once looked at
	looked   bool
}

func (c *change) first() *event { return c.events[0] }
func (c *change) last() *event  { return c.events[len(c.events)-1] }

// related are the calls whose events tell whether a change still stands and
// what was there before.
func (u *undo) related() []string {
	names := slices.Clone(u.also)
	for _, s := range slices.Concat(u.steps, u.blind) {
		_, op := splitCall(s.call)
		names = append(names, op)
	}
	for _, p := range u.prior {
		names = append(names, p.name)
	}
	return names
}

// values evaluates expressions over an event: the plain ones in order, and the
// elements of lists. ok is false when a value is not in the log.
func values(e *event, exprs []string) (plain, elements []string, ok bool) {
	s := scope{event: e}
	for _, x := range exprs {
		v, err := s.eval(x)
		if err != nil || v == nil {
			return nil, nil, false
		}
		if list, isList := v.([]any); isList {
			for _, el := range list {
				elements = append(elements, show(el))
			}
			continue
		}
		plain = append(plain, show(v))
	}
	return plain, elements, true
}

// changes groups the events of the lineage by what they did to what, in order
// of the first. Events without an entry in the tables come back apart.
func changes(events []*event) (known []*change, unknown []*event) {
	byKey := map[string]*change{}
	for _, e := range events {
		u := undoTable[e.source+":"+e.name]
		if u == nil {
			unknown = append(unknown, e)
			continue
		}
		if u.handled || e.failedSignIn() || e.grantOfService() {
			continue
		}
		objects, elements, ok := values(e, u.object)
		if !ok {
			objects, elements = []string{e.id}, nil
		}
		labels := map[string]bool{}
		for _, x := range u.object {
			if strings.Contains(x, "kind(") {
				labels[e.text(x)] = true
			}
		}
		add := func(objects, elements []string, el any) {
			key := strings.Join(slices.Concat([]string{u.call, e.accountID, e.place()}, objects, elements), "\x00")
			c := byKey[key]
			if c == nil {
				c = &change{undo: u, objects: objects, unnamed: !ok, elements: elements, el: el, labels: labels, gone: map[string]bool{}}
				byKey[key] = c
				known = append(known, c)
			}
			c.events = append(c.events, e)
		}
		if !u.split || len(elements) == 0 {
			add(objects, elements, nil)
			continue
		}
		for _, el := range elements {
			add(append(slices.Clone(objects), el), nil, el)
		}
	}
	return known, unknown
}

// place is the region in which the name of what an event acts on is unique.
func (e *event) place() string {
	if globalServices[e.source] {
		return ""
	}
	return e.region
}

// failedSignIn says that a ConsoleLogin did not succeed; it has no error code.
func (e *event) failedSignIn() bool {
	return dig(e.response, []string{"ConsoleLogin"}) == "Failure"
}

// grantOfService says that a service made a KMS grant for itself, as EBS and
// RDS do for each volume.
func (e *event) grantOfService() bool {
	return e.source == "kms" && e.name == "CreateGrant" && e.invokedBy != ""
}

// history finds events by API in order of time, those of the lineage and those
// of everyone else.
type history map[string][]*event

func newHistory(lists ...[]*event) history {
	h := history{}
	for _, l := range lists {
		for _, e := range l {
			h[e.source+":"+e.name] = append(h[e.source+":"+e.name], e)
		}
	}
	for _, l := range h {
		slices.SortStableFunc(l, func(a, b *event) int { return a.time.Compare(b.time) })
	}
	return h
}

// touches says whether an event acts on the same thing.
func (c *change) touches(e *event) bool { return c.within(e, e.requestNames()) }

// names says whether an event acts on the same thing or brought it into being.
func (c *change) names(e *event) bool {
	all := maps.Clone(e.requestNames())
	maps.Copy(all, e.responseNames())
	return c.within(e, all)
}

// within says whether what the change acts on is among the names of an event of
// the same account and region.
func (c *change) within(e *event, names map[string]bool) bool {
	last := c.last()
	if e.accountID != last.accountID || !globalServices[e.source] && e.region != last.region {
		return false
	}
	for _, o := range c.objects {
		if o != last.accountID && o != last.region && !names[o] && !c.labels[o] {
			return false
		}
	}
	return true
}

// after are the later events of an API that act on what c changed, but for those
// to skip.
func (h history) after(c *change, name string, skip map[*event]bool) []*event {
	last := c.last()
	var out []*event
	for _, e := range h[last.source+":"+name] {
		if skip[e] {
			continue
		}
		// Creation and removal may share a second; removal comes second.
		later := e.time.After(last.time) || e.time.Equal(last.time) && c.undo.creates != "" && e != last
		if later && c.touches(e) {
			out = append(out, e)
		}
	}
	return out
}

// settle marks what later events undid, and says whether nothing is left.
func (h history) settle(c *change) bool {
	var names []string
	for _, s := range ending(c.undo) {
		if c.undo.was != nil {
			break // which looks itself at what came later
		}
		if _, op := splitCall(s.call); s.each == nil && endsChange(c.undo, s, op) {
			names = append(names, op)
		}
	}
	for _, n := range append(names, c.undo.also...) {
		for _, e := range h.after(c, n, nil) {
			if len(c.elements) == 0 {
				return true
			}
			ls := e.requestNames()
			for _, el := range c.elements {
				if ls[el] {
					c.gone[el] = true
				}
			}
		}
	}
	return len(c.elements) > 0 && len(c.gone) == len(c.elements) || h.containerGone(c) || h.holderGone(c)
}

// ending are the steps any of which, seen in the log, undoes the change: of a
// chain the one that removes what was made, or makes again what was removed.
func ending(u *undo) []step {
	switch {
	case u.chain && u.creates != "" && len(u.steps) > 0:
		return u.steps[len(u.steps)-1:]
	case u.chain && len(u.steps) > 0:
		return u.steps[:1]
	}
	return slices.Concat(u.steps, u.blind)
}

// endsChange says whether the operation of a step, seen in the log, leaves
// nothing to undo: not one that only disables, nor the call that made the
// change.
func endsChange(u *undo, s step, op string) bool {
	_, own := splitCall(u.call)
	return op != own && s.phase != Contain && !(u.creates != "" && !isDestructive(op))
}

// containers are what IAM deletes together with what is in it.
var containers = []struct{ param, deletion string }{
	{"userName", "DeleteUser"}, {"roleName", "DeleteRole"}, {"groupName", "DeleteGroup"},
	{"policyArn", "DeletePolicy"}, {"instanceProfileName", "DeleteInstanceProfile"},
}

func (h history) containerGone(c *change) bool {
	last := c.last()
	if last.source != "iam" || strings.HasPrefix(last.name, "Delete") {
		return false
	}
	for _, k := range containers {
		name := container(last, k.param)
		if name == "" {
			continue
		}
		for _, e := range h["iam:"+k.deletion] {
			if e.accountID == last.accountID && !e.time.Before(last.time) && dig(e.request, []string{k.param}) == name {
				return true
			}
		}
	}
	return false
}

// container is the name of the user, role, … that an IAM call acts on.
func container(e *event, param string) string {
	name, _ := dig(e.request, []string{param}).(string)
	if name != "" {
		return name
	}
	response, _ := e.response.(map[string]any)
	for _, v := range response {
		if n, ok := dig(v, []string{param}).(string); ok {
			return n
		}
	}
	return ""
}

// takers begin the names of operations that take away what another gave.
var takers = []string{"Delete", "Detach", "Remove", "Deactivate", "Disassociate", "Deregister", "Release", "Terminate"}

// ownMade says that a change only took away what the lineage had brought itself.
func (h history) ownMade(c *change, mine map[*event]bool) bool {
	first := c.first()
	if !slices.ContainsFunc(takers, func(p string) bool { return strings.HasPrefix(first.name, p) }) || len(c.elements) > 0 {
		return false
	}
	var last *event
	for _, n := range append(c.undo.related(), "Create"+strings.TrimPrefix(first.name, "Delete")) {
		for _, e := range h[first.source+":"+n] {
			if n == first.name || e.time.After(first.time) || !c.names(e) || last != nil && e.time.Before(last.time) {
				continue
			}
			if !mine[e] && len(c.undo.prior) > 0 {
				return false // there was something before
			}
			last = e
		}
	}
	return last != nil && mine[last]
}

// stood says that someone else had made the same change before, so that it is
// not the intruder's to undo.
func (h history) stood(c *change, mine map[*event]bool) bool {
	first := c.first()
	if !c.undo.idempotent || len(c.elements) > 0 {
		return false
	}
	var made *event
	for _, e := range h[c.undo.call] {
		if !mine[e] && e.time.Before(first.time) && c.names(e) {
			made = e
		}
	}
	if made == nil {
		return false
	}
	for _, n := range c.undo.related() {
		if n == first.name {
			continue
		}
		for _, e := range h[first.source+":"+n] {
			if e.time.After(made.time) && e.time.Before(first.time) && c.touches(e) {
				return false
			}
		}
	}
	return true
}

// touchedSince is the last later call of someone else on the same thing.
func (h history) touchedSince(c *change, mine map[*event]bool) *event {
	if c.looked {
		return c.touched
	}
	c.looked = true
	for _, n := range append([]string{c.last().name}, c.undo.related()...) {
		for _, e := range h.after(c, n, mine) {
			if c.touched == nil || e.time.After(c.touched.time) {
				c.touched = e
			}
		}
	}
	return c.touched
}
