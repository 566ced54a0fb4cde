package ingest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// CloudTrail's kinds of files, as folders and file names spell them. Whatever
// else begins with CloudTrail holds events too: CloudTrail-Insight,
// CloudTrail-NetworkActivity.
const (
	logKind        = "CloudTrail"
	digestFileKind = logKind + "-Digest"
)

// pathLevel is how far into the layout of a trail's bucket a folder lies:
//
//	[prefix/]AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/yyyy/mm/dd/
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
type pathLevel int

const (
	levelOutside pathLevel = iota // above AWSLogs, or another layout
	levelLogs                     // AWSLogs/ or AWSLogs/o-…/
	levelAccount
	levelKind
	levelRegion
	levelYear
	levelMonth
	levelDay
)

// logPath is what an S3 key, or the path of a copy, says of the logs there. What
// it does not say, or where folder and file name differ, is empty.
type logPath struct {
	level    pathLevel
	astray   bool // folders follow that the layout does not have
	account  string
	kind     string // a folder of an account: CloudTrail…, or another service
	region   string
	from, to time.Time // when what lies there was delivered
}

// isCloudTrail says that p may hold events or digests of CloudTrail.
func (p *logPath) isCloudTrail() bool {
	return p.kind == "" || p.kind == logKind || strings.HasPrefix(p.kind, logKind+"-")
}

var (
	orgFolder  = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	kindFolder = regexp.MustCompile(`^CloudTrail(-[A-Za-z]+)*$`)
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
	logFileName = regexp.MustCompile(`^([0-9]{12})_(CloudTrail(?:-[A-Za-z]+)*)_([a-z0-9-]+)_(?:.+_)?([0-9]{8}T[0-9]{4})(?:[0-9]{2})?Z`)
)

// parseLogPath reads a key or path with slashes; that of a folder ends in one.
func parseLogPath(path string) logPath {
	dirs := strings.Split(path, "/")
	name := dirs[len(dirs)-1]
	dirs = dirs[:len(dirs)-1]
	var p logPath
	p.folders(dirs)
	p.name(name)
	return p
}

// folders reads the folders of a path, from AWSLogs on or, in a copy of what
// lies below that, from the folder CloudTrail.
func (p *logPath) folders(dirs []string) {
	rest := dirs
	at := lastIndex(dirs, func(i int) bool { return dirs[i] == "AWSLogs" })
	if at >= 0 {
		p.level, rest = levelLogs, dirs[at+1:]
		if len(rest) > 0 && orgFolder.MatchString(rest[0]) {
			rest = rest[1:]
		}
	} else {
		at = lastIndex(dirs, func(i int) bool {
			return kindFolder.MatchString(dirs[i]) && (i > 0 && IsAccountID(dirs[i-1]) || i+1 < len(dirs) && regionShape.MatchString(dirs[i+1]))
		})
		if at < 0 {
			return
		}
		p.level, rest = levelAccount, dirs[at:]
		if at > 0 && IsAccountID(dirs[at-1]) {
			p.account = dirs[at-1]
		}
	}
	for _, dir := range rest {
		if !p.enter(dir) {
			p.astray = true
			return
		}
		p.level++
	}
}

func lastIndex(dirs []string, is func(i int) bool) int {
	for i := len(dirs) - 1; i >= 0; i-- {
		if is(i) {
			return i
		}
	}
	return -1
}

// enter goes one folder deeper, if the layout has that.
func (p *logPath) enter(dir string) bool {
	switch p.level {
	case levelLogs:
		p.account = dir
		if !IsAccountID(dir) {
			p.account = ""
			return false
		}
	case levelAccount:
		p.kind = dir
		return dir != ""
	case levelKind:
		if !p.isCloudTrail() || !regionShape.MatchString(dir) {
			return false
		}
		p.region = dir
	case levelRegion:
		year, err := strconv.Atoi(dir)
		if err != nil || len(dir) != 4 || !isDigits(dir) {
			return false
		}
		p.from = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		p.to = p.from.AddDate(1, 0, 0)
	case levelYear, levelMonth:
		layout := "2006/01"
		base := p.from.Format("2006")
		if p.level == levelMonth {
			layout, base = "2006/01/02", p.from.Format("2006/01")
		}
		t, err := time.Parse(layout, base+"/"+dir)
		if err != nil {
			return false
		}
		p.from, p.to = t, t.AddDate(0, 1, 0)
		if p.level == levelMonth {
			p.to = t.AddDate(0, 0, 1)
		}
	default:
		return false
	}
	return true
}

// name reads the name of a file. Where it and the folders differ, neither is
// believed.
func (p *logPath) name(name string) {
	m := logFileName.FindStringSubmatch(name)
	if m == nil {
		return
	}
	agree := func(folder *string, says string) {
		switch *folder {
		case "":
			*folder = says
		case says:
		default:
			*folder = ""
		}
	}
	agree(&p.account, m[1])
	agree(&p.region, m[3])
	if p.kind != "" && !p.isCloudTrail() {
		return
	}
	p.kind = m[2]
	t, err := time.Parse("20060102T1504", m[4])
	switch {
	case err != nil:
	case p.from.IsZero() || !t.Before(p.from) && t.Before(p.to):
		p.from, p.to = t, t.Add(time.Minute)
	default:
		p.from, p.to = time.Time{}, time.Time{}
	}
}
