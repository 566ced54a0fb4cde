package lineage

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// trust is whom the statements of a trust policy let in: accounts, ARNs,
// services, providers; "*" lets everybody in.
type trust map[string]bool

// parseTrust reads a trust policy. What it cannot read lets nobody in.
func parseTrust(document string) trust {
	if strings.HasPrefix(document, "%7B") {
		if plain, err := url.QueryUnescape(document); err == nil {
			document = plain
		}
	}
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(document), &policy) != nil {
		return nil
	}
	type statement struct {
		Effect    string
		Principal json.RawMessage
	}
	statements := oneOrMany[statement](policy.Statement)
	in := trust{}
	for _, s := range statements {
		if s.Effect != "Allow" {
			continue
		}
		for _, whole := range oneOrMany[string](s.Principal) {
			in[whole] = true
		}
		var kinds map[string]json.RawMessage
		if json.Unmarshal(s.Principal, &kinds) != nil {
			continue
		}
		for _, names := range kinds {
			for _, name := range oneOrMany[string](names) {
				if a, ok := parseARN(name); ok && a.name == "root" && a.service == "iam" {
					name = a.account
				}
				in[name] = true
			}
		}
	}
	return in
}

// oneOrMany reads a value or a list of such values, as policies allow.
func oneOrMany[T any](raw json.RawMessage) []T {
	var many []T
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	var one T
	if json.Unmarshal(raw, &one) == nil {
		return []T{one}
	}
	return nil
}

// admits reports whether the policy lets the caller of an AssumeRole in. Within
// an account a policy names its users and roles; that it names the account
// itself is how roles are shared every day. Of a caller from another account
// the log of the role's account tells the account and an id, never the ARN: any
// ARN of that account will do.
func (in trust) admits(made *call) bool {
	id, _, _ := strings.Cut(made.principalID, ":")
	names := []string{made.identityARN, made.issuerARN, made.provider, made.param("principalArn"), id}
	if strings.HasPrefix(made.source, "rolesanywhere.") {
		names = append(names, made.source)
	}
	if made.identityType == "AWSService" {
		names = append(names, made.invokedBy)
	} else if made.identityAccount != made.roleAccount() || made.provider != "" {
		names = append(names, "*", made.identityAccount)
	}
	for _, name := range names {
		if name != "" && in[name] {
			return true
		}
	}
	if made.identityType != "AWSAccount" || made.identityAccount == "" {
		return false
	}
	for name := range in {
		if a, ok := parseARN(name); ok && a.account == made.identityAccount {
			return true
		}
	}
	return false
}

// outside lists whom the policy lets in that are of no account's own: everybody,
// other accounts and their principals, identity providers.
func (in trust) outside(account string) []string {
	var out []string
	for name := range in {
		a, isARN := parseARN(name)
		service := !isARN && strings.Contains(name, ".amazonaws.com")
		if service || name == account || isARN && a.account == account && a.kind != "saml-provider" && a.kind != "oidc-provider" {
			continue
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// caller is who assumed a role, so that a newcomer can be told from those who
// did before: a service, an identity provider, an outside account, else the
// user or role.
func (c *call) caller() string {
	switch {
	case c.identityType == "AWSService":
		return c.invokedBy
	case c.param("principalArn") != "": // SAML: the identity itself names a hash
		return c.param("principalArn")
	case c.provider != "":
		return c.provider
	case c.identityType == "AWSAccount" || c.identityAccount != "" && c.identityAccount != c.roleAccount():
		return c.identityAccount
	case c.issuerARN != "":
		return c.issuerARN
	}
	return c.identityARN
}

func (c *call) roleAccount() string {
	role, _ := parseARN(c.roleARN)
	return role.account
}
