package main

import (
	"path"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"trailscan/rules"
)

// filterFlags choose among rules and findings.
type filterFlags struct {
	set                     *pflag.FlagSet
	minSeverity, attack     string
	rules, exclude, tactics []string
}

func (f *filterFlags) add(flags *pflag.FlagSet) {
	f.set = flags
	flags.StringVar(&f.minSeverity, "min-severity", "", "only what is at least of this `SEVERITY`: critical|high|medium|low|info")
	flags.StringSliceVar(&f.rules, "rule", nil, "only these rules: an `ID`, the beginning of ids up to a hyphen (TS-CA), or a pattern (TS-IA-01*); may be repeated, or a list with commas")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "all but these rules, written as for --rule: `ID`")
	f.addTactic(flags)
	f.addAttack(flags)
}

func (f *filterFlags) addTactic(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.tactics, "tactic", nil, "only this `TACTIC` of ATT&CK, such as persistence; may be repeated, or a list with commas")
}

func (f *filterFlags) addAttack(flags *pflag.FlagSet) {
	flags.StringVar(&f.attack, "attack-version", "18", "`VERSION` of ATT&CK whose tactics and ids are written: 18|19")
}

// filter is what the flags ask for. Rules and findings are in its version's
// words.
type filter struct {
	attack      rules.AttackVersion
	minSeverity rules.Severity
	chosen      map[string]bool // rules; nil: all
	tactics     []string        // none: all
	asked       string          // the flags, to speak of them
}

// compile reads the flags and refuses what no rule of the pack can meet.
func (f *filterFlags) compile(pack []rules.Rule) (*filter, error) {
	out := &filter{attack: rules.AttackV18}
	if err := refuseEmpty(f.set, "min-severity", "rule", "exclude", "tactic"); err != nil {
		return nil, err
	}
	var err error
	if f.attack != "" {
		if out.attack, err = rules.ParseAttackVersion(f.attack); err != nil {
			return nil, usagef("--attack-version: %w", err)
		}
	}
	var asked []string
	if f.minSeverity != "" {
		if out.minSeverity, err = parseSeverity("min-severity", f.minSeverity); err != nil {
			return nil, err
		}
		asked = append(asked, "--min-severity "+f.minSeverity)
	}
	for _, name := range f.tactics {
		short, err := out.tactic(name)
		if err != nil {
			return nil, err
		}
		out.tactics = append(out.tactics, short)
		asked = append(asked, "--tactic "+name)
	}
	ids := make([]string, len(pack))
	for i, r := range pack {
		ids[i] = r.ID
	}
	if len(f.rules) > 0 || len(f.exclude) > 0 {
		out.chosen = map[string]bool{}
		if len(f.rules) == 0 {
			for _, id := range ids {
				out.chosen[id] = true
			}
		}
	}
	for _, name := range f.rules {
		found, err := rulesNamed("rule", name, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			out.chosen[id] = true
		}
		asked = append(asked, "--rule "+name)
	}
	for _, name := range f.exclude {
		found, err := rulesNamed("exclude", name, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			delete(out.chosen, id)
		}
		asked = append(asked, "--exclude "+name)
	}
	if out.chosen != nil && len(out.chosen) == 0 {
		return nil, usagef("--rule and --exclude leave no rule")
	}
	out.asked = strings.Join(asked, " ")
	return out, nil
}

// refuseEmpty refuses flags that are given and say nothing, as a script's unset
// variable does: nobody means by one that everything passes.
func refuseEmpty(set *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		var f *pflag.Flag
		if set != nil {
			f = set.Lookup(name)
		}
		if f != nil && f.Changed && slices.Contains([]string{"", "[]", `[""]`}, strings.TrimSpace(f.Value.String())) {
			return usagef("--%s is empty", name)
		}
	}
	return nil
}

