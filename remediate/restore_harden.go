package remediate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"trailscan/lineage"
)

// hardening is a change that would have stopped calls that the log shows.
type hardening struct {
	name   string // for the action's id
	stops  func(p *planner, e *event) bool
	title  string
	why    string // after "It would have stopped …"
	risk   string
	bounds bool                                                     // the call itself would have gone through
	advice func(p *planner, account string, events []*event) string // a policy's text, or nil
}

// listed says of some APIs that an event is a call of one.
func listed(calls ...string) func(*planner, *event) bool {
	return func(_ *planner, e *event) bool { return slices.Contains(calls, e.source+":"+e.name) }
}

// hardenings are in the order in which a team can have them: what one account
// can do alone first. None is planned that the log gives no event for.
var hardenings = []hardening{
	{
		name:  "mfa",
		stops: withoutMFA,
		title: "Ask for MFA: deny everything but setting it up to whoever signed in without",
		why:   "these were made without MFA. The owner's sessions before the compromise had it, or the sign-in was by password alone.",
		risk:  "Programs that use a user's key have no MFA and stop: give them roles first.",
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html
		advice: fixedPolicy(`{"Version":"2012-10-17","Statement":[{"Sid":"DenyAllExceptListedIfNoMFA","Effect":"Deny","NotAction":["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:GetUser","iam:ListMFADevices","iam:ListVirtualMFADevices","iam:ResyncMFADevice","sts:GetSessionToken"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`),
	},
	{
		name:  "boundary",
		stops: listed("iam:CreateUser", "iam:CreateRole", "iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:PutRolePolicy", "iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
		title: "Let nobody make or empower users and roles without a permissions boundary",
		why:   "who is allowed to call iam:CreateUser, CreateRole, Attach… or Put…Policy could make an administrator. With the boundary what it makes can do no more than the boundary allows.",
		risk:  "Pipelines that create roles must name the boundary. Write the boundary's policy first, and put its ARN in place of BOUNDARY.",
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
		advice: func(p *planner, account string, events []*event) string {
			var actions []string
			for _, e := range events {
				if !strings.HasPrefix(e.name, "Delete") {
					actions = append(actions, `"iam:`+e.name+`"`)
				}
			}
			slices.Sort(actions)
			policy := `{"Sid":"KeepBoundary","Effect":"Deny","Action":["iam:DeleteUserPermissionsBoundary","iam:DeleteRolePermissionsBoundary"],"Resource":"*"}`
			if actions = slices.Compact(actions); len(actions) > 0 {
				policy = fmt.Sprintf(`{"Sid":"OnlyWithBoundary","Effect":"Deny","Action":[%s],"Resource":"*","Condition":{"StringNotEquals":{"iam:PermissionsBoundary":"arn:%s:iam::%s:policy/BOUNDARY"}}},`,
					strings.Join(actions, ","), p.partition, account) + policy
			}
			return `{"Version":"2012-10-17","Statement":[` + policy + `]}`
		},
	},
	{
		name:  "access-keys",
		stops: listed("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:CreateServiceSpecificCredential", "iam:UploadSSHPublicKey"),
		title: "Let a few administrators alone make credentials for others",
		why:   "the principal could make keys and passwords, which are a way back in.",
		risk:  "Who makes keys for others today must be named in the policy.",
		advice: func(p *planner, account string, events []*event) string {
			return `{"Version":"2012-10-17","Statement":[{"Sid":"NoNewCredentials","Effect":"Deny","Action":[` + quotedActions(events) + `],"Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:` +
				p.partition + `:iam::` + account + `:role/ADMINISTRATORS"]}}}]}`
		},
	},
	{
		name:  "unused-regions",
		stops: (*planner).inUnusedRegion,
		title: "Deny the regions that were never used before (service control policy, by the organisation's administrator)",
		why:   "before the compromise nobody worked there, as far as the logs reach back.",
		risk:  "Who means to work there later must be let in first. Look whether the logs cover every region and reach back a year.",
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
		advice: (*planner).regionPolicy,
	},
	{
		name: "protect-logs",
		stops: listed("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:DeleteEventDataStore",
			"guardduty:DeleteDetector", "guardduty:UpdateDetector", "guardduty:DisassociateFromMasterAccount", "guardduty:DisassociateFromAdministratorAccount", "guardduty:CreateIPSet", "guardduty:CreateFilter",
			"config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "securityhub:DisableSecurityHub",
			"ec2:DeleteFlowLogs", "logs:DeleteLogGroup", "logs:DeleteLogStream", "detective:DeleteGraph", "macie2:DisableMacie", "inspector2:Disable", "access-analyzer:DeleteAnalyzer"),
		title: "Protect logging and detection from every account's administrators (service control policy, by the organisation's administrator)",
		why:   "the intruder switched off or narrowed what watches the account.",
		risk:  "Changes to trails and detectors then go through the role that the policy names. Put its name in place of SECURITY.",
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_cloudtrail.html
		advice: func(p *planner, account string, events []*event) string {
			return `{"Version":"2012-10-17","Statement":[{"Sid":"ProtectLogs","Effect":"Deny","Action":[` + quotedActions(events) + `],"Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:` +
				p.partition + `:iam::*:role/SECURITY"}}}]}`
		},
	},
	{
		name:  "organisation",
		stops: listed("organizations:LeaveOrganization", "account:EnableRegion", "account:PutAlternateContact", "account:DeleteAlternateContact"),
		title: "Deny leaving the organisation and changing the account (service control policy, by the organisation's administrator)",
		why:   "no one in a member account needs these calls.",
		risk:  "None for everyday work.",
		advice: func(_ *planner, _ string, events []*event) string {
			return `{"Version":"2012-10-17","Statement":[{"Sid":"KeepAccount","Effect":"Deny","Action":[` + quotedActions(events) + `],"Resource":"*"}]}`
		},
	},
	{
		name:   "secrets",
		stops:  listed("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"),
		title:  "Have secrets rotated automatically, and let only their users read them",
		bounds: true,
		why:    "what was read stays good until it is changed: rotation bounds how long, a resource policy on the secret bounds who.",
		risk:   "What keeps an old value in memory fails at each rotation.",
	},
	{
		name:  "snapshots",
		stops: sharesOutside,
		title: "Block public sharing of snapshots and images (ec2 EnableSnapshotBlockPublicAccess, EnableImageBlockPublicAccess, in every region)",
		why:   "they shared snapshots or images with everyone.",
		risk:  "What is public on purpose is no longer found by others.",
	},
}

// fixedPolicy is an advice that is the same for all.
func fixedPolicy(text string) func(*planner, string, []*event) string {
	return func(*planner, string, []*event) string { return text }
}

// quotedActions are the IAM actions of events, as a JSON list's elements. The
// event sources of the tables are the prefixes of their actions.
func quotedActions(events []*event) string {
	var actions []string
	for _, e := range events {
		actions = append(actions, `"`+e.source+":"+e.name+`"`)
	}
	slices.Sort(actions)
	return strings.Join(slices.Compact(actions), ",")
}

// harden plans what would have stopped the incident. All of it is a person's.
func (p *planner) harden() {
	p.replaceKeys()
	for _, h := range hardenings {
		byAccount := map[string][]*event{}
		for _, e := range p.evidence.events {
			if e.invokedBy == "" && !e.unclear && h.stops(p, e) {
				byAccount[e.accountID] = append(byAccount[e.accountID], e)
			}
		}
		for _, account := range slices.Sorted(maps.Keys(byAccount)) {
			events := byAccount[account]
			effect := "stopped"
			if h.bounds {
				effect = "bounded the damage of"
			}
			reason := fmt.Sprintf("It would have %s %s of the intruder: %s", effect, calls(len(events)), h.why)
			if h.advice != nil {
				reason += " For example: " + h.advice(p, account, events)
			}
			p.addAs(&Action{
				Phase: Restore, Mode: Manual, AccountID: account, Region: globalRegion(p.partition), Title: h.title, Reason: reason, Risk: h.risk, Evidence: eventIDs(events),
			}, "harden "+h.name+" "+account)
		}
	}
	p.blockPublicAccess()
	p.metadataTokens()
}

func calls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}

