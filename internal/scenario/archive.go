package scenario

import (
	"bytes"
	"compress/gzip"
	"encoding/base32"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// File is one object of an archive.
type File struct {
	Path string // slash-separated, from AWSLogs/ on
	Data []byte // gzip of {"Records":[…]}
}

// delivery is how much time one file of the archive holds. CloudTrail delivers
// every five minutes or so; longer files keep the archive small.
const delivery = 8 * time.Hour

// Files packs the log as CloudTrail delivers it: a file a region and delivery,
// its events in order of time.
func (l *Log) Files() ([]File, error) {
	type slot struct {
		region string
		end    time.Time
	}
	slots := map[slot][][]byte{}
	for _, e := range l.Events {
		s := slot{e.Region, e.Time.Truncate(delivery).Add(delivery)}
		slots[s] = append(slots[s], e.JSON)
	}
	files := make([]File, 0, len(slots))
	for s, records := range slots {
		data, err := pack(records)
		if err != nil {
			return nil, err
		}
		name := objectPath(l.w.account, s.region, s.end, newDice(l.w.s.Seed, "file", s.region, stamp(s.end)))
		files = append(files, File{Path: name, Data: data})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// objectPath names a log file, see
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
func objectPath(account, region string, end time.Time, d dice) string {
	t := end.Add(time.Duration(d.between(1, 9)) * time.Minute)
	unique := base32.StdEncoding.EncodeToString(d.bytes(10))
	return fmt.Sprintf("AWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", account, region,
		t.Format("2006/01/02"), account, region, t.Format("20060102T1504Z"), unique)
}

// pack makes the content of a log file; its gzip header carries no time.
func pack(records [][]byte) ([]byte, error) {
	var buf bytes.Buffer
	zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	content := bytes.Join(records, []byte(","))
	for _, part := range [][]byte{[]byte(`{"Records":[`), content, []byte("]}")} {
		if _, err := zw.Write(part); err != nil {
			return nil, err
		}
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// WriteFiles writes files below dir, which it makes where it is missing.
func WriteFiles(dir string, files []File) error {
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
