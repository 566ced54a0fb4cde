package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Errors of calls that were not sent.
var (
	ErrUnknown    = errors.New("trailscan knows no such operation")
	ErrParameters = errors.New("parameters")
)

// Client makes calls with the credentials, the retries and the HTTP client of a
// configuration. It is safe for concurrent use.
type Client struct {
	config aws.Config
	http   aws.HTTPClient
	signer *v4.Signer
	models *library
}

// New gives a client.
func New(c aws.Config) *Client {
	client := &Client{config: c, http: c.HTTPClient, signer: v4.NewSigner(), models: own}
	if client.http == nil {
		client.http = awshttp.NewBuildableClient()
	}
	return client
}

// With gives a client that makes the calls of the models in a folder alone, for
// tests that call what trailscan has no need of.
func (c *Client) With(models fs.FS) *Client {
	other := *c
	other.models = &library{files: models}
	return &other
}

// Supports says whether a service, named as the package of aws-sdk-go-v2, has an
// operation that this package can call.
func Supports(service, operation string) bool {
	s, err := serviceOf(service)
	return err == nil && s.model.Operations[operation] != nil
}

// Parameters are the names of an operation's parameters, sorted.
func Parameters(service, operation string) []string {
	s, err := serviceOf(service)
	if err != nil || s.model.Operations[operation] == nil || s.model.Operations[operation].Input == nil {
		return nil
	}
	var names []string
	for n := range s.model.Shapes[s.model.Operations[operation].Input.Shape].Members {
		names = append(names, Field(n))
	}
	slices.Sort(names)
	return names
}

// Answer is what AWS said.
type Answer struct {
	Result map[string]any
	Date   time.Time // AWS's clock
}

// Call makes a call in a region. Parameters and the answer's members are named
// as aws-sdk-go-v2 names the fields of the input and the output.
func (c *Client) Call(ctx context.Context, region, serviceName, operation string, parameters map[string]any) (Answer, error) {
	s, err := c.models.service(serviceName)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	op := s.model.Operations[operation]
	if op == nil {
		return Answer{}, fmt.Errorf("%w: %s of %s", ErrUnknown, operation, serviceName)
	}
	if serviceName == "route53" {
		parameters = withoutPaths(parameters)
	}
	schema := s.operation(operation)
	in, err := s.input(op, schema.Input, parameters)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrParameters, err)
	}
	r := &request{client: c, service: s, op: op, schema: schema, region: region, parameters: parameters}
	stack, err := r.stack(operation)
	if err != nil {
		return Answer{}, err
	}
	ctx = middleware.ClearStackValues(ctx)
	ctx = awsmiddleware.SetServiceID(ctx, s.model.Metadata.ServiceID)
	out, metadata, err := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.http), stack).Handle(ctx, in)
	var answer Answer
	answer.Date, _ = awsmiddleware.GetServerTime(metadata)
	if err != nil {
		var response *awshttp.ResponseError
		if errors.As(err, &response) && response.Response != nil {
			answer.Date, _ = time.Parse(time.RFC1123, response.Response.Header.Get("Date"))
		}
		return answer, &smithy.OperationError{ServiceID: s.model.Metadata.ServiceID, OperationName: operation, Err: err}
	}
	if o, ok := out.(*output); ok {
		answer.Result = o.result
	}
	return answer, nil
}

// withoutPaths cuts the /hostedzone/ off that Route 53 puts before its ids, and
// does not take in them.
func withoutPaths(parameters map[string]any) map[string]any {
	out := maps.Clone(parameters)
	for _, k := range []string{"Id", "HostedZoneId"} {
		if text, ok := out[k].(string); ok {
			out[k] = text[strings.LastIndexByte(text, '/')+1:]
		}
	}
	return out
}

// request is one call on its way.
type request struct {
	client     *Client
	service    *service
	op         *Operation
	schema     *smithy.OperationSchema
	region     string
	parameters map[string]any
	signing    string // region
}

