package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/config"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	"github.com/spf13/cobra"

	"trailscan/ingest"
	"trailscan/query"
	"trailscan/reports"
)

// verifyFlags are those that verify has for itself.
type verifyFlags struct {
	sourceFlags
	publicKeys []string
	all        bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify SOURCE…",
		Short: "Check logs against CloudTrail's signed digests",
		Long: `Check CloudTrail logs against the digest files that CloudTrail signs every hour.
A SOURCE is a file, a folder (walked) or s3://BUCKET/PREFIX with logs and
digests, from any depth of the bucket.

Every file is valid, altered, missing, unlisted (no digest lists it) or not
covered (no digest that can be checked speaks for it); spans without digests are
named. The exit status is 1 when anything is altered or missing, or cannot be
checked.

The signature of a digest is metadata of its S3 object, which a local copy lacks;
the digest after it repeats it. The newest digest of a copy and its logs are valid
by their hashes alone, and are said to be unsigned. To prove them too, save the
metadata: aws s3api head-object --bucket … --key KEY > FILE.metadata.json

Verdicts are kept in the case when there is one.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, sources []string) error {
			_, fromEnv := os.LookupEnv("TRAILSCAN_CASE")
			return a.verify(cmd.Context(), sources, f, fromEnv || cmd.Flags().Changed("case"))
		},
	}
	flags := cmd.Flags()
	a.caseFlags(flags)
	a.progressFlags(flags)
	a.outputFlags(flags, "table", "json", "ndjson", "csv")
	flags.StringVar(&a.since, "since", "", "only digests and logs from this `TIME` on: RFC 3339, a date, or an age such as 30d")
	flags.StringVar(&a.until, "until", "", "only digests and logs before this `TIME`")
	flags.StringArrayVar(&f.publicKeys, "public-keys", nil, "`FILE` with the output of aws cloudtrail list-public-keys; may be repeated (default: ask CloudTrail)")
	f.add(flags)
	flags.BoolVar(&f.all, "all", false, "the table shows valid files too")
	return cmd
}

func (a *app) verify(ctx context.Context, sources []string, f verifyFlags, caseNamed bool) error {
	format, err := a.outputFormat("table", "json", "ndjson", "csv")
	if err != nil {
		return err
	}
	zone, err := a.location()
	if err != nil {
		return err
	}
	o := ingest.VerifyOptions{Threads: a.threads}
	if o.Threads < 0 {
		return usagef("--threads %d: must be at least 1", a.threads)
	}
	if o.Since, o.Until, err = a.timeRange(); err != nil {
		return err
	}
	load, err := f.options()
	if err != nil {
		return err
	}
	load.Filter.Since, load.Filter.Until = o.Since, o.Until
	if err := checkSources(sources); err != nil {
		return err
	}
	for _, s := range sources {
		switch {
		case s == "-", s == ingest.LookupEvents:
			return usagef("verify %s: name a file, a folder or s3://BUCKET/PREFIX with logs and digests", s)
		case strings.HasPrefix(s, "s3://") && o.Threads == 0:
			o.Threads = ingest.ObjectsInFlight
		}
	}
	_, err = os.Stat(a.caseFile)
	keep := err == nil
	if !keep && caseNamed {
		return fmt.Errorf("case %s does not exist: load logs into it with `trailscan ingest` first, or leave --case out: %w", a.caseFile, err)
	}
	keys, err := f.keySource(ctx)
	if err != nil {
		return err
	}
	store, err := ingest.Files(ctx, sources, a.caseFile, load)
	if err != nil {
		return err
	}
	v, err := a.runVerify(ctx, store, keys, o)
	if err != nil {
		return err
	}
	if err := a.writeOutput(func(w io.Writer) error { return reports.WriteVerification(w, format, v, f.all, zone) }); err != nil {
		return err
	}
	if keep {
		if err := a.keepVerdicts(ctx, v); err != nil {
			return errors.Join(a.verified(v, sources), err)
		}
	}
	return a.verified(v, sources)
}

// runVerify verifies, showing progress.
func (a *app) runVerify(ctx context.Context, store ingest.ObjectStore, keys ingest.KeySource, o ingest.VerifyOptions) (*ingest.Verification, error) {
	if !a.quiet && !a.noProgress && isTerminal(a.stderr) {
		o.Progress = func(p ingest.Progress) {
			fmt.Fprintf(a.stderr, "\r\x1b[K%d/%d files  %d/%d MB", p.FilesDone, p.FilesTotal, p.BytesDone>>20, p.BytesTotal>>20)
		}
		defer fmt.Fprint(a.stderr, "\r\x1b[K")
	}
	return ingest.Verify(ctx, store, keys, o)
}

// keySource is where the public keys come from: files, or CloudTrail.
func (f verifyFlags) keySource(ctx context.Context) (ingest.KeySource, error) {
	if len(f.publicKeys) > 0 {
		return ingest.ReadPublicKeys(f.publicKeys...)
	}
	load := []func(*config.LoadOptions) error{
		config.WithAPIOptions([]func(*smithymiddleware.Stack) error{middleware.AddUserAgentKeyValue("trailscan", version)}),
		config.WithSharedConfigProfile(f.aws.Profile),
	}
	if f.aws.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(f.aws.Endpoint))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration to ask for public keys (or name a file with --public-keys): %w", err)
	}
	return ingest.ListPublicKeys(c), nil
}

func (a *app) keepVerdicts(ctx context.Context, v *ingest.Verification) error {
	return a.withCase(ctx, query.ReadWrite, func(c *query.Case) error {
		kept, err := ingest.KeepVerdicts(ctx, c, v)
		if err != nil {
			return err
		}
		a.say("trailscan: sources of %s with a verdict: %d", c.Path, kept.Sources)
		if kept.Changed > 0 {
			a.say("trailscan: warning: files that are not what was loaded from them: %d; their sources get no verdict", kept.Changed)
		}
		return nil
	})
}

// verified is the error of files that are not as CloudTrail delivered them, or
// that could not be held against anything.
func (a *app) verified(v *ingest.Verification, sources []string) error {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if bad := v.Bad(); bad > 0 {
		altered, missing := v.Digests[ingest.Altered]+v.Logs[ingest.Altered], v.Digests[ingest.Missing]+v.Logs[ingest.Missing]
		add("not as CloudTrail delivered them: %d altered, %d missing", altered, missing)
	}
	if len(v.NoKeys) > 0 {
		add("public keys are not on hand: %s: save them for the time of the digests with `aws cloudtrail list-public-keys --region … --start-time … --end-time …`",
			reports.Terminal(strings.Join(v.NoKeys[:min(len(v.NoKeys), maxWarnings)], ", ")))
	}
	if n := len(v.Problems); n > 0 {
		for i, p := range v.Problems {
			if i == maxWarnings {
				a.say("trailscan: warning: %d more", n-i)
				break
			}
			a.say("trailscan: warning: %s", reports.Terminal(p.URI+": "+p.Reason))
		}
		add("files that could not be read: %d", n)
	}
	switch named := strings.Join(sources, ", "); {
	case len(v.Files) == 0 && len(v.Problems) == 0 && (a.since != "" || a.until != ""):
		add("%s: no digest and no log of this span", named)
	case len(v.Files) == 0 && len(v.Problems) == 0:
		add("%s: neither digests nor logs as CloudTrail delivers them: name the folder or bucket that holds both, and unpack archives first", named)
	case len(v.Chains) == 0 && v.Digests[ingest.Altered] == 0:
		add("%s: no digest: nothing can be verified without AWSLogs/…/CloudTrail-Digest", named)
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}
