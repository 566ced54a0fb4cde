package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// gateway is what lets identities from outside IAM into roles: an identity
// provider, a trust anchor or profile of Roles Anywhere, an identity pool, a
// permission set.
type gateway string

const (
	identityProvider gateway = "identity_provider"
	trustAnchor      gateway = "trust_anchor"
	anywhereProfile  gateway = "roles_anywhere_profile"
	identityPool     gateway = "identity_pool"
	permissionSet    gateway = "permission_set"
	poolIdentity     gateway = "pool_identity"
	centerDirectory  gateway = "identity_store"
)

// opening is a call that makes or changes a gateway.
type opening struct {
	gateway gateway
	how     How
	arn     []string // where the response names the gateway, else the request
}

// openings are the calls that make or change gateways.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSAMLProvider.html, …API_AddClientIDToOpenIDConnectProvider.html,
// https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html, …API_CreateProfile.html,
// https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_SetIdentityPoolRoles.html,
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html
var openings = map[string]opening{
	"iam:CreateSAMLProvider":                                   {identityProvider, Created, []string{"sAMLProviderArn"}},
	"iam:UpdateSAMLProvider":                                   {identityProvider, TrustChanged, []string{"sAMLProviderArn"}},
	"iam:CreateOpenIDConnectProvider":                          {identityProvider, Created, []string{"openIDConnectProviderArn"}},
	"iam:AddClientIDToOpenIDConnectProvider":                   {identityProvider, TrustChanged, []string{"openIDConnectProviderArn"}},
	"iam:UpdateOpenIDConnectProviderThumbprint":                {identityProvider, TrustChanged, []string{"openIDConnectProviderArn"}},
	"rolesanywhere:CreateTrustAnchor":                          {trustAnchor, Created, []string{"trustAnchor", "trustAnchorArn"}},
	"rolesanywhere:UpdateTrustAnchor":                          {trustAnchor, TrustChanged, []string{"trustAnchor", "trustAnchorArn"}},
	"rolesanywhere:EnableTrustAnchor":                          {trustAnchor, TrustChanged, []string{"trustAnchor", "trustAnchorArn"}},
	"rolesanywhere:CreateProfile":                              {anywhereProfile, Created, []string{"profile", "profileArn"}},
	"rolesanywhere:UpdateProfile":                              {anywhereProfile, PolicyChanged, []string{"profile", "profileArn"}},
	"rolesanywhere:EnableProfile":                              {anywhereProfile, PolicyChanged, []string{"profile", "profileArn"}},
	"cognito-identity:CreateIdentityPool":                      {identityPool, Created, []string{"identityPoolId"}},
	"cognito-identity:UpdateIdentityPool":                      {identityPool, TrustChanged, []string{"identityPoolId"}},
	"cognito-identity:SetIdentityPoolRoles":                    {identityPool, TrustChanged, []string{"identityPoolId"}},
	"cognito-identity:GetOpenIdTokenForDeveloperIdentity":      {poolIdentity, Assumed, []string{"identityId"}},
	"sso:CreatePermissionSet":                                  {permissionSet, Created, []string{"permissionSet", "permissionSetArn"}},
	"sso:AttachManagedPolicyToPermissionSet":                   {permissionSet, PolicyChanged, []string{"permissionSetArn"}},
	"sso:AttachCustomerManagedPolicyReferenceToPermissionSet":  {permissionSet, PolicyChanged, []string{"permissionSetArn"}},
	"sso:PutInlinePolicyToPermissionSet":                       {permissionSet, PolicyChanged, []string{"permissionSetArn"}},
	"sso-directory:EnableExternalIdPConfigurationForDirectory": centerIdP, "sso:EnableExternalIdPConfigurationForDirectory": centerIdP,
	"sso-directory:ImportExternalIdPCertificate": centerIdP, "sso:ImportExternalIdPCertificate": centerIdP,
}

// centerIdP is the change of the identity provider that signs the users of
// Identity Center in.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
var centerIdP = opening{centerDirectory, TrustChanged, []string{"directoryId"}}

// closings are the calls that end what came through a gateway, or that replace
// what was changed.
var closings = map[gateway][]string{
	identityProvider: {"DeleteSAMLProvider", "DeleteOpenIDConnectProvider"},
	trustAnchor:      {"DeleteTrustAnchor", "DisableTrustAnchor"},
	anywhereProfile:  {"DeleteProfile", "DisableProfile"},
	identityPool:     {"DeleteIdentityPool"},
	permissionSet:    {"DeletePermissionSet"},
	centerDirectory:  {"DisableExternalIdPConfigurationForDirectory"},
}

