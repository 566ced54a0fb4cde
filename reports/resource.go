package reports

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Bounds of what is said of one event's resource.
const (
	resourceParts  = 3
	resourceLength = 300 // runes
)

// eventResource says what an event acted on: the resource that the record
// names, else the request's parameters that name something, in their order.
// Both are compact JSON or empty.
func eventResource(resources, parameters string) string {
	var named []struct {
		ARN string `json:"ARN"`
	}
	if resources != "" && json.Unmarshal([]byte(resources), &named) == nil {
		best, n := "", 0
		for _, r := range named {
			if r.ARN == "" {
				continue
			}
			n++
			// An object's ARN is longer than that of its bucket.
			if len(r.ARN) > len(best) {
				best = r.ARN
			}
		}
		if n > 2 {
			return clipMiddle(best, resourceLength) + " and " + strconv.Itoa(n-1) + " more"
		}
		if best != "" {
			return clipMiddle(best, resourceLength)
		}
	}
	var parts []string
	if parameters != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(parameters)))
		tellingValues(d, "", 0, &parts)
	}
	return clipMiddle(strings.Join(parts, ", "), resourceLength)
}

// tellingValues collects the texts of a JSON value whose member's name says
// that they name something, in document order, and tells whether to go on.
func tellingValues(d *json.Decoder, name string, depth int, parts *[]string) bool {
	t, err := d.Token()
	if err != nil || depth > 8 {
		return false
	}
	switch t := t.(type) {
	case json.Delim:
		for d.More() {
			member := name
			if t == '{' {
				key, err := d.Token()
				if err != nil {
					return false
				}
				member, _ = key.(string)
			}
			if !tellingValues(d, member, depth+1, parts) {
				return false
			}
		}
		_, err := d.Token()
		return err == nil
	case string:
		if t != "" && naming(name) {
			*parts = append(*parts, t)
		}
	}
	return len(*parts) < resourceParts
}

// naming tells whether a parameter of this name names a resource. Names of
// secrets and of the request itself do not.
func naming(name string) bool {
	n := strings.ToLower(name)
	for _, no := range []string{"token", "password", "secretaccesskey", "secretstring", "requestid", "idempot"} {
		if strings.Contains(n, no) {
			return false
		}
	}
	n = strings.TrimSuffix(n, "s")
	for _, end := range []string{"arn", "name", "id", "identifier", "url", "bucket", "key", "function", "table", "resource", "target", "trail", "domain", "identity"} {
		if strings.HasSuffix(n, end) {
			return true
		}
	}
	return false
}

// shortSource is the service of an event source, "iam" of "iam.amazonaws.com".
func shortSource(source string) string {
	return strings.TrimSuffix(source, ".amazonaws.com")
}

// shortARN is what tells an ARN apart within an account: its last part.
func shortARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" {
		return parts[5]
	}
	return arn
}
