package ingest

import (
	"strings"
	"time"
)

// eventTimeText is a time in the spelling of CloudTrail, with a fraction of the
// second where there is one. Text that is no time is kept, so that the record is
// rejected with it. monthFirst says how to read 3/4/2026.
func eventTimeText(text string, monthFirst bool) string {
	t, exact, ok := parseTime(text)
	if !ok {
		t, ok = parseDownloadedTime(text, monthFirst)
	}
	if !ok || exact {
		return text
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// downloadedLayouts are the spellings of times in what people download from
// consoles and save from spreadsheets, without the comma behind the date. None
// has a zone: all are taken for UTC. A fraction of the second is accepted.
var downloadedLayouts = []string{
	"2006-01-02 3:04:05 PM", // CloudTrail's Event history of 2020, Microsoft Sentinel in American English
	"2006-01-02 3:04:05 pm", //
	"2006-01-02 3:04 PM",    // spreadsheets
	"2006-01-02 15:04:05",   // Microsoft Sentinel
	"2006-01-02 15:04",      // spreadsheets
	"2006-01-02",            //
	"January 2 2006 15:04:05",
	"January 2 2006 3:04:05 PM",
	"Jan 2 2006 @ 15:04:05", // Kibana
	"2 Jan 2006 15:04:05",
}

// parseDownloadedTime reads such a time.
func parseDownloadedTime(text string, monthFirst bool) (time.Time, bool) {
	text = strings.Map(func(r rune) rune {
		if r == '\u202f' || r == '\u00a0' {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
	for _, zone := range []string{" (UTC)", " UTC"} {
		text = strings.TrimSuffix(text, zone)
	}
	first, second, year, rest, ok := slashDate(text)
	if ok {
		if monthFirst && first <= 12 || second > 12 {
			first, second = second, first
		}
		text = time.Date(year, time.Month(second), first, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) + rest
	}
	text = strings.Replace(text, ",", "", -1)
	for _, layout := range downloadedLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.Year() >= 1
		}
	}
	return time.Time{}, false
}

// slashDate splits a date with the year behind day and month, 21/04/2025 or
// 21.04.2025, from what follows it.
func slashDate(text string) (first, second, year int, rest string, ok bool) {
	end := strings.IndexAny(text, ", ")
	if end < 0 {
		end = len(text)
	}
	separator := "/"
	if strings.Count(text[:end], separator) != 2 {
		separator = "."
	}
	parts := strings.Split(text[:end], separator)
	if len(parts) != 3 || len(parts[0]) > 2 || len(parts[1]) > 2 || len(parts[2]) != 4 {
		return 0, 0, 0, "", false
	}
	first, second, year = digits(parts[0]), digits(parts[1]), digits(parts[2])
	ok = first >= 1 && first <= 31 && second >= 1 && second <= 31 && (first <= 12 || second <= 12) && year >= 1
	return first, second, year, text[end:], ok
}

// monthIsFirst looks at times for whether the month stands before the day in
// them. Where all could be either, the clock of twelve hours speaks for the
// American order.
func monthIsFirst(times []string) bool {
	american := false
	for _, text := range times {
		first, second, _, rest, ok := slashDate(strings.TrimSpace(text))
		switch {
		case !ok:
		case first > 12:
			return false
		case second > 12:
			return true
		case strings.HasSuffix(rest, "AM"), strings.HasSuffix(rest, "PM"):
			american = true
		}
	}
	return american
}
