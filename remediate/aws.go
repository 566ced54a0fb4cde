package remediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	jsonv2 "github.com/go-json-experiment/json"

	"trailscan/internal/awsapi"
)

// clients are the services that are called through the SDK's own clients, whose
// operations are found by reflection: those that trailscan has anyway or that it
// needs many operations of. All others go through awsapi.
var clients = map[string]func(aws.Config) any{
	"cloudtrail": func(c aws.Config) any { return cloudtrail.NewFromConfig(c) },
	"iam":        func(c aws.Config) any { return iam.NewFromConfig(c) },
	"s3": func(c aws.Config) any {
		return s3.NewFromConfig(c, func(o *s3.Options) {
			// Servers other than AWS's seldom have a host name a bucket.
			o.UsePathStyle = o.BaseEndpoint != nil
		})
	},
	"sts": func(c aws.Config) any { return sts.NewFromConfig(c) },
}

// AWSOptions choose the credentials and the place of calls. The zero value is
// what the aws command does: the environment and the files of ~/.aws.
type AWSOptions struct {
	Profile  string
	Region   string // in place of the region that an action names
	Endpoint string // in place of AWS's; AWS_ENDPOINT_URL works too
	Version  string // of trailscan, for the user agent that marks its own calls in the next log
}

// AWS makes calls through aws-sdk-go-v2. It is safe for concurrent use.
type AWS struct {
	config   aws.Config
	region   string
	api      *awsapi.Client
	answered *atomic.Bool // AWS has answered: there is a network
	chain    []string

	mu      sync.Mutex
	clients map[[2]string]any // by service and region
}

// NewAWS finds credentials and region as the aws command does. It makes no call.
func NewAWS(ctx context.Context, o AWSOptions) (*AWS, error) {
	answered := &atomic.Bool{}
	load := []func(*config.LoadOptions) error{
		// What goes wrong is an error; the SDK's own warnings would only repeat it.
		config.WithLogger(logging.Nop{}),
		config.WithAPIOptions([]func(*smithymiddleware.Stack) error{
			middleware.AddUserAgentKeyValue("trailscan", o.Version), markUnsure, noteAnswer(answered),
		}),
		config.WithHTTPClient(newClient()),
		// For the roles of profiles; an action names its own.
		config.WithDefaultRegion(globalRegion("aws")),
		config.WithRetryer(func() aws.Retryer { return newRetryer(answered) }),
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(o.Endpoint))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return newAWS(c, o.Region, answered, chainOf(c, o.Profile)), nil
}

// AccessKeyID implements Caller.
func (a *AWS) AccessKeyID(ctx context.Context) (string, error) {
	c, err := a.config.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("no AWS credentials (set AWS_PROFILE, run `aws login` or `aws sso login`, or export keys): %w", err)
	}
	return c.AccessKeyID, nil
}

// Supports implements Caller.
func (a *AWS) Supports(service, operation string) bool {
	_, err := a.operation(service, operation, "us-east-1")
	return err == nil
}

// operation is one that can be called.
type operation interface {
	// has says whether it takes a parameter.
	has(parameter string) bool
	invoke(ctx context.Context, parameters map[string]any) (Answer, error)
}

// Call implements Caller.
func (a *AWS) Call(ctx context.Context, at Target, c Call) (Answer, error) {
	region := at.Region
	if a.region != "" || region == "" {
		region = a.region
	}
	if region == "" {
		region = a.config.Region
	}
	answer, err := a.call(ctx, region, c)
	if right := bucketRegion(err); c.Service == "s3" && right != "" && right != region {
		answer, err = a.call(ctx, right, c)
	}
	if err != nil && !errors.Is(err, ErrNotExecutable) {
		err = fmt.Errorf("%s:%s: %w", c.Service, c.Operation, err)
	}
	return answer, err
}

func (a *AWS) call(ctx context.Context, region string, c Call) (Answer, error) {
	op, err := a.operation(c.Service, c.Operation, region)
	if err != nil {
		return Answer{}, err
	}
	if done, answer, err := rehearse(ctx, op, c); done || err != nil {
		return answer, err
	}
	answer, err := op.invoke(ctx, c.Parameters)
	if err != nil || !isRead(c.Operation) {
		return answer, err
	}
	return allPages(ctx, op, c.Parameters, answer)
}

// rehearse has EC2 check a write first, where the operation can. It ends with an
// error that says whether the call itself would go through:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html.
// Done is when a server that is not AWS's carried it out nevertheless.
func rehearse(ctx context.Context, op operation, c Call) (done bool, answer Answer, err error) {
	if c.Service != "ec2" || isRead(c.Operation) || !op.has("DryRun") || c.Parameters["DryRun"] != nil {
		return false, answer, nil
	}
	dry := maps.Clone(c.Parameters)
	if dry == nil {
		dry = map[string]any{}
	}
	dry["DryRun"] = true
	answer, err = op.invoke(ctx, dry)
	if errorCode(err) == "DryRunOperation" {
		return false, Answer{}, nil
	}
	return err == nil, answer, err
}

