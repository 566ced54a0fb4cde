package lineage

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"
)

// use describes a cluster.
func use(atoms []*useAtom, actor Actor, root *root) Use {
	u := Use{Actor: actor, First: atoms[0].first}
	var sets struct{ sources, agents, regions, networks, families, signatures, systems, aws map[string]bool }
	for _, set := range []*map[string]bool{&sets.sources, &sets.agents, &sets.regions, &sets.networks, &sets.families, &sets.signatures, &sets.systems, &sets.aws} {
		*set = map[string]bool{}
	}
	newRegions := map[string]bool{}
	var facts []string
	for _, a := range atoms {
		u.Count += a.count
		if a.last.After(u.Last) {
			u.Last = a.last
		}
		if a.source != "" {
			sets.sources[a.source] = true
		}
		for agent := range a.agents {
			sets.agents[agent] = true
		}
		for region := range a.regions {
			sets.regions[region] = true
			if first, ok := root.regionSeen(region); ok && !first.Before(root.since) {
				newRegions[region] = true
			}
		}
		if a.service {
			continue
		}
		sets.networks[a.network], sets.families[a.family], sets.signatures[a.signature] = true, true, true
		if a.as.number != 0 {
			sets.systems[a.as.String()] = true
		}
		if a.aws.service != "" {
			sets.aws[a.aws.String()] = true
		}
		for _, fact := range a.facts() {
			if len(facts) < 3 && !slices.Contains(facts, fact) {
				facts = append(facts, fact)
			}
		}
	}
	u.SourceIPs, u.UserAgents, u.Regions = sorted(sets.sources), sorted(sets.agents), sorted(sets.regions)
	u.Networks, u.AgentFamilies, u.NewRegions = sorted(sets.networks), sorted(sets.families), sorted(newRegions)
	u.AutonomousSystems, u.AWSServices = sorted(sets.systems), sorted(sets.aws)
	if atoms[0].service {
		u.Why = "made by " + firstFew(u.SourceIPs) + " for the credential"
		return u
	}
	why := []string{atoms[0].why}
	switch n := len(u.Networks); {
	case n > 1 && len(sets.signatures) > clustersShown:
		why = append(why, fmt.Sprintf("%d networks and %d agents that change from call to call, too many to tell apart", n, len(sets.signatures)))
	case n > 1:
		why = append(why, fmt.Sprintf("%d networks in turn, taken for one person's: by agent (%s), session or autonomous system", n, firstFew(u.AgentFamilies)))
	}
	if len(u.NewRegions) > 0 {
		why = append(why, "never used before the compromise: "+firstFew(u.NewRegions))
	}
	u.Why = strings.Join(append(why, facts...), "; ")
	return u
}

// regionSeen is when a root was first used in a region. ok is false where there
// is no history to compare with.
func (r *root) regionSeen(region string) (first time.Time, ok bool) {
	if r == nil || len(r.groups) == 0 || !r.groups[0].first.Before(r.since) {
		return time.Time{}, false
	}
	first, ok = r.regions[region]
	return first, ok
}

// firstFew lists some values, for a reader.
func firstFew(list []string) string {
	const few = 4
	if len(list) <= few+1 {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:few], ", "), len(list)-few)
}

// markHostile makes the intruder's what a descended credential did from an
// address that is called hostile.
func (t *tracer) markHostile(ctx context.Context) error {
	if len(t.o.Hostile) == 0 {
		return nil
	}
	var hostile []string
	err := t.each(ctx, `SELECT DISTINCT source_ip_address FROM trace_events WHERE actor = 'unclear' AND source_ip_address IS NOT NULL ORDER BY 1`, nil,
		func(scan func(...any) error) error {
			var address string
			err := scan(&address)
			if t.o.sideOf(address) == Intruder {
				hostile = append(hostile, address)
			}
			return err
		})
	if err != nil || len(hostile) == 0 {
		return err
	}
	err = t.table(ctx, "trace_wanted", `address VARCHAR`, len(hostile), func(i int) []driver.Value { return []driver.Value{hostile[i]} })
	if err != nil {
		return err
	}
	return t.exec(ctx, `UPDATE trace_events SET actor = 'intruder' WHERE actor = 'unclear' AND service = '' AND source_ip_address IN (FROM trace_wanted)`)
}
