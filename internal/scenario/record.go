package scenario

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// record is a CloudTrail record, its members in the order in which CloudTrail
// writes them. requestParameters and responseElements are null where there is
// nothing to say; the other optional members are absent then.
type record struct {
	EventVersion        string       `json:"eventVersion"`
	UserIdentity        userIdentity `json:"userIdentity"`
	EventTime           string       `json:"eventTime"`
	EventSource         string       `json:"eventSource"`
	EventName           string       `json:"eventName"`
	AWSRegion           string       `json:"awsRegion"`
	SourceIPAddress     string       `json:"sourceIPAddress"`
	UserAgent           string       `json:"userAgent"`
	ErrorCode           string       `json:"errorCode,omitempty"`
	ErrorMessage        string       `json:"errorMessage,omitempty"`
	RequestParameters   any          `json:"requestParameters"`
	ResponseElements    any          `json:"responseElements"`
	AdditionalEventData any          `json:"additionalEventData,omitempty"`
	RequestID           string       `json:"requestID,omitempty"`
	EventID             string       `json:"eventID"`
	ReadOnly            bool         `json:"readOnly"`
	Resources           any          `json:"resources,omitempty"`
	EventType           string       `json:"eventType"`
	APIVersion          string       `json:"apiVersion,omitempty"`
	ManagementEvent     bool         `json:"managementEvent"`
	RecipientAccountID  string       `json:"recipientAccountId"`
	SharedEventID       string       `json:"sharedEventID,omitempty"`
	VPCEndpointID       string       `json:"vpcEndpointId,omitempty"`
	VPCEndpointAccount  string       `json:"vpcEndpointAccountId,omitempty"`
	EventCategory       string       `json:"eventCategory"`
	TLSDetails          *tlsDetails  `json:"tlsDetails,omitempty"`
	FromConsole         string       `json:"sessionCredentialFromConsole,omitempty"`
}

type tlsDetails struct {
	TLSVersion  string `json:"tlsVersion"`
	CipherSuite string `json:"cipherSuite"`
	Host        string `json:"clientProvidedHostHeader"`
}

const timeLayout = "2006-01-02T15:04:05Z"

// Layouts of times in responses: STS writes the one with a comma after the
// year, IAM the one without.
const (
	stsTime = "Jan 2, 2006, 3:04:05 PM"
	iamTime = "Jan 2, 2006 3:04:05 PM"
)

// compact writes v as CloudTrail does: no blanks, no HTML escapes.
func compact(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// globalServices record their calls in us-east-1, wherever the caller is.
var globalServices = map[string]bool{
	"iam": true, "signin": true, "organizations": true, "route53": true,
	"cloudfront": true, "support": true, "health": true, "ce": true, "budgets": true,
}

// eventVersion is the record version that a service writes.
func eventVersion(service string) string {
	switch service {
	case "sts", "signin":
		return "1.08"
	case "ec2", "iam", "s3":
		return "1.11"
	}
	return "1.10"
}

// host is the endpoint that a client names for a call.
func host(service, region string) string {
	switch {
	case service == "signin":
		return "signin.aws.amazon.com"
	case globalServices[service]:
		return service + ".amazonaws.com"
	}
	return service + "." + region + ".amazonaws.com"
}

// readOnly guesses from an operation's name whether it only reads.
func readOnly(operation string) bool {
	for _, p := range []string{"Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Search", "Filter", "Simulate", "Decrypt"} {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return false
}

// actionPrefix is the IAM action prefix of a service's host label.
func actionPrefix(service string) string {
	if service == "monitoring" {
		return "cloudwatch"
	}
	return service
}

// apiDate is what Lambda appends to the names of its operations.
var apiDate = regexp.MustCompile(`\d{8}(v\d+)?$`)

// cliCommand is the AWS CLI's name for a call: ec2.describe-instances.
func cliCommand(service, operation string) string {
	name := []byte(apiDate.ReplaceAllString(operation, ""))
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	var b strings.Builder
	for i, c := range name {
		if upper(i) {
			if i > 0 && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
				b.WriteByte('-')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return actionPrefix(service) + "." + b.String()
}

func stamp(t time.Time) string { return t.UTC().Format(timeLayout) }