// open takes over what a call of the lineage lets identities in through.
func (c *closure) open(ctx context.Context, made *call, by *node, o opening) error {
	arn := member(made.response, o.arn...)
	if arn == "" {
		arn = made.param(o.arn[len(o.arn)-1])
	}
	if arn == "" || !strings.HasPrefix(arn, "arn:") && o.gateway != poolIdentity {
		if arn = made.gatewayARN(o.gateway, arn); arn == "" {
			return nil
		}
	}
	who := identity{arn: arn, account: made.account}
	w := &takeover{how: o.how, who: who, kind: string(o.gateway), name: arn[strings.LastIndex(arn, "/")+1:], from: made.time, by: by, made: made}
	if o.gateway == poolIdentity {
		w.who.arn = ""
		w.name = arn
		c.take(w)
		return nil
	}
	why := "made by the lineage"
	if o.how != Created {
		why = "the lineage changed whom it lets in: " + made.api()
		if o.how == PolicyChanged {
			why = "the lineage changed what it lets do: " + made.api()
		}
	}
	c.note(made, by, who, string(o.gateway), o.how, why)
	if o.gateway == permissionSet {
		if o.how != Created {
			return nil // who has it had it before
		}
		w.name = made.param("name")
	}
	var err error
	if w.until, err = c.closed(ctx, w, o.gateway); err != nil {
		return err
	}
	c.take(w)
	return nil
}

// gatewayARN is the ARN of a gateway that only its id names.
func (c *call) gatewayARN(g gateway, id string) string {
	arn := func(service, region, path, id string) string {
		if id == "" {
			return ""
		}
		return "arn:" + c.partition() + ":" + service + ":" + region + ":" + c.account + ":" + path + "/" + id
	}
	switch g {
	case trustAnchor:
		return arn("rolesanywhere", c.region, "trust-anchor", c.param("trustAnchorId"))
	case anywhereProfile:
		return arn("rolesanywhere", c.region, "profile", c.param("profileId"))
	case identityPool:
		return arn("cognito-identity", c.region, "identitypool", id)
	case centerDirectory:
		return arn("identitystore", "", "identitystore", id)
	}
	return ""
}

// closed is when a gateway was removed, or the change to it replaced; zero when
// it was not.
func (c *closure) closed(ctx context.Context, w *takeover, g gateway) (time.Time, error) {
	names := closings[g]
	if w.made.name == "UpdateSAMLProvider" || w.made.name == "UpdateTrustAnchor" || w.made.name == "UpdateOpenIDConnectProviderThumbprint" {
		names = append(slices.Clone(names), w.made.name)
	}
	if c.closings == nil {
		all := []string{"UpdateSAMLProvider", "UpdateTrustAnchor", "UpdateOpenIDConnectProviderThumbprint"}
		for _, names := range closings {
			all = append(all, names...)
		}
		calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE list_contains(?::VARCHAR[], c.event_name)`, all)
		if err != nil {
			return time.Time{}, err
		}
		c.closings = append([]*call{}, calls...)
	}
	id := w.who.arn[strings.LastIndex(w.who.arn, "/")+1:]
	for _, made := range c.closings {
		if made.time.After(w.from) && slices.Contains(names, made.name) && strings.Contains(made.request, id) {
			return made.time, nil
		}
	}
	return time.Time{}, nil
}

// cameThrough finds the sessions that came in through a gateway: all where the
// lineage made it; where it changed one that others use, those of subjects that
// had not come before, and those from where the keys were misused.
func (c *closure) cameThrough(ctx context.Context, w *takeover) error {
	needle := w.name
	switch gateway(w.kind) {
	case permissionSet:
		needle = "AWSReservedSSO_" + w.name + "_"
	case centerDirectory:
		needle = "AWSReservedSSO_"
	case identityProvider:
		_, needle, _ = strings.Cut(w.who.arn, "-provider/")
	}
	if w.name == "" || needle == "" {
		return nil
	}
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.issued_access_key_id IS NOT NULL
		AND (c.event_name IN ('AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'GetCredentialsForIdentity') OR c.event_source = 'rolesanywhere.amazonaws.com')
		AND contains(concat_ws(' ', c.principal_id, c.federated_provider, c.identity_provider, c.request_parameters, c.details), ?)`, needle)
	if err != nil {
		return err
	}
	came := map[string]bool{}
	for _, made := range calls {
		if !w.lets(made) {
			continue
		}
		if made.time.Before(w.from) {
			came[made.subject()] = true
			continue
		}
		if !w.covers(made.time) {
			continue
		}
		name := strings.ReplaceAll(w.kind, "_", " ")
		switch audience := w.made.param("clientID"); {
		case w.kind == string(poolIdentity):
			c.descend(w, made, "for the identity of a pool that the lineage took a token for")
		case w.how == Created:
			c.descend(w, made, "came in through the "+name+" that the lineage created")
		case audience != "" && strings.Contains(made.principalID, w.who.arn+":"):
			if strings.HasPrefix(made.principalID, w.who.arn+":"+audience+":") {
				c.descend(w, made, "came in through the "+name+" for the audience that the lineage added to it")
			}
		case !came[made.subject()]:
			c.descend(w, made, "came in through the "+name+" that the lineage changed, and had not before")
		case c.misused[network(made.address)]:
			c.descend(w, made, "came in through the "+name+" that the lineage changed, from a network ("+network(made.address)+") that the key was misused from")
		}
	}
	if w.kind == string(identityProvider) && w.how == Created {
		return c.hiddenFederation(ctx, w)
	}
	return nil
}

