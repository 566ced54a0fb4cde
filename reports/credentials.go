package reports

import (
	"io"
	"strconv"
	"strings"
	"time"

	"trailscan/lineage"
)

// WriteCredentials writes the credentials of a lineage as ndjson or csv, one a
// line, with the columns of the table credentials.
func WriteCredentials(w io.Writer, format string, l *lineage.Lineage) error {
	type credential = lineage.Credential
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return stamp(*t)
	}
	return encodeAll(w, format, sheet[credential]{csv: []column[credential]{
		{"id", 0, func(c credential) string { return c.ID }},
		{"access_key_ids", 0, func(c credential) string { return strings.Join(c.AccessKeyIDs, " ") }},
		{"kind", 0, func(c credential) string { return string(c.Kind) }},
		{"principal_id", 0, func(c credential) string { return c.PrincipalID }},
		{"principal_arn", 0, func(c credential) string { return c.PrincipalARN }},
		{"account_id", 0, func(c credential) string { return c.AccountID }},
		{"session_name", 0, func(c credential) string { return c.SessionName }},
		{"source_identity", 0, func(c credential) string { return c.SourceIdentity }},
		{"parent", 0, func(c credential) string {
			if c.Parent == nil {
				return ""
			}
			return *c.Parent
		}},
		{"via", 0, func(c credential) string { return c.Via }},
		{"issued_event_id", 0, func(c credential) string { return c.IssuedEventID }},
		{"issued_at", 0, func(c credential) string { return at(c.IssuedAt) }},
		{"expires_at", 0, func(c credential) string { return at(c.ExpiresAt) }},
		{"expires_derived", 0, func(c credential) string { return strconv.FormatBool(c.ExpiresDerived) }},
		{"first_used", 0, func(c credential) string { return at(c.FirstUsed) }},
		{"last_used", 0, func(c credential) string { return at(c.LastUsed) }},
		{"event_count", 0, func(c credential) string { return strconv.FormatInt(c.EventCount, 10) }},
		{"uses", 0, func(c credential) string {
			text, err := marshal(c.Uses)
			if err != nil { // times that no calendar has
				return ""
			}
			return string(text)
		}},
		{"certainty", 0, func(c credential) string { return string(c.Certainty) }},
		{"why", 0, func(c credential) string { return c.Why }},
		{"live_at_end", 0, func(c credential) string { return strconv.FormatBool(c.LiveAtEnd) }},
		{"valid_for_seconds", 0, func(c credential) string {
			if c.ValidForSeconds == nil {
				return ""
			}
			return strconv.FormatInt(*c.ValidForSeconds, 10)
		}},
		{"survives_key_disable", 0, func(c credential) string { return strconv.FormatBool(c.SurvivesKeyDisable) }},
		{"survives_user_delete", 0, func(c credential) string { return strconv.FormatBool(c.SurvivesUserDelete) }},
		{"ended_by", 0, func(c credential) string { return c.EndedBy }},
		{"ended_at", 0, func(c credential) string { return at(c.EndedAt) }},
		{"ended_via", 0, func(c credential) string { return c.EndedVia }},
		{"ended_event_id", 0, func(c credential) string { return c.EndedEventID }},
		{"ended_why", 0, func(c credential) string { return c.EndedWhy }},
	}}, l.Credentials)
}
