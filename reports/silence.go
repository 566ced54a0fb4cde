package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"trailscan/rules"
)

// A silence is a run of hours without an event where, by the rest of the logs,
// there should have been some. Each of its hours is compared with the same hour
// of the other days outside the run: of the same day of the week, and, for there
// are few of these, of all weekdays or all weekend days, which count as
// silencePrior such days. With the share p of those that had events, an hour is
// silent by chance with 1-p. Where hardly any hour is without events, all hours
// are one, and their counts say more: that of a steady 30 an hour is never 0. They
// are taken for a negative binomial distribution, which allows for rhythm and
// bursts by its variance. Hours that are busy less than half the time say
// nothing: nights and weekends of an office, a job on Mondays. A run is told
// when the chance of all of it is below 1 in 160,000. The intruder's events
// break a silence and do not make a region busy: one that only the intruder used
// is not silent without them.
const (
	silenceSurprise = 12.0 // -ln of that chance
	silencePrior    = 2.0
	silenceBusy     = 0.5
	minSlotDays     = 3  // of a weekday's or a weekend's hour, to compare with
	minSteadyHours  = 20 // outside the run and at least as many as in it, of which one in steadyPauses may be silent
	steadyPauses    = 20
	silenceShown    = 10
)

// Silence is a stretch of time without events in an account, or in a region of
// it, that is otherwise busy at such hours.
type Silence struct {
	AccountID string    `json:"account_id"`
	Region    string    `json:"region"` // "" for all of the account's together
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"` // exclusive
	Hours     int64     `json:"hours"` // of these, the ones that are otherwise busy
	Busy      float64   `json:"busy"`  // how often these are, on average: up to 1
	Where     string    `json:"where"` // between events, before the first or after the last

	surprise float64
}

// week is the number of hours that are told apart.
const week = 7 * 24

// slots count something for each hour of the week, from Sunday's first on.
type slots [week]int64

// slotOf is the slot of an hour since 1970.
func slotOf(hour int64) int64 { return floorMod(hour+4*24, week) } // 1970-01-01 was a Thursday

// slotsOf count the hours [from, until).
func slotsOf(from, until int64) (n slots) {
	whole := (until - from) / week
	for i := range n {
		n[i] = whole
	}
	for h := from + whole*week; h < until; h++ {
		n[slotOf(h)]++
	}
	return n
}

// sameKind sums the slots of the same hour of the day, of weekdays or of the
// weekend, whichever the slot is of.
func (n *slots) sameKind(slot int64) (sum int64) {
	days := []int64{1, 2, 3, 4, 5}
	if day := slot / 24; day == 0 || day == 6 {
		days = []int64{0, 6}
	}
	for _, day := range days {
		sum += n[day*24+slot%24]
	}
	return sum
}

// silences fills Silences from the hours of Scopes. An account is judged over
// its own span, and so are its regions. The last hour may not be over when the
// logs end, so it is not judged.
func (v *Coverage) silences(series [][]hourly) {
	for i := 0; i < len(v.Scopes); {
		account, begin := v.Scopes[i].AccountID, i
		whole := map[int64]hourly{}
		for ; i < len(v.Scopes) && v.Scopes[i].AccountID == account; i++ {
			for _, h := range series[i] {
				w := whole[h.hour]
				whole[h.hour] = hourly{h.hour, w.events + h.events, w.lineage + h.lineage}
			}
		}
		all := make([]hourly, 0, len(whole))
		for _, h := range whole {
			all = append(all, h)
		}
		slices.SortFunc(all, func(a, b hourly) int { return cmp.Compare(a.hour, b.hour) })
		first, last := all[0].hour, all[len(all)-1].hour
		ofAccount := silencesOf(all, first, last)
		for j := range ofAccount {
			ofAccount[j].AccountID = account
		}
		v.Silences = append(v.Silences, ofAccount...)
		for j := begin; j < i && i-begin > 1; j++ {
			for _, s := range silencesOf(series[j], first, last) {
				if slices.ContainsFunc(ofAccount, s.mostlyIn) {
					continue
				}
				s.AccountID, s.Region = account, v.Scopes[j].Region
				v.Silences = append(v.Silences, s)
			}
		}
	}
	slices.SortFunc(v.Silences, func(a, b Silence) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Region, b.Region))
	})
}

// mostlyIn says that four fifths of the silence lie in another.
func (s Silence) mostlyIn(o Silence) bool {
	from, until := s.From, s.Until
	if o.From.After(from) {
		from = o.From
	}
	if o.Until.Before(until) {
		until = o.Until
	}
	return 5*until.Sub(from) >= 4*s.Until.Sub(s.From)
}

