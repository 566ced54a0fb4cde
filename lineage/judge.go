package lineage

import "time"

// judge says whose use each group is. What a user said of its address decides,
// else what was seen before the misuse began:
//
//   - A network seen before is the owner's, and so is a known agent in an
//     autonomous system seen before where not anybody can rent an address.
//   - A network and a family of agents that are both new are the intruder's, as is
//     all else from that network or, where the owner never was, that system.
//   - A new network with a known agent is unclear, and so is a new address of a
//     known network with a new agent: the intruder may be a neighbour.
//   - A known address may be a gateway that both are behind: a new agent there is
//     the intruder's when it is the very one that they use elsewhere, and unclear
//     when it is a tool of intruders.
func (r *root) judge(o *Options) {
	j := &judgement{root: r, o: o, seen: r.firstSeen(), networks: map[string]bool{}, systems: map[string]bool{}, owners: map[autonomousSystem]bool{},
		agents: map[string]bool{}, neighbours: map[string]bool{}, sessions: map[string]map[Actor]bool{}}
	for _, g := range r.groups {
		actor, _ := o.side(g.addr)
		j.history = j.history || g.network != "" && (g.first.Before(r.since) || actor == Owner && !r.vague)
		if g.first.Before(r.since) || actor == Owner {
			j.owners[g.as] = true
		}
		if actor == Owner { // whenever it was, the owner has it
			j.seen.families[g.family] = time.Time{}
		}
	}
	for _, g := range r.groups {
		g.known = g.network != "" && (!j.isNew(j.seen.networks, g.network) || g.landmark() != "" && !j.isNew(j.seen.systems, g.landmark()))
		g.actor, g.why = j.first(g)
		j.learn(g)
	}
	for _, g := range r.groups {
		if g.network == "" {
			continue
		}
		if actor, _ := o.side(g.addr); actor == "" {
			g.actor, g.why = j.second(g)
		}
		if g.session != "" {
			if j.sessions[g.session] == nil {
				j.sessions[g.session] = map[Actor]bool{}
			}
			j.sessions[g.session][g.actor] = true
		}
	}
	for _, g := range r.groups {
		if actors := j.sessions[g.session]; g.network != "" && g.actor == Unclear && actors[Intruder] && !actors[Owner] {
			g.actor, g.why = Intruder, g.why+"; its session is one that the intruder used"
		}
	}
}

// judgement is what is known while the groups of a root are judged.
type judgement struct {
	root     *root
	o        *Options
	seen     seen
	history  bool
	networks map[string]bool           // that the intruder used
	systems  map[string]bool           // the same, where the owner never was
	owners   map[autonomousSystem]bool // where the owner was, be they such that anybody can be
	agents   map[string]bool           // signatures of new agents that the intruder used
	// neighbours are addresses in known networks that were new and used new agents.
	neighbours map[string]bool
	sessions   map[string]map[Actor]bool
}

// isNew reports whether something was unseen before the misuse.
func (j *judgement) isNew(m map[string]time.Time, k string) bool {
	return !m[k].Before(j.root.since)
}

// first judges a group by itself.
func (j *judgement) first(g *useGroup) (Actor, string) {
	if actor, by := j.o.side(g.addr); actor != "" && g.network != "" {
		flag := "--trusted "
		if actor == Intruder {
			flag = "--hostile "
		}
		return actor, "address " + g.source + " is named by " + flag + prefixText(by)
	}
	newAgent := j.isNew(j.seen.families, g.family)
	as := g.landmark()
	switch {
	case g.network == "":
		return Unclear, "a service made the call; whose it is follows from the last call to that service"
	case !j.history:
		return Unclear, "the key has no history before its compromise to compare with"
	case !j.isNew(j.seen.networks, g.network) && newAgent && j.isNew(j.seen.addresses, g.address()):
		j.neighbours[g.address()] = true
		return Unclear, "network " + g.network + " was seen before the compromise, its address " + g.source + " and agent " + g.family + " were not"
	case !j.isNew(j.seen.networks, g.network):
		why := "network " + g.network + " was seen before the compromise"
		if newAgent {
			why += "; its agent " + g.family + " was not"
		}
		return Owner, why
	case as != "" && !j.isNew(j.seen.systems, as) && newAgent:
		return Unclear, as + " was seen before the compromise, network " + g.network + " in it and agent " + g.family + " were not"
	case as != "" && !j.isNew(j.seen.systems, as):
		return Owner, as + " and agent " + g.family + " were seen before the compromise, network " + g.network + " was not"
	case newAgent:
		return Intruder, "network " + g.network + " and agent " + g.family + " were both unseen before the compromise"
	}
	return Unclear, "network " + g.network + " was unseen before the compromise, its agent " + g.family + " was not"
}

// learn notes what the intruder uses.
func (j *judgement) learn(g *useGroup) {
	if g.actor != Intruder {
		return
	}
	actor, _ := j.o.side(g.addr)
	if j.isNew(j.seen.networks, g.network) && (actor == "" || j.wholeNetwork(g)) {
		j.networks[g.network] = true
	}
	if g.as.number != 0 && actor == "" && !j.owners[g.as] {
		j.systems[g.as.String()] = true
	}
	if j.isNew(j.seen.families, g.family) {
		j.agents[signature(g.agent)] = true
	}
}

// wholeNetwork reports whether a hostile address lies in a network that a user
// called hostile as a whole.
func (j *judgement) wholeNetwork(g *useGroup) bool {
	_, by := j.o.side(g.addr)
	return by.Bits() <= 24 || g.addr.Is6() && by.Bits() <= 64
}

// second judges a group by what the intruder and the neighbours did.
func (j *judgement) second(g *useGroup) (Actor, string) {
	theirs := j.history && j.isNew(j.seen.families, g.family) && j.agents[signature(g.agent)]
	switch {
	case g.actor == Unclear && j.networks[g.network]:
		return Intruder, "network " + g.network + " is one that the intruder used with other agents"
	case g.actor == Unclear && j.systems[g.as.String()]:
		return Intruder, g.as.String() + " is one that the intruder used, and the owner never before the compromise"
	case g.actor == Owner && theirs && isBrowser(g.agent): // all have the same
		return Unclear, g.why + "; the intruder uses the same from elsewhere"
	case g.actor != Intruder && theirs && !isBrowser(g.agent):
		return Intruder, "agent " + g.family + " is the very one that the intruder used from elsewhere; address " + g.source + " may be a gateway that the owner shares"
	case g.actor == Owner && j.neighbours[g.address()]:
		return Unclear, "address " + g.source + " was unseen before the compromise and used agents that were, too"
	case g.actor == Owner && j.isNew(j.seen.families, g.family) && intruderTool(g.agent):
		return Unclear, g.why + ", and it is one that intruders use: the address may be a gateway that the owner shares"
	}
	return g.actor, g.why
}
