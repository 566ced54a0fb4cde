package ingest

import (
	"bytes"
	"slices"
)

// pantherName is how the names of the members begin that Panther adds.
var pantherName = []byte(`"p_`)

// derivedIDMember is a member that stands for the event id that trailscan derived
// from a record without one. A Parquet export keeps the id beside the columns,
// which do not say in which order the record had its members.
const derivedIDMember = "@trailscan.event_id"

// shed takes from a record what an exporter added beside its members: Panther's
// own, which are the wrapper's, and trailscan's. Of Logstash's codec for
// CloudTrail, which moves eventTime to @timestamp, it takes that back.
func (f *flattener) shed() {
	var when []byte
	hasTime, panther := false, false
	for _, m := range f.members {
		switch name := plainName(m.name); {
		case name == "@timestamp":
			when = m.value
		case name == "eventTime":
			hasTime = true
		case slices.Contains(pantherMembers, name):
			panther = panther || m.value[0] != 'n'
		}
	}
	if panther {
		f.members = slices.DeleteFunc(f.members, func(m span) bool { return bytes.HasPrefix(m.name, pantherName) })
	}
	f.members = slices.DeleteFunc(f.members, func(m span) bool {
		if plainName(m.name) != derivedIDMember || m.value[0] != '"' {
			return false
		}
		if id := unquote(m.value); isContentID(id) {
			f.derived = id
		}
		return f.derived != nil
	})
	if hasTime || when == nil {
		return
	}
	// CloudTrail's times have no fractions of a second, Logstash's have them all.
	if t, _, ok := parseTime(string(f.scalar(when))); ok {
		value := append(appendEventTime([]byte{'"'}, t), '"')
		f.members = append(f.members, span{name: []byte(`"eventTime"`), value: value, index: memberIndex["eventTime"]})
	}
}