// stack is the middleware of the SDK's own clients, in their order.
func (r *request) stack(operation string) (*middleware.Stack, error) {
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	retryer := aws.Retryer(retry.NewStandard())
	if r.client.config.Retryer != nil {
		retryer = r.client.config.Retryer()
	}
	attempts := retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner)
	steps := []error{
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("OperationSerializer", r.serialize), middleware.After),
		awsmiddleware.AddRequestUserAgentMiddleware(stack),
		awsmiddleware.AddClientRequestIDMiddleware(stack),
		stack.Finalize.Add(attempts, middleware.After),
		stack.Finalize.Add(&v4.ComputePayloadSHA256{}, middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", r.sign), middleware.After),
		awsmiddleware.AddRawResponseToMetadata(stack),
		awsmiddleware.AddRecordResponseTiming(stack),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("OperationDeserializer", r.deserialize), middleware.After),
		awsmiddleware.AddRequestIDRetrieverMiddleware(stack),
		awshttp.AddResponseErrorMiddleware(stack),
	}
	if r.op.Checksum {
		steps = append(steps, smithyhttp.AddContentChecksumMiddleware(stack))
	}
	for _, add := range r.client.config.APIOptions {
		steps = append(steps, add(stack))
	}
	return stack, errors.Join(steps...)
}

func (r *request) serialize(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, m, fmt.Errorf("the request is a %T", in.Request)
	}
	parameters, ok := in.Parameters.(smithy.Serializable)
	if !ok {
		return out, m, fmt.Errorf("the parameters are a %T", in.Parameters)
	}
	u, signing, own, err := endpoint(ctx, r.client.config, &r.service.model.Metadata, r.region)
	if err != nil {
		return out, m, err
	}
	r.signing = signing
	if err := r.service.protocol.SerializeRequest(ctx, r.schema, parameters, req); err != nil {
		return out, m, fmt.Errorf("write the request: %w", err)
	}
	if r.withoutPayload() {
		// The protocol would write {}, in XML too.
		if req, err = req.SetStream(nil); err != nil {
			return out, m, fmt.Errorf("write the request: %w", err)
		}
		req.Header.Del("Content-Type")
		req.Header.Del("Content-Length")
		req.ContentLength = 0
	}
	req.URL.Scheme, req.URL.Host = u.Scheme, u.Host
	req.URL.Path = smithyhttp.JoinPath(u.Path, req.URL.Path)
	if req.URL.RawPath != "" {
		req.URL.RawPath = smithyhttp.JoinPath(u.EscapedPath(), req.URL.RawPath)
	}
	if !own {
		req.URL.Host = r.hostPrefix() + req.URL.Host
	}
	if r.service.name == "apigateway" {
		// It would answer in another form of JSON, as the SDK's client knows.
		req.Header.Set("Accept", "application/json")
	}
	in.Request = req
	return next.HandleSerialize(ctx, in)
}

// withoutPayload says that the body would be one parameter, which is not given.
func (r *request) withoutPayload() bool {
	if r.op.Input == nil {
		return false
	}
	payload := r.service.model.Shapes[r.op.Input.Shape].Payload
	return payload != "" && r.parameters[Field(payload)] == nil
}

// hostPrefix is what some operations put before the host's name.
func (r *request) hostPrefix() string {
	prefix := r.op.HostPrefix
	for _, k := range slices.Sorted(maps.Keys(r.parameters)) {
		if v, ok := r.parameters[k].(string); ok {
			prefix = strings.ReplaceAll(prefix, "{"+k+"}", v)
		}
	}
	return prefix
}

func (r *request) sign(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, m, fmt.Errorf("the request is a %T", in.Request)
	}
	credentials, err := r.client.config.Credentials.Retrieve(ctx)
	if err != nil {
		return out, m, &v4.SigningError{Err: fmt.Errorf("find credentials: %w", err)}
	}
	name := r.service.model.Metadata.SigningName
	if name == "" {
		name = r.service.model.Metadata.EndpointPrefix
	}
	err = r.client.signer.SignHTTP(ctx, credentials, req.Request, v4.GetPayloadHash(ctx), name, r.signing, time.Now(), func(o *v4.SignerOptions) {
		// S3 signs a path as it stands.
		o.DisableURIPathEscaping = name == "s3"
	})
	if err != nil {
		return out, m, &v4.SigningError{Err: err}
	}
	return next.HandleFinalize(ctx, in)
}

func (r *request) deserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, m middleware.Metadata, err error) {
	out, m, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if ok {
		defer func() { smithyhttp.CloseResponseBody(ctx, response, false, err) }()
	}
	switch {
	case err != nil:
		return out, m, err
	case !ok:
		return out, m, fmt.Errorf("the answer is a %T", out.RawResponse)
	}
	o := &output{schema: r.schema.Output}
	out.Result = o
	return out, m, r.service.protocol.DeserializeResponse(ctx, r.schema, &smithy.TypeRegistry{}, response, o)
}