// silencesOf finds the surprising runs without events among the hours
// [first, last) of a series.
func silencesOf(hours []hourly, first, last int64) []Silence {
	past := history{days: slotsOf(first, last)}
	for _, h := range hours {
		if n := h.events - h.lineage; h.hour < last && n > 0 {
			past.busy[slotOf(h.hour)]++
			past.events += float64(n)
			past.squares += float64(n) * float64(n)
		}
	}
	var out []Silence
	judge := func(from, until int64, where string) {
		if until <= from {
			return
		}
		if s, ok := past.judge(from, until); ok {
			s.Where = where
			out = append(out, s)
		}
	}
	judge(first, hours[0].hour, "before the first")
	for i := 1; i < len(hours); i++ {
		judge(hours[i-1].hour+1, hours[i].hour, "between events")
	}
	judge(hours[len(hours)-1].hour+1, last, "after the last")
	return out
}

// history is what a run of silence is held against.
type history struct {
	days, busy      slots   // all hours, and those with events
	events, squares float64 // the sum of the hours' counts, and of their squares
}

// judge compares the hours [from, until), which have no events, with the others.
func (p *history) judge(from, until int64) (Silence, bool) {
	run := slotsOf(from, until)
	var rest slots
	var restHours, restBusy int64
	for i := range rest {
		rest[i] = p.days[i] - run[i]
		restHours += rest[i]
		restBusy += p.busy[i]
	}
	steady := restHours >= max(minSteadyHours, until-from) && steadyPauses*(restHours-restBusy) <= restHours
	// How often each hour of the week is busy outside the run, and how surprising
	// it is that it is not.
	share := func(slot int64) (busy, surprise float64) {
		kind, kindBusy := rest.sameKind(slot), p.busy.sameKind(slot)
		// A pause that comes at this hour is rhythm, however few others there are.
		pauses := kind - kindBusy
		if steady && (pauses == 0 || pauses == 1 && kind >= 5 || steadyPauses*pauses <= kind) {
			busy = float64(restBusy) / float64(restHours+1)
			return busy, max(-math.Log(1-busy), p.surpriseOfNone(float64(restHours)))
		}
		if kind >= minSlotDays {
			prior := float64(kindBusy) / float64(kind+1)
			busy = (float64(p.busy[slot]) + silencePrior*prior) / (float64(rest[slot]) + silencePrior)
		}
		return busy, -math.Log(1 - busy)
	}
	var s Silence
	var busyHours float64
	for slot, n := range run {
		if n == 0 {
			continue
		}
		if busy, surprise := share(int64(slot)); busy >= silenceBusy {
			s.Hours += n
			busyHours += busy * float64(n)
			s.surprise += surprise * float64(n)
		}
	}
	if s.surprise < silenceSurprise {
		return s, false
	}
	// It begins and ends with an hour that is busy on other days.
	quiet := func(hour int64) bool {
		busy, _ := share(slotOf(hour))
		return busy < silenceBusy
	}
	for quiet(from) {
		from++
	}
	for quiet(until - 1) {
		until--
	}
	s.Busy = math.Round(busyHours/float64(s.Hours)*100) / 100
	s.From, s.Until = time.Unix(from*3600, 0).UTC(), time.Unix(until*3600, 0).UTC()
	return s, true
}

// surpriseOfNone is -ln of the chance that an hour has no event, by the counts of
// so many hours.
func (p *history) surpriseOfNone(hours float64) float64 {
	mean := p.events / hours
	// What the variance has above that of a Poisson distribution, for each event.
	excess := (p.squares/hours-mean*mean)/mean - 1
	if excess <= 0 {
		return mean
	}
	return mean / excess * math.Log1p(excess)
}

// silenceGap tells of hours and regions that are silent and otherwise busy.
func (inc *Incident) silenceGap() {
	found := slices.Clone(inc.Coverage.Silences)
	if len(found) == 0 {
		return
	}
	slices.SortStableFunc(found, func(a, b Silence) int { return cmp.Compare(b.surprise, a.surprise) })
	severity := rules.Medium
	var details []string
	for _, s := range found {
		line := s.text(stamp)
		if l := inc.Lineage; l != nil && !l.CompromisedSince.IsZero() && s.Until.After(l.CompromisedSince) {
			severity = rules.High
			line += " (after the compromise)"
		}
		details = append(details, line)
	}
	if n := len(details); n > silenceShown {
		details = append(details[:silenceShown], fmt.Sprintf("and %d more", n-silenceShown))
	}
	inc.gap("silence", severity, fmt.Sprintf("%s without events where there are otherwise many", plural(int64(len(found)), "stretch", "stretches")),
		"Files of that time may not have been exported or delivered, logging may have been off, or nobody worked. A region that is silent before its first "+
			"event may have come into use then. Compare with the bucket and, where log file validation is on, with the digest files.", details...)
}

// text says which silence it is, with times as clock writes them.
func (s Silence) text(clock func(time.Time) string) string {
	line := fmt.Sprintf("account %s, %s: nothing for %s, %s to %s", orNone(s.AccountID), s.place(), span(s.Until.Sub(s.From)), clock(s.From), clock(s.Until))
	if s.Where != "between events" {
		line += ", " + s.Where
	}
	return line
}

func (s Silence) place() string {
	if s.Region == "" {
		return "in all regions"
	}
	return "in " + s.Region
}