// replaceKeys says of each leaked long-term key that a role needs none.
func (p *planner) replaceKeys() {
	for _, h := range p.holders {
		if h.created || h.kind != "user" || p.protection(h) != "" {
			continue
		}
		var keys []string
		for _, c := range h.credentials {
			if c.Kind == lineage.LongTerm && c.Parent == nil {
				keys = append(keys, c.ID)
			}
		}
		if len(keys) == 0 {
			continue
		}
		p.addAs(&Action{
			Phase: Restore, Mode: Manual, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")), Evidence: h.evidence,
			Title: "Replace the access keys of " + h.name + " by something that expires",
			Reason: "The key " + strings.Join(keys, ", ") + " was good until someone noticed. A person signs in through IAM Identity Center; a program takes a role: of its instance, task or function, by OIDC from a pipeline, by Roles Anywhere from elsewhere. " +
				"Those credentials end within hours. What must keep a key gets a policy with aws:SourceIp or aws:SourceVpce of where it runs.",
			Risk: "Each program that uses the key must be changed first; the actions of contain name what used it.",
		}, "harden replace keys "+h.name)
	}
}

// withoutMFA is a sign-in by password alone, or a call of a user whose owner
// signed in with MFA before and whom the intruder used without.
func withoutMFA(p *planner, e *event) bool {
	if e.source == "signin" && e.name == "ConsoleLogin" && !e.failedSignIn() {
		return dig(e.additional, []string{"MFAUsed"}) == "No" && dig(e.identity, []string{"type"}) == "IAMUser"
	}
	id, _ := dig(e.identity, []string{"principalId"}).(string)
	return dig(e.identity, []string{"type"}) == "IAMUser" && p.evidence.ordinary.mfa[id] &&
		fmt.Sprint(dig(e.identity, strings.Split("sessionContext.attributes.mfaAuthenticated", "."))) != "true"
}

