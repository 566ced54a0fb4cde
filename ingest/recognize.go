package ingest

import "bytes"

// containers are the arrays, by their names in the objects around records, whose
// elements are handed on one at a time, and the forms that they tell of. No
// record has a member of such a name.
var containers = map[string]string{
	"Records":         formatRecords,
	"Events":          formatLookupEvents,
	"logEvents":       formatCloudWatch,
	"events":          "",
	"hits":            formatElastic,
	"results":         formatSplunk,
	"messages":        formatSumo,
	"result":          formatLoki,
	"data":            "",
	"QueryResultRows": formatLake,
	"Rows":            formatAthena,
}

// inContainers are the objects in which such arrays stand one level deeper.
var inContainers = map[string]bool{"hits": true, "data": true, "ResultSet": true, "rawResponse": true}

// isDigest says whether an object is a digest file.
func isDigest(object []byte) bool {
	digest := false
	for o := newObject(object); ; {
		name, _, ok := o.next()
		if !ok {
			return digest
		}
		switch plainName(name) {
		case "digestStartTime", "digestS3Object":
			digest = true
		case "eventName", "eventSource":
			return false
		}
	}
}

// startsRecord says whether b begins with an object whose first member is one
// that records have, and the objects that records are wrapped in do not.
func startsRecord(b []byte) bool {
	if bytes.HasPrefix(b, usualStart) {
		return true
	}
	name := firstName(b)
	_, known := memberIndex[string(name)]
	return known && string(name) != "resources"
}

// usualStart is how CloudTrail itself begins records.
var usualStart = []byte(`{"eventVersion":`)

// startsRecords says whether b begins with the object around records.
func startsRecords(b []byte) bool { return string(firstName(b)) == "Records" }

// firstName is the name of the first member of the object that b begins with, as
// it is spelt, or nil.
func firstName(b []byte) []byte {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil
	}
	i = skipSpace(b, i+1)
	if i >= len(b) || b[i] != '"' {
		return nil
	}
	end := bytes.IndexByte(b[i+1:], '"')
	if end < 0 {
		return nil
	}
	name := b[i+1 : i+1+end]
	if i = skipSpace(b, i+1+end+1); i >= len(b) || b[i] != ':' {
		return nil
	}
	return name
}
