package remediate

import (
	"reflect"
	"testing"
	"time"
)

// TestTrailGoesBackToWhatItWas shows that a trail gets all the settings that the
// log shows, and the newest selectors whatever their kind.
func TestTrailGoesBackToWhatItWas(t *testing.T) {
	settings := object{"name": "main", "s3BucketName": "logs", "isMultiRegionTrail": true, "includeGlobalServiceEvents": true,
		"logFileValidationEnabled": true, "kmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k", "cloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:t:*"}
	p := story{calls: []call{
		{at: -9 * time.Hour, api: "cloudtrail:CreateTrail", rq: object{"name": "main", "s3BucketName": "logs"}, rs: settings},
		{at: -8 * time.Hour, api: "cloudtrail:PutEventSelectors", rq: object{"trailName": "main", "eventSelectors": []any{object{"readWriteType": "All"}}}},
		{at: -7 * time.Hour, api: "cloudtrail:PutEventSelectors", rq: object{"trailName": "main", "advancedEventSelectors": []any{object{"name": "n", "fieldSelectors": []any{object{"field": "eventCategory", "equals": []any{"Management"}}}}}}},
		{by: leaked, api: "cloudtrail:PutEventSelectors", rq: object{"trailName": "main", "eventSelectors": []any{object{"readWriteType": "WriteOnly"}}}},
		{by: leaked, at: time.Minute, api: "cloudtrail:UpdateTrail", rq: object{"name": "main", "s3BucketName": "evil"}},
		{by: leaked, at: 2 * time.Minute, api: "cloudtrail:DeleteTrail", rq: object{"name": "other"}},
	}}.plan(t)
	selectors := find(p, Preserve, "cloudtrail:PutEventSelectors")
	want := object{"TrailName": "main", "AdvancedEventSelectors": []any{object{"Name": "n", "FieldSelectors": []any{object{"Field": "eventCategory", "Equals": []any{"Management"}}}}}}
	if len(selectors) != 1 || selectors[0].Mode != Auto || !reflect.DeepEqual(selectors[0].Parameters, want) {
		t.Errorf("selectors: %+v", selectors)
	}
	trail := find(p, Preserve, "cloudtrail:UpdateTrail")
	want = object{"Name": "main", "S3BucketName": "logs", "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true, "EnableLogFileValidation": true,
		"KmsKeyId": settings["kmsKeyId"], "CloudWatchLogsLogGroupArn": settings["cloudWatchLogsLogGroupArn"]}
	if len(trail) != 1 || trail[0].Mode != Auto || !reflect.DeepEqual(trail[0].Parameters, want) {
		t.Errorf("trail: %+v", trail)
	}
}
