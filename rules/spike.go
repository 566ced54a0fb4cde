package rules

import (
	"fmt"
	"strings"
	"time"
)

// deviations is how many standard deviations above the mean a spike stands.
const deviations = 3

var spikeUnits = map[time.Duration]string{time.Minute: "minute", time.Hour: "hour", 24 * time.Hour: "day"}

// compileSpike counts the events of each group by the minute, hour or day
// ("bins") and compares each with the group's other ones in which anything
// happened ("usual"), so that a spike does not hide itself. Events of the
// lineage count but are no baseline; a group without one is judged by the
// number alone.
func (r Rule) compileSpike(from relations) string {
	s := r.Spike
	defs, by, present := named("by", s.By)
	defs = append(defs, fmt.Sprintf("date_trunc('%s', event_time) AS bin", spikeUnits[s.Per]))
	bin := append(by[:len(by):len(by)], "bin")
	group := strings.Join(bin, ", ")
	partition := "OVER (PARTITION BY " + strings.Join(by, ", ") + ")"
	if len(by) == 0 {
		partition = "OVER ()"
	}
	return "WITH " + strings.Join([]string{
		from.calls,
		r.hit(from, defs, present),
		from.tainted,
		lines(
			"bins AS (",
			"    SELECT "+group+", CAST(count(*) AS DOUBLE) AS reached,",
			"        CAST(count(CASE WHEN tainted.source_id IS NULL THEN 1 END) AS DOUBLE) AS own",
			"    FROM hit",
			"    LEFT JOIN tainted ON tainted.source_id = hit.source_id AND tainted.record_index = hit.record_index",
			"    GROUP BY "+group,
			")"),
		lines(
			"usual AS (",
			"    SELECT "+group+", reached,",
			"        count(CASE WHEN own > 0 THEN 1 END) "+partition+" - CASE WHEN own > 0 THEN 1 ELSE 0 END AS others,",
			"        sum(own) "+partition+" - own AS total,",
			"        sum(own * own) "+partition+" - own * own AS squares",
			"    FROM bins",
			")"),
		// Twice the mean at least, and reached - mean > k * sqrt(squares / others - mean * mean)
		// for the mean total / others.
		lines(
			"spikes AS (",
			"    SELECT "+group,
			"    FROM usual",
			fmt.Sprintf("    WHERE reached >= %d", s.Count),
			"        AND (others = 0",
			"            OR reached * others > 2 * total",
			fmt.Sprintf("                AND (reached * others - total) * (reached * others - total) > %d * (squares * others - total * total))", deviations*deviations),
			")"),
	}, ",\n") + "\n" + lines(
		"SELECT "+wrap(prefixed("hit.", from.columns)),
		"FROM hit",
		join("JOIN", "spikes", bin))
}
