package remediate

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// maxPages bounds an answer: a server that always names a next page ends a read.
const maxPages = 1000

// isRead says that an operation changes nothing.
func isRead(operation string) bool {
	for _, p := range []string{"Get", "List", "Describe", "Simulate", "BatchGet"} {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return operation == "GenerateCredentialReport"
}

// pageTokens are the members that say where a cut answer goes on, and the
// parameters that take them.
var pageTokens = [][2]string{
	{"NextToken", "NextToken"}, {"Marker", "Marker"}, {"NextMarker", "Marker"}, {"PaginationToken", "PaginationToken"},
	{"NextPageMarker", "Marker"}, {"Position", "Position"}, {"NextContinuationToken", "ContinuationToken"}, {"NextPageToken", "PageToken"},
	{"NextKeyMarker", "KeyMarker"}, {"NextVersionIdMarker", "VersionIdMarker"}, {"NextUploadIdMarker", "UploadIdMarker"},
	{"NextRecordName", "StartRecordName"}, {"NextRecordType", "StartRecordType"}, {"NextRecordIdentifier", "StartRecordIdentifier"},
}

// allPages adds what a cut answer left for later.
func allPages(ctx context.Context, op operation, parameters map[string]any, answer Answer) (Answer, error) {
	for pages := 1; ; pages++ {
		next := nextPage(op, parameters, answer.Result)
		if next == nil {
			return answer, nil
		}
		if pages == maxPages {
			return answer, fmt.Errorf("the answer has more than %d pages", maxPages)
		}
		more, err := op.invoke(ctx, next)
		if err != nil {
			return more, err
		}
		answer = joinPages(answer, more)
	}
}

// nextPage is the parameters for the next page, nil after the last.
func nextPage(op operation, parameters, result map[string]any) map[string]any {
	if truncated, says := result["IsTruncated"].(bool); says && !truncated {
		return nil
	}
	next := maps.Clone(parameters)
	if next == nil {
		next = map[string]any{}
	}
	found := false
	for _, t := range pageTokens {
		if value, _ := result[t[0]].(string); value != "" && op.has(t[1]) {
			next[t[1]], found = value, true
		}
	}
	if !found {
		return nil
	}
	return next
}

// joinPages appends the lists of a page to those before it.
func joinPages(a, b Answer) Answer {
	joined := Answer{Result: b.Result, Date: b.Date}
	for k, v := range a.Result {
		first, isList := v.([]any)
		if !isList {
			continue
		}
		second, _ := b.Result[k].([]any)
		joined.Result[k] = append(first, second...)
	}
	return joined
}