// lets reports whether a call came in through a gateway.
func (w *takeover) lets(made *call) bool {
	switch gateway(w.kind) {
	case identityProvider:
		_, host, _ := strings.Cut(w.who.arn, "-provider/")
		return made.provider == w.who.arn || made.param("principalArn") == w.who.arn ||
			made.provider == host && made.name == "AssumeRoleWithWebIdentity" && made.roleAccount() == w.who.account
	case trustAnchor:
		return made.param("trustAnchorArn") == w.who.arn
	case anywhereProfile:
		return made.param("profileArn") == w.who.arn
	case identityPool:
		return strings.Contains(made.principalID, ":"+w.name+":") || strings.Contains(made.details, "/"+w.name+`"`) || made.param("identityPoolId") == w.name
	case poolIdentity:
		return made.param("identityId") == w.name || strings.HasSuffix(made.principalID, ":"+w.name)
	case centerDirectory:
		_, isSet := setOf(roleName(made.roleARN))
		return isSet
	case permissionSet:
		role, ok := parseARN(made.roleARN)
		set, isSet := setOf(role.name)
		return ok && isSet && set == w.name
	}
	return false
}

// setOf is the name of the permission set that a role of Identity Center is for:
// of AWSReservedSSO_Admin_0123456789abcdef it is Admin.
func setOf(role string) (string, bool) {
	rest, ok := strings.CutPrefix(role, "AWSReservedSSO_")
	if i := strings.LastIndexByte(rest, '_'); ok && i > 0 {
		return rest[:i], true
	}
	return "", false
}

// subject is who came in through a gateway, and into which role.
func (c *call) subject() string {
	who := c.principalID
	if strings.HasPrefix(c.source, "rolesanywhere.") || who == "" {
		who = c.issuedARN
	}
	return who + " " + c.roleARN
}

// hiddenFederation finds the sessions of a created identity provider whose issue
// is not in the log: their records name it.
func (c *closure) hiddenFederation(ctx context.Context, w *takeover) error {
	var keys []keyUse
	err := c.t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k WHERE k.access_key_id IN (
		    SELECT access_key_id FROM trace_identities JOIN identities USING (identity_id) WHERE federated_provider = ? AND last_used >= ?)
		AND `+notIssued+` ORDER BY k.first_used, k.access_key_id`, []any{w.who.arn, w.from}, func(scan func(...any) error) error {
		var k keyUse
		err := k.scan(scan)
		keys = append(keys, k)
		return err
	})
	for i := range keys {
		if c.byID[keys[i].id] == nil && !keys[i].forwarded {
			n := c.unexplained(&keys[i], w.by, later(keys[i].created, w.from), w.actor, "its records name the identity provider that the lineage created")
			n.source = w
		}
	}
	return err
}

// profileUsed takes over the instances that run with an instance profile that
// the lineage made or put a role into.
func (c *closure) profileUsed(ctx context.Context, w *takeover) error {
	compute, err := c.readWorkloads(ctx)
	if err != nil {
		return fmt.Errorf("read calls to compute: %w", err)
	}
	for _, work := range compute.launchedWith(w.made.account, w.name) {
		c.take(&takeover{how: CodeChanged, kind: "role", name: work.what(), from: later(work.time, w.from), by: w.by, made: w.made, work: work})
	}
	return nil
}