// globalHome are regions where a partition's global services leave their events.
var globalHome = []string{"us-east-1", "us-gov-west-1", "cn-north-1"}

// inUnusedRegion says that nobody is seen in an event's region before the
// compromise, in logs that reach back to the use of other regions.
func (p *planner) inUnusedRegion(e *event) bool {
	used := p.evidence.ordinary.regions[e.accountID]
	return len(used) > 0 && used[e.region] == 0 && regionForm.MatchString(e.region) && !slices.Contains(globalHome, e.region)
}

// regionPolicy denies all regions but those that were used before.
func (p *planner) regionPolicy(account string, _ []*event) string {
	var used []string
	for _, r := range slices.Sorted(maps.Keys(p.evidence.ordinary.regions[account])) {
		if regionForm.MatchString(r) {
			used = append(used, `"`+r+`"`)
		}
	}
	if home := `"` + globalRegion(p.partition) + `"`; !slices.Contains(used, home) {
		used = append(used, home)
	}
	return `{"Version":"2012-10-17","Statement":[{"Sid":"DenyUnusedRegions","Effect":"Deny","NotAction":["iam:*","organizations:*","account:*","route53:*","route53domains:*","cloudfront:*","globalaccelerator:*","waf:*","shield:*","support:*","sts:*","budgets:*","ce:*","health:*","s3:ListAllMyBuckets","s3:GetBucketLocation"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":[` +
		strings.Join(used, ",") + `]}}}]}`
}

// sharesOutside is a snapshot or image that everyone may use.
func sharesOutside(_ *planner, e *event) bool {
	added := []any{dig(e.request, []string{"createVolumePermission", "add"}), dig(e.request, []string{"launchPermission", "add"})}
	return e.source == "ec2" && (e.name == "ModifySnapshotAttribute" || e.name == "ModifyImageAttribute") && leaves(added)["all"]
}

