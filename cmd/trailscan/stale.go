package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
)

// checkFresh refuses a plan that knows less than its case: what came since may
// be the intruder's.
func (a *app) checkFresh(ctx context.Context, plan *remediate.Plan, f planFlags) error {
	there, err := a.findCase(f.file, f.caseNamed)
	if err != nil || !there {
		return err
	}
	err = a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
		var newest sql.NullTime
		if err := c.DB.QueryRowContext(ctx, `SELECT max(event_time) FROM events`).Scan(&newest); err != nil {
			return fmt.Errorf("read the newest event: %w", err)
		}
		l, err := lineage.Load(ctx, c)
		if err != nil && !errors.Is(err, lineage.ErrNotTraced) {
			return err
		}
		if err == nil && !slices.ContainsFunc(plan.Keys, func(k string) bool { return slices.Contains(l.Keys, k) }) {
			return fmt.Errorf("the plan is about %s and the case %s about %s: name the plan's own case with --case",
				strings.Join(plan.Keys, ", "), a.caseFile, strings.Join(l.Keys, ", "))
		}
		if newest.Valid && newest.Time.After(plan.LogThrough) {
			return fmt.Errorf("the plan knows the log until %s and the case %s until %s: trace again and make the plan anew",
				plan.LogThrough.UTC().Format(time.RFC3339), a.caseFile, newest.Time.UTC().Format(time.RFC3339))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("refused: %w (--accept-stale applies it as it is)", err)
	}
	return nil
}

// findCase says whether there is a case to compare a plan with: the one that was
// named, or else the one beside the plan, or the default one.
func (a *app) findCase(plan string, named bool) (bool, error) {
	candidates := []string{a.caseFile}
	if !named && plan != "" {
		candidates = []string{filepath.Join(filepath.Dir(plan), "case.duckdb"), a.caseFile}
	}
	for _, path := range candidates {
		_, err := os.Stat(path)
		switch {
		case err == nil:
			a.caseFile = path
			return true, nil
		case !errors.Is(err, fs.ErrNotExist):
			return false, fmt.Errorf("open the case: %w", err)
		case named:
			return false, fmt.Errorf("case %s does not exist: name the plan's own case, or none", path)
		}
	}
	return false, nil
}