// tactic reads a tactic as people write one: by its short name, its name or its
// id.
func (f *filter) tactic(name string) (string, error) {
	word := strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-"), " ", "-")
	var all []string
	for _, t := range f.attack.Tactics() {
		if word == t.Short || strings.EqualFold(word, t.ID) {
			return t.Short, nil
		}
		all = append(all, t.Short)
	}
	for _, v := range []rules.AttackVersion{rules.AttackV18, rules.AttackV19} {
		if _, known := v.TacticOf(word); known {
			return "", usagef("--tactic %s: is one of ATT&CK v%s: give --attack-version %s too", name, v, v)
		}
	}
	return "", usagef("--tactic %s: ATT&CK has no such tactic: %s", name, didYouMean(word, all))
}

// rulesNamed are the rules that a text means: by the id, else those whose ids
// begin with it up to a hyphen or the letter of a split id, or match it as a
// pattern.
func rulesNamed(flag, text string, ids []string) ([]string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, usagef("--%s: a name in the list is empty", flag)
	}
	lower := strings.ToLower(text)
	var found []string
	for _, id := range ids {
		if strings.EqualFold(id, text) {
			return []string{id}, nil
		}
		if strings.ContainsAny(text, "*?[") {
			// Ids of Sigma rules may have slashes, at which Match stops.
			if ok, err := path.Match(strings.ReplaceAll(lower, "/", "\x00"), strings.ReplaceAll(strings.ToLower(id), "/", "\x00")); err != nil {
				return nil, usagef("--%s %s: is no pattern: %w", flag, text, err)
			} else if ok {
				found = append(found, id)
			}
			continue
		}
		if rest, ok := strings.CutPrefix(strings.ToLower(id), lower); ok && beginsAnew(lower, rest) {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		return nil, usagef("--%s %s: no rule is called so: %s `trailscan rules list` lists them", flag, text, didYouMean(lower, ids))
	}
	return found, nil
}

// beginsAnew says whether an id can be cut between its beginning and the rest.
func beginsAnew(beginning, rest string) bool {
	if strings.ContainsAny(beginning[len(beginning)-1:], "-.:") || strings.ContainsAny(rest[:1], "-.:") {
		return true
	}
	return len(rest) == 1 && rest >= "a" && rest <= "z"
}

// keepsRule says whether a rule in the version's words is asked for. Its attempts
// may be less severe than it is.
func (f *filter) keepsRule(r rules.Rule) bool {
	return f.keeps(r.ID, r.Tactic) && r.Severity >= f.minSeverity
}

func (f *filter) keepsFinding(found rules.Finding) bool {
	return f.keeps(found.Rule, found.Tactic) && found.Severity >= f.minSeverity
}

func (f *filter) keeps(rule, tactic string) bool {
	return (f.chosen == nil || f.chosen[rule]) && (len(f.tactics) == 0 || slices.Contains(f.tactics, tactic))
}

// pack are the rules that are asked for, in the version's words.
func (f *filter) pack(pack []rules.Rule) []rules.Rule {
	return slices.DeleteFunc(f.attack.Rules(pack), func(r rules.Rule) bool { return !f.keepsRule(r) })
}

// assessments are those of the rules given, and of what is no rule of the pack,
// such as one that could not be compiled.
func (f *filter) assessments(all []rules.Assessment, pack, asked []rules.Rule) []rules.Assessment {
	out := []rules.Assessment{}
	for _, a := range all {
		is := func(r rules.Rule) bool { return r.ID == a.Rule }
		if slices.ContainsFunc(asked, is) || !slices.ContainsFunc(pack, is) && f.chosen == nil {
			out = append(out, a)
		}
	}
	return out
}

// parseSeverity reads the severity that a flag gives.
func parseSeverity(flag, text string) (rules.Severity, error) {
	s, err := rules.ParseSeverity(text)
	if err != nil {
		return s, usagef("--%s %s: must be critical, high, medium, low or info: %s", flag, text,
			didYouMean(strings.ToLower(text), []string{"critical", "high", "medium", "low", "info"}))
	}
	return s, nil
}
