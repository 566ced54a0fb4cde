package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithymiddleware "github.com/aws/smithy-go/middleware"
)

// AWSOptions are how to reach AWS. The zero value is what the aws command does:
// the environment and the files of ~/.aws. Only reading calls are made.
type AWSOptions struct {
	Profile       string
	Endpoint      string // in place of AWS's; AWS_ENDPOINT_URL works too
	Anonymous     bool   // no credentials: a public bucket
	RequesterPays bool   // the caller pays for reading the bucket
	Version       string // of trailscan, for the user agent that marks its own calls in the next log
}

// Throttling and short outages pass within some minutes.
const (
	awsAttempts   = 10
	awsMaxBackoff = 20 * time.Second
	// firstAttempts are those of a first call, which may be to a place that is
	// not there.
	firstAttempts = 3
)

// noRegion stands in where nothing names a region: S3 says which it should have
// been, and IAM's events are there.
const noRegion = "us-east-1"

// config finds credentials and region.
func (o *AWSOptions) config(ctx context.Context) (aws.Config, error) {
	load := []func(*config.LoadOptions) error{
		// What goes wrong is an error; the SDK's own warnings would only repeat it.
		config.WithLogger(logging.Nop{}),
		config.WithAPIOptions([]func(*smithymiddleware.Stack) error{middleware.AddUserAgentKeyValue("trailscan", o.Version)}),
		config.WithDefaultRegion(noRegion),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = 2 * ObjectsInFlight
			t.ResponseHeaderTimeout = stallTimeout
		})),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(s *retry.StandardOptions) {
				s.MaxAttempts, s.MaxBackoff = awsAttempts, awsMaxBackoff
				// Attempts are bounded; a long load must not run out of a budget of them.
				s.RateLimiter = ratelimit.None
			})
		}),
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(o.Endpoint))
	}
	if o.Anonymous {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return c, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if o.Anonymous {
		return c, nil
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return c, context.Cause(ctx)
		}
		return c, &awsError{"no AWS credentials: set AWS_PROFILE or give --profile, run `aws sso login`, or export keys; a public bucket needs --no-sign-request", err}
	}
	return c, nil
}

// awsError is a failed call in a user's words. The SDK's own text repeats
// request ids and hosts over several lines.
type awsError struct {
	text string
	err  error
}

func (e *awsError) Error() string { return e.text }
func (e *awsError) Unwrap() error { return e.err }

// answerCode is what AWS calls the error, or "".
func answerCode(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}

// answerStatus is the HTTP status of an error, or 0, with its headers.
func answerStatus(err error) (int, http.Header) {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		return response.Response.StatusCode, response.Response.Header
	}
	return 0, http.Header{}
}

// explain puts an error of a call in a user's words, whatever the service.
func explain(ctx context.Context, call string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	status, _ := answerStatus(err)
	var answer smithy.APIError
	var dns *net.DNSError
	var op *net.OpError
	switch code := answerCode(err); {
	case code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired":
		return &awsError{call + ": the AWS credentials have expired: renew them (`aws sso login`) and run the same command again", err}
	case code == "InvalidAccessKeyId" || code == "InvalidClientTokenId" || code == "UnrecognizedClientException" || code == "SignatureDoesNotMatch" || code == "InvalidToken":
		return &awsError{call + ": AWS does not accept the credentials (" + code + "): check the profile, the keys and the clock", err}
	case errors.As(err, &answer) && answer.ErrorMessage() != "":
		return &awsError{fmt.Sprintf("%s: %s: %s", call, code, answer.ErrorMessage()), err}
	case errors.As(err, &dns):
		return &awsError{fmt.Sprintf("%s: no network: the name %s cannot be resolved: check the connection, the region and --endpoint-url", call, dns.Name), err}
	case errors.As(err, &op) && op.Addr != nil:
		return &awsError{fmt.Sprintf("%s: no network: %s cannot be reached (%v): check the connection and --endpoint-url", call, op.Addr, op.Err), err}
	case code != "" || status != 0:
		return &awsError{fmt.Sprintf("%s: %s (HTTP status %d)", call, code, status), err}
	}
	return fmt.Errorf("%s: %w", call, err)
}

// backoff is how long to wait before the nth try to go on with something.
func backoff(n int) time.Duration {
	return min(200*time.Millisecond<<min(n, 10), awsMaxBackoff)
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