// opensBucket is a change that lets everyone into a bucket.
func opensBucket(e *event) bool {
	if e.source != "s3" {
		return false
	}
	switch e.name {
	case "DeleteBucketPublicAccessBlock":
		return true
	case "PutBucketPublicAccessBlock":
		return dig(e.request, []string{"PublicAccessBlockConfiguration", "RestrictPublicBuckets"}) == false
	case "PutBucketAcl", "PutObjectAcl":
		text := asciiJSON(e.request)
		return strings.Contains(text, "groups/global/") || strings.Contains(text, "public-read")
	case "PutBucketPolicy":
		policy, isText := dig(e.request, []string{"bucketPolicy"}).(string)
		document := dig(e.request, []string{"bucketPolicy"})
		if isText {
			document = parseJSON(policy)
		}
		return slices.ContainsFunc(statements(document), func(s any) bool {
			principal := dig(s, []string{"Principal"})
			return dig(s, []string{"Effect"}) == "Allow" && dig(s, []string{"Condition"}) == nil && (principal == "*" || dig(principal, []string{"AWS"}) == "*")
		})
	}
	return false
}

// statements are those of a policy, one or many.
func statements(document any) []any {
	switch s := dig(document, []string{"Statement"}).(type) {
	case []any:
		return s
	case map[string]any:
		return []any{s}
	}
	return nil
}

// blockPublicAccess closes all buckets of an account to the public.
func (p *planner) blockPublicAccess() {
	byAccount := map[string][]*event{}
	for _, e := range p.evidence.events {
		if !e.unclear && opensBucket(e) {
			byAccount[e.accountID] = append(byAccount[e.accountID], e)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		all := map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}
		read := Read{Call{Service: "s3control", Operation: "GetPublicAccessBlock", Parameters: map[string]any{"AccountId": account}}, "PublicAccessBlockConfiguration.RestrictPublicBuckets"}
		p.addAs(&Action{
			Phase: Restore, Mode: Review, AccountID: account, Region: globalRegion(p.partition), Service: "s3control", Operation: "PutPublicAccessBlock",
			Parameters: map[string]any{"AccountId": account, "PublicAccessBlockConfiguration": all}, Verify: []Check{{Read: read, Equals: true}},
			Title:    "Block public access to all buckets of the account " + account,
			Reason:   fmt.Sprintf("It would have stopped %s of the intruder that opened buckets to everyone. What stands there now is not in the log, so there is no exact way back: read it first.", calls(len(byAccount[account]))),
			Risk:     "Buckets that are public on purpose, such as web sites, are closed: serve them through CloudFront first.",
			Evidence: eventIDs(byAccount[account]),
		}, "block public access "+account)
	}
}

var instanceForm = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// metadataTokens asks for IMDSv2 where the intruder used credentials of an
// instance that were handed out by version 1, as CloudTrail says
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
func (p *planner) metadataTokens() {
	byInstance := map[[2]string][]*event{} // by account and instance; where it runs is not in the record
	var order [][2]string
	for _, e := range p.evidence.events {
		if instance := lastSegment(e.identityARN); !e.unclear && instanceForm.MatchString(instance) &&
			fmt.Sprint(dig(e.identity, []string{"sessionContext", "ec2RoleDelivery"})) == "1.0" {
			at := [2]string{e.accountID, instance}
			if byInstance[at] == nil {
				order = append(order, at)
			}
			byInstance[at] = append(byInstance[at], e)
		}
	}
	for _, at := range order {
		events, instance := byInstance[at], at[1]
		p.addAs(&Action{
			Phase: Restore, Mode: Manual, AccountID: at[0], Region: globalRegion(p.partition),
			Title:    "Ask for IMDSv2 on the instance " + instance + " and as the account's default",
			Reason:   fmt.Sprintf("The intruder made %s with the instance's role, whose credentials version 1 of the metadata service had handed out (ec2RoleDelivery 1.0). Version 2 gives none to whoever can only have the instance fetch a URL. In the region where it runs: aws ec2 modify-instance-metadata-options --http-tokens required, and modify-instance-metadata-defaults for new ones.", calls(len(events))),
			Risk:     "Old SDKs on the instance that know version 1 only fail: see its metric MetadataNoToken first.",
			Evidence: eventIDs(events),
		}, "harden imdsv2 "+instance)
	}
}
