package awsapi

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// endpoint is where a service answers and the region that requests are signed
// for. own says that it is not AWS's.
func endpoint(ctx context.Context, c aws.Config, m *Metadata, region string) (u *url.URL, signing string, own bool, err error) {
	base, err := baseEndpoint(ctx, c, m.ServiceID)
	if err != nil {
		return nil, "", false, err
	}
	if base != "" {
		u, err := url.Parse(base)
		return u, region, true, err
	}
	partition, dns := "aws", ".amazonaws.com"
	switch {
	case strings.HasPrefix(region, "cn-"):
		partition, dns = "aws-cn", ".amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		partition = "aws-us-gov"
	}
	e, known := m.Endpoints[partition]
	if !known {
		e.Host = m.EndpointPrefix + ".{region}" + dns
	}
	if e.Region != "" {
		return &url.URL{Scheme: "https", Host: e.Host}, e.Region, false, nil
	}
	if region == "" {
		return nil, "", false, fmt.Errorf("no region for %s: set AWS_REGION", m.ServiceID)
	}
	return &url.URL{Scheme: "https", Host: strings.ReplaceAll(e.Host, "{region}", region)}, region, false, nil
}

// baseEndpoint is the endpoint that the user set for this service or for all:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html.
func baseEndpoint(ctx context.Context, c aws.Config, serviceID string) (string, error) {
	name := "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(serviceID, " ", "_"))
	_, global := os.LookupEnv("AWS_ENDPOINT_URL")
	_, single := os.LookupEnv(name)
	if c.BaseEndpoint != nil && (!global || !single) {
		return *c.BaseEndpoint, nil
	}
	for _, source := range c.ConfigSources {
		s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		})
		if !ok {
			continue
		}
		if v, found, err := s.GetServiceBaseEndpoint(ctx, serviceID); found || err != nil {
			return v, err
		}
	}
	return aws.ToString(c.BaseEndpoint), nil
}