// bucketRegion is where S3 says that a bucket is, to one who asked elsewhere.
func bucketRegion(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil {
		return ""
	}
	return response.Response.Header.Get("X-Amz-Bucket-Region")
}

// operation finds an operation of a service: in the SDK's client, or in what
// awsapi has of the API's model.
func (a *AWS) operation(service, name, region string) (operation, error) {
	if _, ok := clients[service]; ok {
		m, err := a.method(service, name, region)
		return sdkOperation{m, service, name}, err
	}
	if !awsapi.Supports(service, name) {
		return nil, fmt.Errorf("%s:%s: %w: no client for the operation", service, name, ErrNotExecutable)
	}
	return apiOperation{a.api, service, name, region}, nil
}

// apiOperation is called by its model.
type apiOperation struct {
	client                *awsapi.Client
	service, name, region string
}

func (o apiOperation) has(parameter string) bool {
	return slices.Contains(awsapi.Parameters(o.service, o.name), parameter)
}

func (o apiOperation) invoke(ctx context.Context, parameters map[string]any) (Answer, error) {
	a, err := o.client.Call(ctx, o.region, o.service, o.name, parameters)
	if errors.Is(err, awsapi.ErrParameters) {
		err = fmt.Errorf("%w: %w", errBadCall, err)
	}
	return Answer{Result: a.Result, Date: a.Date}, err
}

// sdkOperation is a method of an SDK client.
type sdkOperation struct {
	method        reflect.Value
	service, name string
}

func (o sdkOperation) has(parameter string) bool {
	_, ok := o.method.Type().In(1).Elem().FieldByName(parameter)
	return ok
}

func (o sdkOperation) invoke(ctx context.Context, parameters map[string]any) (Answer, error) {
	input := reflect.New(o.method.Type().In(1).Elem())
	if err := decodeInput(Call{o.service, o.name, parameters}, input.Interface()); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", errBadCall, err)
	}
	return invoke(ctx, o.method, input)
}

// method is an operation of a service's client.
func (a *AWS) method(service, operation, region string) (reflect.Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	client := a.clients[[2]string{service, region}]
	if client == nil {
		c := a.config.Copy()
		c.Region = region
		client = clients[service](c)
		a.clients[[2]string{service, region}] = client
	}
	m := reflect.ValueOf(client).MethodByName(operation)
	// An operation is func(context.Context, *Input, ...func(*Options)) (*Output, error).
	if !m.IsValid() || m.Type().NumIn() != 3 || !m.Type().IsVariadic() || m.Type().NumOut() != 2 ||
		m.Type().In(1).Kind() != reflect.Pointer || m.Type().In(1).Elem().Name() != operation+"Input" {
		return reflect.Value{}, fmt.Errorf("%s:%s: %w: the service has no such operation", service, operation, ErrNotExecutable)
	}
	return m, nil
}

// decodeInput fills an input. A name that it does not have is an error, and so
// is no user: IAM would take that for the caller.
func decodeInput(c Call, input any) error {
	text, err := json.Marshal(c.Parameters)
	if err != nil {
		return err
	}
	if c.Parameters == nil {
		text = []byte("{}")
	}
	if err := jsonv2.Unmarshal(text, input, jsonv2.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	user := reflect.ValueOf(input).Elem().FieldByName("UserName")
	if c.Service == "iam" && !isRead(c.Operation) && user.IsValid() && user.Kind() == reflect.Pointer && user.IsNil() {
		return errors.New("parameters: without UserName the call would change the caller")
	}
	return nil
}

// invoke calls an operation.
func invoke(ctx context.Context, method, input reflect.Value) (Answer, error) {
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, _ := out[1].Interface().(error); err != nil {
		var answer Answer
		var response *awshttp.ResponseError
		if errors.As(err, &response) && response.Response != nil {
			// No date is no error: whoever needs it asks again.
			answer.Date, _ = time.Parse(time.RFC1123, response.Response.Header.Get("Date"))
		}
		return answer, err
	}
	var answer Answer
	metadata := out[0].Elem().FieldByName("ResultMetadata")
	if metadata.IsValid() {
		if m, ok := metadata.Interface().(smithymiddleware.Metadata); ok {
			answer.Date, _ = middleware.GetServerTime(m)
		}
	}
	text, err := json.Marshal(out[0].Interface())
	if err != nil {
		return answer, fmt.Errorf("answer: %w", err)
	}
	if err := json.Unmarshal(text, &answer.Result); err != nil {
		return answer, fmt.Errorf("answer: %w", err)
	}
	delete(answer.Result, "ResultMetadata")
	dropNull(answer.Result)
	return answer, nil
}

// dropNull takes away what AWS did not say.
func dropNull(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
				continue
			}
			dropNull(e)
		}
	case []any:
		for _, e := range v {
			dropNull(e)
		}
	}
}
