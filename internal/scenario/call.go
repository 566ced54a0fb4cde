package scenario

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
)

// Call is what the catalogue knows of an API call. A step may say all of it
// itself, so that a call need not be in the catalogue.
type Call struct {
	Request   json.RawMessage `json:"request,omitempty"`
	Response  json.RawMessage `json:"response,omitempty"`
	Extra     json.RawMessage `json:"extra,omitempty"`     // additionalEventData
	Resources json.RawMessage `json:"resources,omitempty"` // array of {ARN, accountId, type}
	Write     *bool           `json:"write,omitempty"`     // where the operation's name misleads
	Action    string          `json:"action,omitempty"`    // IAM action, where it is not service:Operation
	Grants    string          `json:"grants,omitempty"`    // kind of the credential that it hands out
	Creates   string          `json:"creates,omitempty"`   // "user" or "role": named by userName or roleName
	Type      string          `json:"type,omitempty"`      // eventType, AwsApiCall if empty
	API       string          `json:"api,omitempty"`       // apiVersion
	Shared    bool            `json:"shared,omitempty"`    // carries a sharedEventID
	Keyless   bool            `json:"keyless,omitempty"`   // its caller's identity shows no access key
	Quiet     bool            `json:"quiet,omitempty"`     // carries no requestID
}

//go:embed calls.json
var callsJSON []byte

// catalogue returns the built-in calls with those of a scenario laid over them.
func catalogue(more map[string]Call) (map[string]Call, error) {
	calls := map[string]Call{}
	if err := json.Unmarshal(callsJSON, &calls); err != nil {
		return nil, fmt.Errorf("read calls.json: %w", err)
	}
	maps.Copy(calls, more)
	return calls, nil
}
