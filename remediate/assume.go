package remediate

import (
	"os"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"trailscan/internal/awsapi"
)

// sessionOfOurs is the name of the sessions that trailscan takes: it tells them
// from others in the next log, beside the user agent.
const sessionOfOurs = "trailscan"

// Assumer is a Caller that can take the credentials of a role.
type Assumer interface {
	// Assume gives a Caller that works as a session of a role. It makes no call.
	Assume(roleARN string) Caller
}

// Chained is a Caller that knows what its credentials were made from.
type Chained interface {
	// Chain is the access keys and the ARNs of the roles that led to the
	// credentials, as far as the configuration tells.
	Chain() []string
}

// Assume implements Assumer.
func (a *AWS) Assume(roleARN string) Caller {
	c := a.config.Copy()
	if partition := partitionOf(roleARN, ""); partitionOf("", c.Region) != partition {
		c.Region = globalRegion(partition)
	}
	client := sts.NewFromConfig(c)
	c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionOfOurs
	}))
	return newAWS(c, a.region, a.answered, nil)
}

// Chain implements Chained.
func (a *AWS) Chain() []string { return a.chain }

// Has says whether Supports knows every operation of a service.
func (a *AWS) Has(service string) bool {
	_, ok := clients[service]
	return ok
}

// chainOf follows the profiles of a configuration to the keys that they start
// from: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html.
func chainOf(c aws.Config, profile string) []string {
	var chain []string
	for _, source := range c.ConfigSources {
		switch s := source.(type) {
		case config.EnvConfig:
			if profile == "" && s.Credentials.HasKeys() {
				return nil // they count before any profile
			}
		case config.SharedConfig:
			const deepest = 20
			for at, i := &s, 0; at != nil && i < deepest; at, i = at.Source, i+1 {
				if at.RoleARN != "" {
					chain = append(chain, at.RoleARN)
				}
				if at.Credentials.HasKeys() {
					chain = append(chain, at.Credentials.AccessKeyID)
				}
				if at.CredentialSource == "Environment" {
					chain = append(chain, os.Getenv("AWS_ACCESS_KEY_ID"))
				}
			}
		}
	}
	return chain
}

// newAWS makes the caller of a configuration.
func newAWS(c aws.Config, region string, answered *atomic.Bool, chain []string) *AWS {
	return &AWS{config: c, region: region, api: awsapi.New(c), answered: answered, chain: chain, clients: map[[2]string]any{}}
}
