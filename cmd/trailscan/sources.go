package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"trailscan/ingest"
)

// sourceFlags are those of commands that read logs: which, and from where.
type sourceFlags struct {
	accounts, regions []string
	keep              string
	aws               ingest.AWSOptions
}

func (s *sourceFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&s.accounts, "account", nil, "read only logs of this account `ID`; may be repeated")
	f.StringArrayVar(&s.regions, "region", nil, "read only logs of this `REGION` (IAM's are in us-east-1); may be repeated")
	f.StringVar(&s.aws.Profile, "profile", "", "AWS `PROFILE` to use")
	f.StringVar(&s.aws.Endpoint, "endpoint-url", "", "`URL` of the service in place of AWS's")
	f.BoolVar(&s.aws.Anonymous, "no-sign-request", false, "read a public bucket without credentials")
	f.BoolVar(&s.aws.RequesterPays, "requester-pays", false, "pay for reading the bucket")
}

func (s *sourceFlags) addKeep(f *pflag.FlagSet) {
	f.StringVar(&s.keep, "keep", "", "keep a copy of every S3 object that is read in `DIR`, with SHA256SUMS")
}

// options checks the flags and makes options of them, without times.
func (s *sourceFlags) options() (ingest.Options, error) {
	o := ingest.Options{Keep: s.keep, AWS: s.aws}
	o.AWS.Version = version
	if err := checkNames("--account", s.accounts); err != nil {
		return o, err
	}
	if err := checkNames("--region", s.regions); err != nil {
		return o, err
	}
	for _, id := range s.accounts {
		if !ingest.IsAccountID(id) {
			return o, usagef("--account %s: must be the 12 digits of an account id", id)
		}
	}
	for _, name := range s.regions {
		if !ingest.KnownRegion(name) {
			return o, usagef("--region %s: AWS has no region of this name, such as us-east-1", name)
		}
	}
	if s.aws.Endpoint != "" && !strings.HasPrefix(s.aws.Endpoint, "http://") && !strings.HasPrefix(s.aws.Endpoint, "https://") {
		return o, usagef("--endpoint-url %s: must begin with https:// or http://", s.aws.Endpoint)
	}
	slices.Sort(s.accounts)
	slices.Sort(s.regions)
	o.Filter = ingest.Filter{Accounts: slices.Compact(s.accounts), Regions: slices.Compact(s.regions)}
	return o, nil
}

// checkSources refuses sources that cannot be meant.
func checkSources(sources []string) error {
	if err := checkNames("SOURCE", sources); err != nil {
		return err
	}
	for _, s := range sources {
		if strings.TrimRight(s, "/") == "s3:" {
			return usagef("%s names no bucket: write s3://BUCKET/PREFIX", s)
		}
		if strings.HasPrefix(s, ingest.LookupEvents) && s != ingest.LookupEvents {
			return usagef("%s: write lookup-events: alone, and choose with --region, --since and --until", s)
		}
	}
	return nil
}
