package main

import (
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/reports"
)

func (a *app) traceCommand() *cobra.Command {
	var from traceFlags
	cmd := &cobra.Command{
		Use:   "trace KEY…",
		Short: "Find every credential and principal that descends from a key",
		Long: `Find every credential and principal that descends from a key, store them in the
case and print them as a tree. KEY is an access key id or a principal's ARN.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, keys []string) error {
			ctx := cmd.Context()
			if err := checkNames("KEY", keys); err != nil {
				return err
			}
			format, zone, err := a.show("table", "json")
			if err != nil {
				return err
			}
			o, err := a.traceOptions(&from)
			if err != nil {
				return err
			}
			defer o.ASNs.Close()
			return a.withCase(ctx, query.ReadWrite, func(c *query.Case) error {
				l, err := lineage.Trace(ctx, c, keys, o)
				if err != nil {
					return err
				}
				a.sayIfUnused(l)
				return a.writeOutput(func(w io.Writer) error {
					if format == "json" {
						return reports.JSON(w, l)
					}
					return reports.LineageTree(w, l, zone)
				})
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), "table", "json")
	a.compromisedFlag(cmd.Flags())
	from.add(cmd.Flags())
	return cmd
}

// traceFlags say how to trace.
type traceFlags struct {
	allUse           bool
	asOf             string
	trusted, hostile []string
	mmdb, awsRanges  string
}

func (t *traceFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&t.allUse, "all-use", false, "follow the owner's own use of the key too")
	f.StringVar(&t.asOf, "as-of", "", "`TIME` at which a credential counts as alive or not (default: the end of the logs)")
	f.StringSliceVar(&t.trusted, "trusted", nil, "`CIDR` or address whose use is the owner's; may be repeated, or a list with commas")
	f.StringSliceVar(&t.hostile, "hostile", nil, "`CIDR` or address whose use is the intruder's; may be repeated, or a list with commas")
	f.StringVar(&t.mmdb, "mmdb", "", "ASN database `FILE` in MaxMind's format (GeoLite2 ASN, DB-IP, IPinfo)")
	f.StringVar(&t.awsRanges, "aws-ip-ranges", "", "AWS's published ip-ranges.json: a `FILE`")
}

// traceOptions reads the flags, and the files that they name. The caller closes
// the ASN database.
func (a *app) traceOptions(flags *traceFlags) (lineage.Options, error) {
	now := time.Now()
	var o lineage.Options
	var err error
	if o.CompromisedSince, err = parseTime("compromised-since", a.compromisedSince, now); err != nil {
		return o, err
	}
	if o.AsOf, err = parseTime("as-of", flags.asOf, now); err != nil {
		return o, err
	}
	o.AllUse = flags.allUse
	if o.Trusted, err = lineage.ParsePrefixes(flags.trusted); err != nil {
		return o, usagef("--trusted: %w", err)
	}
	if o.Hostile, err = lineage.ParsePrefixes(flags.hostile); err != nil {
		return o, usagef("--hostile: %w", err)
	}
	for _, p := range o.Hostile {
		if slices.Contains(o.Trusted, p) {
			return o, usagef("%s is both --trusted and --hostile: it can be one of them", p)
		}
	}
	if flags.awsRanges != "" {
		if o.AWSRanges, err = lineage.ReadAWSRanges(flags.awsRanges); err != nil {
			return o, err
		}
	}
	if flags.mmdb != "" {
		o.ASNs, err = lineage.OpenASNs(flags.mmdb)
	}
	return o, err
}
