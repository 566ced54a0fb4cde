package main

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/reports"
)

// traceFormats are the forms in which trace writes a lineage.
var traceFormats = []string{"table", "json", "ndjson", "csv", "dot", "mermaid"}

// tracingFlags change what a trace finds, not how it is shown.
var tracingFlags = []string{"compromised-since", "as-of", "all-use", "trusted", "hostile", "mmdb", "aws-ip-ranges"}

func writeLineage(w io.Writer, format string, l *lineage.Lineage, o reports.LineageOptions) error {
	switch format {
	case "json":
		return reports.JSON(w, l)
	case "ndjson", "csv":
		return reports.WriteCredentials(w, format, l)
	case "dot":
		return reports.LineageDOT(w, l, o)
	case "mermaid":
		return reports.LineageMermaid(w, l, o)
	}
	return reports.LineageTree(w, l, o)
}

func (a *app) traceCommand() *cobra.Command {
	var from traceFlags
	var explain string
	var full bool
	cmd := &cobra.Command{
		Use:   "trace KEY…",
		Short: "Find every credential and principal that descends from a key",
		Long: `Find every credential and principal that descends from a key, store them in the
case and print them as a tree. KEY is an access key id or a principal's ARN.

With --explain ID it tells instead by which events one credential or principal came
into the lineage: that of the KEYs, or without KEY the stored one.`,
		Args: func(cmd *cobra.Command, keys []string) error {
			if len(keys) == 0 && !cmd.Flags().Changed("explain") {
				return errors.New("no KEY: name an access key id or the ARN of a principal")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, keys []string) error {
			ctx := cmd.Context()
			if err := checkNames("KEY", keys); err != nil {
				return err
			}
			explained := cmd.Flags().Changed("explain")
			formats := traceFormats
			if explained {
				if explain == "" {
					return usagef("--explain is empty: name a credential or a principal of the lineage")
				}
				formats = []string{"table", "json"}
			}
			format, zone, err := a.show(formats...)
			if err != nil {
				return err
			}
			o, err := a.traceOptions(&from)
			if err != nil {
				return err
			}
			known, err := openDatabases(from.mmdb, false)
			if err != nil {
				return err
			}
			defer known.close()
			if o.ASNs = known.asns; known.countries != nil && known.asns == nil {
				return usagef("--mmdb %s: holds countries and no AS numbers, which trace asks for: give it to scan", from.mmdb[0])
			}
			mode, find := query.ReadWrite, func(c *query.Case) (*lineage.Lineage, error) { return lineage.Trace(ctx, c, keys, o) }
			if len(keys) == 0 {
				for _, name := range tracingFlags {
					if cmd.Flags().Changed(name) {
						return usagef("--%s changes what is traced: name the KEY too", name)
					}
				}
				mode, find = query.ReadOnly, func(c *query.Case) (*lineage.Lineage, error) { return lineage.Load(ctx, c) }
			}
			show := reports.LineageOptions{Zone: zone, Full: full}
			if a.output == "" {
				show.Columns = min(columns(a.stdout), 120)
			}
			return a.withCase(ctx, mode, func(c *query.Case) error {
				l, err := find(c)
				if err != nil {
					return err
				}
				a.sayIfUnused(l)
				if explained {
					x, err := lineage.Explain(ctx, c, l, explain)
					if err != nil {
						return err
					}
					return a.writeOutput(func(w io.Writer) error {
						if format == "json" {
							return reports.JSON(w, x)
						}
						return reports.WriteExplanation(w, x, l, show)
					})
				}
				return a.writeOutput(func(w io.Writer) error { return writeLineage(w, format, l, show) })
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.compromisedFlag(cmd.Flags())
	a.outputFlags(cmd.Flags(), traceFormats...)
	cmd.Flags().StringVar(&explain, "explain", "", "tell by which events `ID` came into the lineage: an access key id, a principal's or session's ARN, a principal id")
	cmd.Flags().BoolVar(&full, "full", false, "show everything: fold nothing that is alike, leave nothing out for length")
	from.add(cmd.Flags())
	return cmd
}

// traceFlags say how to trace.
type traceFlags struct {
	set              *pflag.FlagSet
	allUse           bool
	asOf             string
	trusted, hostile []string
	mmdb             []string
	awsRanges        string
}

func (t *traceFlags) add(f *pflag.FlagSet) {
	t.set = f
	f.BoolVar(&t.allUse, "all-use", false, "follow the owner's own use of the key too")
	f.StringVar(&t.asOf, "as-of", "", "`TIME` at which a credential counts as alive or not (default: the end of the logs)")
	f.StringSliceVar(&t.trusted, "trusted", nil, "`CIDR` or address whose use is the owner's; may be repeated, a list with commas, or a file with one a line")
	f.StringSliceVar(&t.hostile, "hostile", nil, "`CIDR` or address whose use is the intruder's; may be repeated, a list with commas, or a file with one a line")
	f.StringArrayVar(&t.mmdb, "mmdb", nil, "ASN database `FILE` in MaxMind's format (GeoLite2 ASN, DB-IP, IPinfo)")
	f.StringVar(&t.awsRanges, "aws-ip-ranges", "", "AWS's published ip-ranges.json: a `FILE`")
}

// traceOptions reads the flags, and the files that they name but the databases.
func (a *app) traceOptions(flags *traceFlags) (lineage.Options, error) {
	now := time.Now()
	var o lineage.Options
	var err error
	if err := refuseEmpty(flags.set, tracingFlags...); err != nil {
		return o, err
	}
	if o.CompromisedSince, err = parseTime("compromised-since", a.compromisedSince, now); err != nil {
		return o, err
	}
	if o.AsOf, err = parseTime("as-of", flags.asOf, now); err != nil {
		return o, err
	}
	o.AllUse = flags.allUse
	if o.Trusted, err = networks("--trusted", flags.trusted); err != nil {
		return o, err
	}
	if o.Hostile, err = networks("--hostile", flags.hostile); err != nil {
		return o, err
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
	return o, err
}
