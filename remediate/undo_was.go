package remediate

import (
	"maps"
	"slices"
)

// What stood there before, where one earlier event does not show it: maps and
// sets that calls add to and take from, and states that stand in the answer to
// another call.

// at gives the value of an expression of an event, nil when there is none.
func (e *event) at(expr string) any {
	v, err := (&scope{event: e}).eval(expr)
	if err != nil {
		return nil
	}
	return v
}

// text is that value as text.
func (e *event) text(expr string) string {
	v := e.at(expr)
	if v == nil {
		return ""
	}
	return show(v)
}

// list is that value as a list.
func (e *event) list(expr string) []any {
	v := e.at(expr)
	if list, ok := v.([]any); ok || v == nil {
		return list
	}
	return []any{v}
}

// past are the events of others through an API before the change, in order.
func (h history) past(c *change, mine map[*event]bool, names ...string) []*event {
	var out []*event
	for _, n := range names {
		for _, e := range h[c.first().source+":"+n] {
			if !mine[e] && h.earlier(c, e) {
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *event) int { return a.time.Compare(b.time) })
	return out
}

// tagging are the calls that set and remove the tags of a kind of thing, and
// where they say of which, and which.
type tagging struct {
	create, tag, untag string
	subject, made      string
	tags, dropped      string
}

var (
	userTags = tagging{create: "CreateUser", tag: "TagUser", untag: "UntagUser", subject: "rq.userName", made: "rq.userName", tags: "rq.tags", dropped: "rq.tagKeys"}
	roleTags = tagging{create: "CreateRole", tag: "TagRole", untag: "UntagRole", subject: "rq.roleName", made: "rq.roleName", tags: "rq.tags", dropped: "rq.tagKeys"}
	ec2Tags  = tagging{tag: "CreateTags", untag: "DeleteTags", subject: "rq.resourcesSet.items[].resourceId", tags: "rq.tagSet.items", dropped: "rq.tagSet.items[].key"}
)

// before gives what the tags that a change touched were: set has those to put
// back, drop those that the log does not show before.
func (t tagging) before(h history, c *change, mine map[*event]bool) any {
	subject := c.first().text(t.subject)
	if c.el != nil {
		subject = show(c.el)
	}
	old, now, touched := map[string]string{}, map[string]string{}, map[string]bool{}
	fold := func(into map[string]string, e *event) {
		if e.accountID != c.first().accountID || e.place() != c.first().place() || !slices.Contains(append(textList(e.at(t.subject)), e.text(t.made)), any(subject)) {
			return
		}
		if e.name == t.untag {
			for _, k := range e.list(t.dropped) {
				delete(into, show(k))
			}
			return
		}
		for _, tag := range e.list(t.tags) {
			if k, ok := dig(tag, []string{"key"}).(string); ok {
				v, _ := dig(tag, []string{"value"}).(string)
				into[k] = v
			}
		}
	}
	var all []*event
	for _, n := range []string{t.create, t.tag, t.untag} {
		all = append(all, h[c.first().source+":"+n]...)
	}
	slices.SortStableFunc(all, func(a, b *event) int { return a.time.Compare(b.time) })
	for _, e := range all {
		if !mine[e] && e.time.Before(c.first().time) {
			fold(old, e)
		}
		fold(now, e)
	}
	for _, e := range c.events {
		for _, k := range append(e.list(t.tags+"[].key"), e.list(t.dropped)...) {
			touched[show(k)] = true
		}
	}
	var set, drop []any
	for _, k := range slices.Sorted(maps.Keys(touched)) {
		v, had := old[k]
		w, has := now[k]
		switch {
		case had && (!has || v != w):
			set = append(set, map[string]any{"Key": k, "Value": v})
		case !had && has:
			drop = append(drop, k)
		}
	}
	if len(set) == 0 && len(drop) == 0 {
		if c.first().name == t.untag {
			return nil // what was taken off is not in the log
		}
		return asBefore
	}
	return map[string]any{"set": set, "drop": drop}
}

// trailWithSelectors is a deleted trail, with what it recorded.
func trailWithSelectors(h history, c *change, mine map[*event]bool) any {
	was, ok := h.shown(c, mine).(map[string]any)
	if !ok {
		return nil
	}
	was = maps.Clone(was)
	for _, e := range h.past(c, mine, "PutEventSelectors") {
		if e.text("name(rq.trailName)") == c.objects[0] {
			was["eventSelectors"], was["advancedEventSelectors"] = e.at("rq.eventSelectors"), e.at("rq.advancedEventSelectors")
		}
	}
	return was
}

// groupSettings are the retention and the subscriptions of a deleted log group.
// It can have two: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html.
func groupSettings(h history, c *change, mine map[*event]bool) any {
	was, filters := map[string]any{}, map[string]any{}
	for _, e := range h.past(c, mine, "PutRetentionPolicy", "DeleteRetentionPolicy", "PutSubscriptionFilter", "DeleteSubscriptionFilter", "DeleteLogGroup") {
		if e.text("rq.logGroupName") != c.objects[0] {
			continue
		}
		switch e.name {
		case "PutRetentionPolicy":
			was["retentionInDays"] = e.at("rq.retentionInDays")
		case "DeleteRetentionPolicy":
			delete(was, "retentionInDays")
		case "PutSubscriptionFilter":
			filters[e.text("rq.filterName")] = e.request
		case "DeleteSubscriptionFilter":
			delete(filters, e.text("rq.filterName"))
		case "DeleteLogGroup":
			clear(was)
			clear(filters)
		}
	}
	for i, name := range slices.Sorted(maps.Keys(filters)) {
		if i < 2 {
			was[[]string{"first", "second"}[i]] = filters[name]
		}
	}
	if len(was) == 0 {
		return nil
	}
	return was
}

// defaultBefore is the version of a policy that was the default before the change,
// nil where it has been deleted since.
func defaultBefore(h history, c *change, mine map[*event]bool) any {
	var version any
	for _, e := range h.past(c, mine, "CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion") {
		if arn := e.text("rs.policy.arn|rq.policyArn"); arn != c.objects[0] {
			continue
		}
		switch {
		case e.name == "CreatePolicy":
			version = e.at("rs.policy.defaultVersionId")
		case e.name == "SetDefaultPolicyVersion":
			version = e.at("rq.versionId")
		case e.text("rs.policyVersion.isDefaultVersion|rq.setAsDefault") == "true":
			version = e.at("rs.policyVersion.versionId")
		}
	}
	for _, e := range h[c.first().source+":DeletePolicyVersion"] {
		if e.text("rq.policyArn") == c.objects[0] && any(e.text("rq.versionId")) == version && e.accountID == c.first().accountID {
			return nil
		}
	}
	if version == nil {
		return nil
	}
	if c.last().name == "SetDefaultPolicyVersion" && c.last().at("rq.versionId") == version {
		return asBefore
	}
	return version
}

// ruleWithTargets is a deleted rule of EventBridge, with its targets.
func ruleWithTargets(h history, c *change, mine map[*event]bool) any {
	was, ok := h.shown(c, mine).(map[string]any)
	if !ok {
		return nil
	}
	was = maps.Clone(was)
	was["targets"] = targetsOf(h, c, mine, nil)
	return was
}

// targetsTaken are the targets that were taken off a rule, as they were.
func targetsTaken(h history, c *change, mine map[*event]bool) any {
	ids := map[string]bool{}
	for _, el := range c.elements {
		ids[el] = true
	}
	found := targetsOf(h, c, mine, ids)
	if len(found) == 0 || len(found) < len(ids) {
		return nil
	}
	return found
}

func targetsOf(h history, c *change, mine map[*event]bool, ids map[string]bool) []any {
	targets := map[string]any{}
	for _, e := range h.past(c, mine, "PutTargets", "RemoveTargets") {
		if e.text("rq.rule") != c.objects[0] {
			continue
		}
		for _, id := range e.list("rq.ids") {
			delete(targets, show(id))
		}
		for _, t := range e.list("rq.targets") {
			if id, ok := dig(t, []string{"id"}).(string); ok {
				targets[id] = t
			}
		}
	}
	var out []any
	for _, id := range slices.Sorted(maps.Keys(targets)) {
		if ids == nil || ids[id] {
			out = append(out, sdkNames(targets[id]))
		}
	}
	return out
}

// codeBefore is where the code of a function was deployed from.
func codeBefore(h history, c *change, mine map[*event]bool) any {
	var was any
	for _, e := range h.past(c, mine, "CreateFunction", "UpdateFunctionCode") {
		if e.text("name(rq.functionName)") != c.objects[0] {
			continue
		}
		was = nil // deployed from elsewhere
		if e.at("rq.s3Bucket|rq.code.s3Bucket") != nil && e.at("rq.s3Key|rq.code.s3Key") != nil {
			was = map[string]any{"s3Bucket": e.at("rq.s3Bucket|rq.code.s3Bucket"), "s3Key": e.at("rq.s3Key|rq.code.s3Key"), "s3ObjectVersion": e.at("rq.s3ObjectVersion|rq.code.s3ObjectVersion")}
		}
	}
	return was
}
