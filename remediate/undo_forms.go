package remediate

import (
	"maps"
	"slices"
	"strings"
)

// The forms that the log has and those that the SDK has, beyond names that begin
// with a capital.

// all gives the values of an expression over every event of the change, each once.
func (s *scope) all(expr string) (any, error) {
	var out []any
	seen := map[string]bool{}
	events := s.events
	if len(events) == 0 {
		events = []*event{s.event}
	}
	for _, e := range events {
		one := *s
		one.event = e
		v, err := one.eval(expr)
		if err != nil {
			return nil, err
		}
		for _, t := range textList(v) {
			if text := show(t); !seen[text] {
				seen[text] = true
				out = append(out, t)
			}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// textList is v as a list of texts: numbers are written out, one alone is a list.
func textList(v any) []any {
	list, ok := v.([]any)
	if !ok {
		if isEmpty(v) {
			return nil
		}
		list = []any{v}
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = show(e)
	}
	return out
}

// mapped keeps the keys of a map, which are not names of the API.
func mapped(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, e := range m {
		out[k] = sdkNames(e)
	}
	return out
}

// stringMap writes out the values of a map that the log shows as objects.
func stringMap(v any) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, nil
	}
	out := map[string]any{}
	for k, e := range m {
		if text, ok := e.(string); ok {
			out[k] = text
			continue
		}
		text, err := compactJSON(e)
		if err != nil {
			return nil, err
		}
		out[k] = text
	}
	return out, nil
}

// fieldsOf are the members of a request that say what it changes. Those that
// name the object, and how to carry the call out, are none of them.
func fieldsOf(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{}
	for k, e := range m {
		switch k {
		case "roleName", "instanceArn", "permissionSetArn", "applyImmediately", "clientToken", "clientRequestToken", "dryRun", "eventDataStore", "functionName", "uUID",
			"detectorId", "filterName", "ipSetId", "autoScalingGroupName", "dBInstanceIdentifier", "trustAnchorId", "profileId", "instanceId", "attribute", "queueUrl", "revisionId":
		default:
			out[k] = e
		}
	}
	return out
}

// newRole is the request for a role with the longest session that it gets
// without saying so.
func newRole(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{"maxSessionDuration": 3600.0}
	maps.Copy(out, m)
	return out
}

// kindOf names those members, as text.
func kindOf(v any) any {
	fields, _ := fieldsOf(v).(map[string]any)
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// ruleUpdates are rules of a security group as they are written; the log numbers
// them with a tag.
func ruleUpdates(v any) any {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []any
	for _, r := range list {
		out = append(out, map[string]any{"SecurityGroupRuleId": dig(r, []string{"SecurityGroupRuleId"}), "SecurityGroupRule": ruleRequest(dig(r, []string{"SecurityGroupRule"}))})
	}
	return out
}

// standardsOf are the standards of Security Hub that subscriptions are to. All
// but the oldest are named by region:
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchEnableStandards.html.
func standardsOf(v any) any {
	var out []any
	for _, e := range textList(v) {
		a, ok := parseARN(show(e))
		name, found := strings.CutPrefix(a.resource, "subscription/")
		if !ok || !found {
			return nil
		}
		if name == "cis-aws-foundations-benchmark/v/1.2.0" {
			out = append(out, "arn:"+a.partition+":securityhub:::ruleset/"+name)
			continue
		}
		out = append(out, "arn:"+a.partition+":securityhub:"+a.region+"::standards/"+name)
	}
	return out
}

// s3Lists are members of S3's documents that repeat, and what the SDK calls the
// list of them: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Types.html.
var s3Lists = map[string]string{
	"Rule": "Rules", "Transition": "Transitions", "NoncurrentVersionTransition": "NoncurrentVersionTransitions", "CORSRule": "CORSRules",
	"AllowedMethod": "AllowedMethods", "AllowedOrigin": "AllowedOrigins", "AllowedHeader": "AllowedHeaders", "ExposeHeader": "ExposeHeaders",
	"TopicConfiguration": "TopicConfigurations", "QueueConfiguration": "QueueConfigurations", "CloudFunctionConfiguration": "LambdaFunctionConfigurations",
	"Event": "Events", "FilterRule": "FilterRules", "RoutingRule": "RoutingRules",
}

// s3Words are members that the SDK calls otherwise.
var s3Words = map[string]string{"CloudFunction": "LambdaFunctionArn", "Topic": "TopicArn", "Queue": "QueueArn", "S3Key": "Key"}

// s3Names turns a document of S3, which CloudTrail shows as the XML that was
// sent, into the SDK's form: a repeated member is a list, also of one.
func s3Names(v any) any { return s3In(v, "") }

func s3In(v any, parent string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s3In(e, parent)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if strings.HasPrefix(k, "xmlns") || e == nil {
				continue
			}
			name := k
			list, repeats := s3Lists[k]
			switch {
			case repeats:
				name = list
			// Several tags stand in an And; a lone one is a member of the filter.
			case k == "Tag" && parent == "And":
				name, repeats = "Tags", true
			// The list of routing rules and that of grants have a member around them.
			case k == "RoutingRules" || k == "TargetGrants":
				e, name = unwrap(e), k
			case s3Words[k] != "":
				name = s3Words[k]
			}
			if e = s3In(e, k); k == "Filter" && e == "" {
				e = map[string]any{"Prefix": ""}
			}
			if _, isList := e.([]any); repeats && !isList {
				e = []any{e}
			}
			out[name] = e
		}
		return out
	}
	return v
}

// unwrap is the list in an object that has nothing else.
func unwrap(v any) any {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return v
	}
	for _, e := range m {
		if _, isList := e.([]any); !isList {
			e = []any{e}
		}
		return e
	}
	return v
}

// apply carries a function of an expression out.
func apply(fn string, v any) (any, error) {
	switch fn {
	case "name":
		if s, ok := v.(string); ok {
			return lastSegment(s), nil
		}
		return nil, nil
	case "list":
		return []any{v}, nil
	case "sdk":
		if m, ok := v.(map[string]any); ok && len(m) == 0 {
			return nil, nil // how EC2 records a list that was not given
		}
		return sdkNames(v), nil
	case "text":
		return show(v), nil
	case "standard":
		return standardsOf(v), nil
	case "role":
		return newRole(v), nil
	case "texts":
		return textList(v), nil
	case "mapped":
		return mapped(v), nil
	case "s3":
		return s3Names(v), nil
	case "rules":
		return ruleUpdates(v), nil
	case "strings":
		return stringMap(v)
	case "fields":
		return fieldsOf(v), nil
	case "kind":
		return kindOf(v), nil
	}
	if member, ok := strings.CutPrefix(fn, "of."); ok {
		var out []any
		for _, e := range textList(v) {
			out = append(out, map[string]any{member: e})
		}
		return out, nil
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	return compactJSON(v)
}
