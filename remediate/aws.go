package remediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	jsonv2 "github.com/go-json-experiment/json"
)

// clients are the services that AWS can call. Their operations are found by
// reflection, so a line here is all that a further service needs.
var clients = map[string]func(aws.Config) any{
	"iam": func(c aws.Config) any { return iam.NewFromConfig(c) },
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
	_, err := a.method(service, operation, "us-east-1")
	return err == nil
}

// Call implements Caller.
func (a *AWS) Call(ctx context.Context, at Target, c Call) (Answer, error) {
	name := c.Service + ":" + c.Operation
	region := at.Region
	if a.region != "" || region == "" {
		region = a.region
	}
	if region == "" {
		region = a.config.Region
	}
	method, err := a.method(c.Service, c.Operation, region)
	if err != nil {
		return Answer{}, err
	}
	input := reflect.New(method.Type().In(1).Elem())
	if err := decodeInput(c, input.Interface()); err != nil {
		return Answer{}, fmt.Errorf("%s: %w: %w", name, errBadCall, err)
	}
	answer, err := invoke(ctx, method, input)
	if err != nil {
		return answer, fmt.Errorf("%s: %w", name, err)
	}
	for pages := 1; isRead(c.Operation) && nextPage(answer.Result, input); pages++ {
		if pages == maxPages {
			return answer, fmt.Errorf("%s: the answer has more than %d pages", name, maxPages)
		}
		more, err := invoke(ctx, method, input)
		if err != nil {
			return more, fmt.Errorf("%s: %w", name, err)
		}
		answer = joinPages(answer, more)
	}
	return answer, nil
}

// method is an operation of a service's client.
func (a *AWS) method(service, operation, region string) (reflect.Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	client := a.clients[[2]string{service, region}]
	if client == nil {
		create, ok := clients[service]
		if !ok {
			return reflect.Value{}, fmt.Errorf("%s:%s: %w: no client for the service", service, operation, ErrNotExecutable)
		}
		c := a.config.Copy()
		c.Region = region
		client = create(c)
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

const maxPages = 1000

// isRead says that an operation changes nothing.
func isRead(operation string) bool {
	for _, p := range []string{"Get", "List", "Describe", "Simulate"} {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return operation == "GenerateCredentialReport"
}

// nextPage puts the place where a cut answer goes on into the input.
func nextPage(result map[string]any, input reflect.Value) bool {
	for _, name := range []string{"Marker", "NextToken"} {
		value, _ := result[name].(string)
		field := input.Elem().FieldByName(name)
		if value != "" && field.IsValid() && field.Type() == reflect.TypeFor[*string]() {
			field.Set(reflect.ValueOf(&value))
			return true
		}
	}
	return false
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
