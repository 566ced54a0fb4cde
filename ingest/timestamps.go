package ingest

import (
	"strconv"
	"strings"
	"time"
)

// eventTimeLen is the length of the form in which CloudTrail writes times.
const eventTimeLen = len("2006-01-02T15:04:05Z")

// timeLayouts are the spellings of times seen in records and in what exporters
// make of them. A fraction of the second is accepted after each (package time
// does so), and none of them has a zone that is not UTC unless it says so.
var timeLayouts = []string{
	time.RFC3339,
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00",
	"20060102T150405Z07:00",
	"2006-01-02T15:04:05-0700",
	"2006-01-02 15:04:05-0700",
	"2006-01-02 15:04:05 -0700 MST",
	"2006-01-02 15:04:05 MST",
	// responseElements.credentials.expiration as STS and IAM write it.
	"Jan 2, 2006, 3:04:05 PM",
	"Jan 2, 2006 3:04:05 PM",
	"Jan 2, 2006, 3:04:05 PM MST",
	"Mon Jan 2 15:04:05 MST 2006",
	time.RFC1123,
}

// parseTime reads a time in any spelling that records use. exact says that
// the text is the one that the time, to the second and in UTC, is written as.
func parseTime(s string) (t time.Time, exact, ok bool) {
	if t, ok := parseEventTime(s); ok {
		return t, true, true
	}
	s = strings.Map(func(r rune) rune {
		// Java since 20 puts a narrow no-break space before AM and PM (CLDR 42).
		if r == '\u202f' || r == '\u00a0' {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		// Package time takes any letters for a zone, and those it does not know for
		// UTC: https://pkg.go.dev/time#Parse
		if zone, offset := t.Zone(); offset == 0 && zone != "" && zone != "UTC" && zone != "GMT" {
			return time.Time{}, false, false
		}
		return inRange(t)
	}
	if t, ok := parseEpoch(s); ok {
		return inRange(t)
	}
	return time.Time{}, false, false
}

// inRange refuses years that the case's TIMESTAMP and RFC 3339 do not share.
func inRange(t time.Time) (time.Time, bool, bool) {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false, false
	}
	return t, false, true
}

// parseEventTime reads the form of CloudTrail and no other, for speed and to
// know that the text can be had back from the time.
func parseEventTime(s string) (time.Time, bool) {
	if len(s) != eventTimeLen || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return time.Time{}, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 31 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day
}

// digits is the value of a string of decimal digits, or -1.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// parseEpoch reads seconds since 1970, with or without a fraction, or
// milliseconds: what would be later than the year 5138 in seconds is the latter.
func parseEpoch(s string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || seconds < 1e8 || seconds >= 1e14 {
		return time.Time{}, false
	}
	if seconds >= 1e11 {
		return time.UnixMicro(int64(seconds * 1e3)), true
	}
	return time.UnixMicro(int64(seconds * 1e6)), true
}

// appendEventTime writes a time as CloudTrail does.
func appendEventTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05Z")
}
