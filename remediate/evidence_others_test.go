package remediate

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Of a busy API only the events about what the lineage changed are read.
func TestOthersAreReadByName(t *testing.T) {
	tag := func(instance string) object {
		return object{"resourcesSet": object{"items": []any{object{"resourceId": instance}}}, "tagSet": object{"items": []any{object{"key": "release", "value": "1"}}}}
	}
	made := func(id string) object { return object{"snapshotId": id} }
	c, l := story{calls: []call{
		{at: -3 * time.Hour, api: "ec2:CreateTags", rq: tag("i-0aaaaaaaaaaaaaaa1")},
		{at: -2 * time.Hour, api: "ec2:CreateTags", rq: tag("i-0bbbbbbbbbbbbbbb2")},
		{at: -1 * time.Hour, api: "ec2:CreateSnapshot", rs: made("snap-1")}, // nothing before tells of a new one
		{at: -1 * time.Hour, api: "iam:DeleteUser", rq: object{"userName": "any"}},
		{by: leaked, at: 1 * time.Minute, api: "ec2:CreateTags", rq: tag("i-0aaaaaaaaaaaaaaa1")},
		{by: leaked, at: 2 * time.Minute, api: "ec2:CreateSnapshot", rs: made("snap-1")},
		{by: leaked, at: 3 * time.Minute, api: "guardduty:DeleteDetector", rq: object{"detectorId": "d1"}}, // too short a name
		{at: 3 * time.Hour, api: "ec2:DeleteSnapshot", rq: object{"snapshotId": "snap-2"}},
		{at: 3 * time.Hour, api: "ec2:DeleteSnapshot", rq: object{"snapshotId": "snap-1"}},
		{at: 3 * time.Hour, api: "ec2:DeleteTags", rq: tag("i-0aaaaaaaaaaaaaaa1")},
		{at: 3 * time.Hour, api: "ec2:DeleteTags", rq: tag("i-0bbbbbbbbbbbbbbb2")},
		{at: 4 * time.Hour, api: "guardduty:CreateDetector", rs: object{"detectorId": "another"}},
	}}.open(t)
	ev, err := loadEvidence(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range ev.others {
		got = append(got, e.id)
	}
	if want := []string{"event-000", "event-003", "event-008", "event-009", "event-011"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestNamesAreFoundInJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`arn:aws:[a-z]{2}:[a-z/."<&\\ é]{0,9}`)).Draw(t, "name")
		var plain bytes.Buffer
		plainly := json.NewEncoder(&plain)
		plainly.SetEscapeHTML(false)
		if err := plainly.Encode(object{"x": name}); err != nil {
			t.Fatal(err)
		}
		escaped, err := json.Marshal(object{"x": name})
		if err != nil {
			t.Fatal(err)
		}
		pattern := regexp.MustCompile(nameSet{name: true, "other": true}.pattern())
		for _, text := range [][]byte{plain.Bytes(), escaped, []byte(asciiJSON(name)), bytes.ReplaceAll(escaped, []byte("/"), []byte(`\/`))} {
			if !pattern.Match(text) {
				t.Fatalf("%s is not in %s", pattern, text)
			}
		}
	})
}
