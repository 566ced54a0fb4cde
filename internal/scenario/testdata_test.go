package scenario

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the archives and truths in testdata")

// TestTestdata proves that testdata holds what the generator makes.
func TestTestdata(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			want := map[string][]byte{}
			log := playNamed(t, name)
			files, err := log.Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				want[f.Path] = f.Data
			}
			truth, err := log.Truth()
			if err != nil {
				t.Fatal(err)
			}
			if want["truth.json"], err = truth.JSON(); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join("..", "..", "testdata", name)
			if *update {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				for path, data := range want {
					if err := WriteFiles(dir, []File{{path, data}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			compareTree(t, dir, want)
		})
	}
}

func compareTree(t *testing.T, dir string, want map[string][]byte) {
	t.Helper()
	size := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size += len(got)
		if expected, ok := want[rel]; !ok {
			t.Errorf("%s is on disk, but the generator does not make it", rel)
		} else if !bytes.Equal(got, expected) {
			t.Errorf("%s differs from what the generator makes (run with -update)", rel)
		}
		delete(want, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range want {
		t.Errorf("%s is missing on disk (run with -update)", path)
	}
	if limit := 3 << 20; size > limit {
		t.Errorf("%s holds %d bytes, more than %d", dir, size, limit)
	}
}

func playNamed(t *testing.T, name string) *Log {
	t.Helper()
	s, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.Play()
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// parsed are the parts of a record that tests look at.
type parsed struct {
	EventID            string          `json:"eventID"`
	EventTime          string          `json:"eventTime"`
	EventName          string          `json:"eventName"`
	EventSource        string          `json:"eventSource"`
	AWSRegion          string          `json:"awsRegion"`
	SourceIPAddress    string          `json:"sourceIPAddress"`
	UserAgent          string          `json:"userAgent"`
	ErrorCode          string          `json:"errorCode"`
	ReadOnly           bool            `json:"readOnly"`
	RecipientAccountID string          `json:"recipientAccountId"`
	SharedEventID      string          `json:"sharedEventID"`
	FromConsole        string          `json:"sessionCredentialFromConsole"`
	Identity           userIdentity    `json:"userIdentity"`
	Request            json.RawMessage `json:"requestParameters"`
	Response           struct {
		Credentials struct {
			AccessKeyID string `json:"accessKeyId"`
			Expiration  string `json:"expiration"`
		} `json:"credentials"`
		AccessKey struct {
			AccessKeyID string `json:"accessKeyId"`
		} `json:"accessKey"`
	} `json:"responseElements"`
}

func parse(t *testing.T, e *Event) parsed {
	t.Helper()
	var p parsed
	if err := json.Unmarshal(e.JSON, &p); err != nil {
		t.Fatalf("%s: %v", e.JSON, err)
	}
	return p
}

// records reads a log file back.
func records(t *testing.T, data []byte) []parsed {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ Records []parsed }
	if err := json.NewDecoder(zr).Decode(&content); err != nil {
		t.Fatal(err)
	}
	return content.Records
}
