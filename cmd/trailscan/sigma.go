package main

import (
	"github.com/spf13/pflag"

	"trailscan/reports"
	"trailscan/rules"
	"trailscan/rules/sigma"
)

// sigmaFlags are the Sigma rules that a command runs beside the pack.
type sigmaFlags struct {
	paths []string
	vars  string
}

func (s *sigmaFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&s.paths, "sigma", nil, "run the Sigma rules about CloudTrail in `DIR|FILE` too; may be repeated")
	f.StringVar(&s.vars, "sigma-vars", "", "YAML or JSON `FILE` with the values of the placeholders in Sigma rules")
}

// load compiles the rules and tells of those that cannot be.
func (s *sigmaFlags) load(a *app) (compiled []rules.Rule, refused []rules.Assessment, err error) {
	if s.vars != "" && len(s.paths) == 0 {
		return nil, nil, usagef("--sigma-vars is about the rules of --sigma: name them")
	}
	if len(s.paths) == 0 {
		return nil, nil, nil
	}
	if err := checkNames("--sigma", s.paths); err != nil {
		return nil, nil, err
	}
	var vars sigma.Vars
	if s.vars != "" {
		if vars, err = sigma.ReadVars(s.vars); err != nil {
			return nil, nil, err
		}
	}
	set, err := sigma.Load(s.paths, vars)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range set.Refused {
		a.say("trailscan: %s", reports.Terminal(r.String()))
		refused = append(refused, r.Assessment())
	}
	if set.Skipped > 0 {
		a.say("trailscan: skipped %d of the Sigma rules: they are about other logs than CloudTrail", set.Skipped)
	}
	if len(set.Rules) == 0 {
		a.say("trailscan: none of the Sigma rules given can run")
	}
	return set.Rules, refused, nil
}
