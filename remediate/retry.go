package remediate

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxAttempts and maxBackoff let throttling and IAM's own "try again" pass; the
// whole of it takes about a minute.
const (
	maxAttempts = 8
	maxBackoff  = 8 * time.Second
)

// dialTimeout is how long a connection may take to open.
const dialTimeout = 5 * time.Second

// newClient is the SDK's HTTP client with a shorter patience for networks that
// swallow everything.
func newClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
}

// newRetryer repeats what AWS surely did not do. Before its first answer nothing
// is repeated: without a network the user should hear of it at once.
func newRetryer(answered *atomic.Bool) aws.Retryer {
	ours := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		var u *unsure
		if errors.As(err, &u) || lacks(err) || !answered.Load() && !isAnswer(err) {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	})
	r := retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts, s.MaxBackoff = maxAttempts, maxBackoff
		s.Retryables = append([]retry.IsErrorRetryable{ours}, s.Retryables...)
	})
	// IAM answers so while an earlier change is still on its way:
	// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.
	return retry.AddWithErrorCodes(r, "ConcurrentModification", "EntityTemporarilyUnmodifiable", "DeleteConflict", "ReportInProgress")
}

// unsure is the error of a write that may have taken effect: no answer, or a
// fault of the server. The SDK would repeat it, and make a second key; the
// executor looks first.
type unsure struct{ error }

func (u *unsure) Unwrap() error { return u.error }

// markUnsure marks such errors of each attempt.
func markUnsure(stack *smithymiddleware.Stack) error {
	if isRead(stack.ID()) {
		return nil
	}
	mark := smithymiddleware.FinalizeMiddlewareFunc("TrailscanUnsure", func(ctx context.Context, in smithymiddleware.FinalizeInput, next smithymiddleware.FinalizeHandler) (smithymiddleware.FinalizeOutput, smithymiddleware.Metadata, error) {
		out, m, err := next.HandleFinalize(ctx, in)
		if err != nil && !isRefused(err) {
			err = &unsure{err}
		}
		return out, m, err
	})
	return stack.Finalize.Insert(mark, (*retry.Attempt)(nil).ID(), smithymiddleware.After)
}

// noteAnswer notes that AWS answered, be it with an error.
func noteAnswer(answered *atomic.Bool) func(*smithymiddleware.Stack) error {
	note := smithymiddleware.DeserializeMiddlewareFunc("TrailscanAnswered", func(ctx context.Context, in smithymiddleware.DeserializeInput, next smithymiddleware.DeserializeHandler) (smithymiddleware.DeserializeOutput, smithymiddleware.Metadata, error) {
		out, m, err := next.HandleDeserialize(ctx, in)
		if r, ok := out.RawResponse.(*smithyhttp.Response); ok && r != nil && r.Response != nil && r.StatusCode != 0 {
			answered.Store(true)
		}
		return out, m, err
	})
	return func(stack *smithymiddleware.Stack) error { return stack.Deserialize.Add(note, smithymiddleware.After) }
}

// isDial says that no connection was opened, so that nothing was asked.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isAnswer(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.Response != nil && response.HTTPStatusCode() != 0
}

// isThrottled says that there were too many requests: AWS did nothing.
func isThrottled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}

// lacks says that a server has no such operation, as those have it that are not
// AWS's: AWS's own faults bear a code.
func lacks(err error) bool {
	if slices.Contains([]string{"NotImplemented", "NotImplementedError", "InvalidAction", "UnknownOperation", "UnknownOperationException"}, errorCode(err)) {
		return true
	}
	var response *awshttp.ResponseError
	if !isAnswer(err) || !errors.As(err, &response) {
		return false
	}
	status, code := response.HTTPStatusCode(), errorCode(err)
	// The SDK calls an error UnknownError that its answer gives no code.
	return status == http.StatusNotImplemented || status == http.StatusInternalServerError && (code == "" || code == "UnknownError")
}

// isExpired says that the credentials are no longer good, or never were.
func isExpired(err error) bool {
	return slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId",
		"UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}, errorCode(err))
}
