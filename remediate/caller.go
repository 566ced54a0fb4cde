package remediate

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Caller makes AWS API calls. AWS is the one that reaches AWS.
type Caller interface {
	// AccessKeyID is the id of the key that signs the calls.
	AccessKeyID(ctx context.Context) (string, error)
	// Supports says whether Call knows an operation; the others are for a
	// person, or for a later version.
	Supports(service, operation string) bool
	// Call makes one call. Parameters and result have the names of
	// aws-sdk-go-v2's input and output fields; the result holds what
	// encoding/json would, times as RFC 3339. Lists that AWS answers in pages
	// come back whole. An error of AWS is a smithy.APIError.
	Call(ctx context.Context, at Target, c Call) (Answer, error)
}

// Target is where a call goes.
type Target struct {
	AccountID string
	Region    string
}

// Answer is what AWS said, also with an error: then only Date is there, and
// only when AWS answered at all.
type Answer struct {
	Result map[string]any
	Date   time.Time // AWS's clock, to the second
}

// ErrNotExecutable says that a call cannot be made by this program, or not with
// these credentials.
var ErrNotExecutable = errors.New("trailscan cannot make this call")

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// isGone says that what a call named is not there. Services spell it
// NoSuchEntity, NoSuchBucket, ResourceNotFoundException,
// InvalidInstanceID.NotFound, QueueDoesNotExist.
func isGone(err error) bool {
	code := errorCode(err)
	return strings.HasPrefix(code, "NoSuch") || strings.Contains(code, "NotFound") || strings.Contains(code, "DoesNotExist")
}

// off are the errors by which a read says that a service is not switched on, or
// that what it is about was deleted, and part of their message where the code
// alone does not tell.
var off = map[string][2]string{
	"securityhub:DescribeHub":                  {"InvalidAccessException", ""},
	"macie2:GetMacieSession":                   {"AccessDeniedException", "not enabled"},
	"iam:GetOutboundWebIdentityFederationInfo": {"FeatureDisabled", ""},
	"datapipeline:DescribePipelines":           {"PipelineDeletedException", ""},
}

// isOff says that a read answered that what it is about is not there.
func isOff(c Call, err error) bool {
	want, known := off[c.Service+":"+c.Operation]
	return known && strings.HasPrefix(errorCode(err), want[0]) && strings.Contains(err.Error(), want[1])
}

func isThere(err error) bool {
	return strings.Contains(errorCode(err), "AlreadyExists")
}

// isLimit says that a quota forbids the call: another way may be open. A
// request rate is no quota.
func isLimit(err error) bool {
	code := errorCode(err)
	return code != "RequestLimitExceeded" && code != "BandwidthLimitExceeded" &&
		(strings.Contains(code, "LimitExceeded") || strings.Contains(code, "QuotaExceeded"))
}

func isDenied(err error) bool {
	return slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation", "AuthorizationError"}, errorCode(err))
}

// isRefused says that AWS answered and did nothing. After any other error, no
// answer or a fault of the server, the call may have taken effect.
func isRefused(err error) bool {
	if errors.Is(err, ErrNotExecutable) || errors.Is(err, errBadCall) || isThrottled(err) || isDial(err) {
		return true
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorFault() == smithy.FaultServer {
		return false
	}
	var response *awshttp.ResponseError
	return !errors.As(err, &response) || response.HTTPStatusCode() < http.StatusInternalServerError
}

// errBadCall says that a call was never sent, because its parameters are not
// the operation's.
var errBadCall = errors.New("the call is malformed")

// explain adds what a person can do about an error of AWS.
func explain(err error) string {
	text := err.Error()
	switch {
	case isDenied(err):
		return text + " (the credentials that trailscan runs with need this permission, and no deny of the plan may bind them)"
	case isLimit(err):
		return text + " (a quota of the account is reached: raise it, or deny the principal in another way)"
	}
	return text
}
