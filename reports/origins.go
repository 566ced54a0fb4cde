package reports

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"trailscan/query"
)

// maxOrigins bounds the sources that are named of one finding.
const maxOrigins = 10

// Origin is a source that holds events of a finding, and the place of the first
// of them in it, from 0.
type Origin struct {
	URI    string
	Record int64
}

// Origins are the sources of the findings that a case holds, by the finding's
// id: of those that its event ids name, the first to come first.
type Origins map[string][]Origin

// LoadOrigins reads the sources of the findings that the case holds.
func LoadOrigins(ctx context.Context, c *query.Case) (Origins, error) {
	rows, err := c.DB.QueryContext(ctx, `
		SELECT found.id, s.uri, arg_min(e.record_index, (e.event_time, e.record_index))
		FROM (SELECT id, unnest(event_ids) AS event_id FROM findings) AS found
		JOIN events AS e ON e.event_id = found.event_id
		JOIN sources AS s ON s.source_id = e.source_id
		GROUP BY found.id, s.source_id, s.uri
		ORDER BY found.id, min(e.event_time), s.uri`)
	if err != nil {
		return nil, fmt.Errorf("find the sources of the findings of %s: %w", c.Path, err)
	}
	defer rows.Close()
	origins := Origins{}
	for rows.Next() {
		var id string
		var o Origin
		if err := rows.Scan(&id, &o.URI, &o.Record); err != nil {
			return nil, fmt.Errorf("find the sources of the findings of %s: %w", c.Path, err)
		}
		if len(origins[id]) < maxOrigins {
			origins[id] = append(origins[id], o)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find the sources of the findings of %s: %w", c.Path, err)
	}
	return origins, nil
}

// reference makes the name of a source, which is a path or a URI, a URI
// reference.
func reference(name string) string {
	if scheme, rest, ok := strings.Cut(name, "://"); ok && strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-") == "" {
		host, path, _ := strings.Cut(rest, "/")
		return (&url.URL{Scheme: scheme, Host: host, Path: "/" + path}).String()
	}
	u := url.URL{Path: name}
	if strings.HasPrefix(name, "/") {
		u.Scheme = "file"
	}
	return u.String()
}
