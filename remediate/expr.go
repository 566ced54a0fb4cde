package remediate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The undo tables say where the values of a call come from in expressions:
//
//	rq.userName            requestParameters.userName
//	rs.user.userName       responseElements; ui: userIdentity; ev.account, ev.region: the event's
//	rq                     the whole of them
//	rq.items.items[].id    of each element, a list; a lone object counts as a list of one
//	rq.a|rs.b              the first that is there
//	name(rq.roleArn)       the name in an ARN
//	json(rq.bucketPolicy)  as JSON text
//	sdk(rq.ipPermissions)  an object with the names that the SDK gives its members
//	list(rq.attribute)     a list of one
//	ours(rq.policyDocument) a trust policy without whom it names outside of the account
//	all(rq.key)            the values of every event of the change, a list
//	text(rq.tags[].key)    one text, of a list with commas
//	texts(rs.version)      a list of texts, whatever there is
//	of.AccountId(rq.ids)   a list of objects with that one member
//	mapped(rq.roles)       a map whose keys are names of someone's choice, its values as with sdk
//	strings(rq.attributes) a map of texts, its documents as JSON text
//	s3(rq.LifecycleConfiguration) an S3 document as the SDK has it
//	standard(rq.arns)      the standards of Security Hub that subscriptions are to
//	fields(rq)             its members besides those that name the object
//	rules(rq.rules)        rules of a security group, as ModifySecurityGroupRules takes them
//	role(rq)               the request for a role with the longest session it gets unsaid
//	kind(rq)               which members a call sets besides those that name its object
//	el                     the element at hand, of an undo that is split
//	prior, prior.kmsKeyId   what stood there before, from an earlier event
//	plan.denyName          the name of the plan's own deny
//	'Inactive'             a literal
//
// A value ending in ? may be missing; its parameter is then left out, and an
// object that is left with none.

// errNoValue says that the log does not show a value that a call needs.
var errNoValue = errors.New("not in the log")

// scope is what expressions see.
type scope struct {
	event *event
	plan  map[string]string
	prior any
	gone  map[string]bool // elements of lists that are to be left out
	// events are those of the change, and el its element where the undo is split.
	events []*event
	el     any
}

var exprForm = regexp.MustCompile(`^(?:(name|json|sdk|list|ours|all|role|text|texts|standard|mapped|s3|kind|fields|rules|strings|of\.[A-Z][A-Za-z0-9]*)\((.+)\)|'([^']*)'|plan\.(denyName)|ev\.(account|region)|el|(rq|rs|ui|ad|prior)(?:\[\])?(?:\.[A-Za-z0-9_.\-\[\]]+)?)$`)

// eval gives the value of an expression, nil when the log lacks it.
func (s *scope) eval(expr string) (any, error) {
	for _, alt := range splitAlternatives(strings.TrimSuffix(expr, "?")) {
		v, err := s.evalOne(alt)
		if err != nil {
			return nil, err
		}
		if !isEmpty(v) || alt == "''" {
			return v, nil
		}
	}
	return nil, nil
}

func (s *scope) evalOne(expr string) (any, error) {
	m := exprForm.FindStringSubmatch(expr)
	if m == nil {
		return nil, fmt.Errorf("expression %q is malformed", expr)
	}
	if m[1] == "all" {
		return s.all(m[2])
	}
	if m[1] != "" {
		v, err := s.eval(m[2])
		if err != nil || v == nil {
			return nil, err
		}
		if text, ok := v.(string); ok && m[1] == "ours" {
			return trustOfAccount(text, s.event.accountID), nil
		}
		return apply(m[1], v)
	}
	root, path, _ := strings.Cut(expr, ".")
	switch {
	case strings.HasPrefix(expr, "'"):
		return m[3], nil
	case root == "plan":
		return s.plan[m[4]], nil
	case root == "ev" && path == "account":
		return s.event.accountID, nil
	case root == "ev":
		return s.event.region, nil
	case root == "el":
		return s.el, plain(s.el)
	}
	roots := map[string]any{"rq": s.event.request, "rs": s.event.response, "ui": s.event.identity, "ad": s.event.additional, "prior": s.prior}
	v := dig(roots, strings.Split(strings.TrimSuffix(root+"."+path, "."), "."))
	if err := plain(v); err != nil {
		return nil, err
	}
	return s.without(v), nil
}

// splitAlternatives splits at the bars outside of parentheses.
func splitAlternatives(expr string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range expr {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, expr[start:i])
				start = i + 1
			}
		}
	}
	return append(out, expr[start:])
}

func compactJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// plain refuses text that the executor would take for one of its own
// substitutions: names in a log are the intruder's choice.
func plain(v any) error {
	for s := range leaves(v) {
		if substitutes(s) {
			return errors.New("a text in the log contains " + Now + ", " + Password + " or " + Item + ", which trailscan would take for its own")
		}
	}
	return nil
}

// substitutes says whether the executor would put something of its own into a
// text. The variables of policies, such as ${aws:username}, are none of them.
func substitutes(text string) bool {
	return slices.ContainsFunc([]string{Now, Password, Item}, func(s string) bool { return strings.Contains(text, s) })
}

// dig follows a path. Names match exactly or, because services differ in the
// case of the first letters (RegionName, regionName), regardless of case.
func dig(v any, path []string) any {
	if len(path) == 0 {
		return v
	}
	name, each := strings.CutSuffix(path[0], "[]")
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	next := member(m, name)
	if !each {
		return dig(next, path[1:])
	}
	elems, ok := next.([]any)
	if !ok {
		if next == nil {
			return nil
		}
		elems = []any{next}
	}
	var out []any
	for _, e := range elems {
		if d := dig(e, path[1:]); !isEmpty(d) {
			out = append(out, d)
		}
	}
	return out
}

func member(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.EqualFold(k, name) {
			return m[k]
		}
	}
	return nil
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// without leaves out of a list what is gone already.
func (s *scope) without(v any) any {
	list, ok := v.([]any)
	if !ok || len(s.gone) == 0 {
		return v
	}
	var out []any
	for _, e := range list {
		if name, ok := e.(string); !ok || !s.gone[name] {
			out = append(out, e)
		}
	}
	return out
}

// sdkNames turns the spelling of a log into the SDK's: members begin with a
// capital, {"items": […]} is the list itself, empty objects are left out, and
// EC2's groups of a permission are called UserIdGroupPairs.
func sdkNames(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, sdkNames(e))
		}
		return out
	case map[string]any:
		if items, ok := v["items"]; ok && len(v) == 1 {
			if _, isList := items.([]any); !isList {
				items = []any{items}
			}
			return sdkNames(items)
		}
		out := map[string]any{}
		for k, e := range v {
			if m, ok := e.(map[string]any); ok && len(m) == 0 || e == nil || k == "" {
				continue
			}
			k = strings.ToUpper(k[:1]) + k[1:]
			if k == "Groups" {
				k = "UserIdGroupPairs"
			}
			out[k] = sdkNames(e)
		}
		return out
	}
	return v
}

// args are the parameters of a call: a string is an expression, a nested args
// an object, anything else stands for itself.
type args map[string]any

func (s *scope) resolve(in args) (map[string]any, error) {
	out := map[string]any{}
	for name, v := range in {
		switch v := v.(type) {
		case args:
			m, err := s.resolve(v)
			if err != nil {
				return nil, err
			}
			if len(m) > 0 || len(v) == 0 {
				out[name] = m
			}
		case []args:
			var list []any
			for _, a := range v {
				m, err := s.resolve(a)
				if err != nil {
					return nil, err
				}
				list = append(list, m)
			}
			out[name] = list
		case string:
			if v == Item || v == Password {
				out[name] = v
				continue
			}
			r, err := s.eval(v)
			if err != nil {
				return nil, err
			}
			if r == nil {
				if strings.HasSuffix(v, "?") {
					continue
				}
				return nil, fmt.Errorf("%s (%s): %w", name, v, errNoValue)
			}
			out[name] = r
		default:
			out[name] = v
		}
	}
	return out, nil
}

// A colon tells the {Key: Value} of JMESPath from a placeholder.
var placeholder = regexp.MustCompile(`\{([^{}:]+)\}`)

// text fills the {expressions} of a title. What the log lacks reads "(not in
// the log)".
func (s *scope) text(template string) string {
	return placeholder.ReplaceAllStringFunc(template, func(p string) string {
		v, err := s.eval(p[1 : len(p)-1])
		if err != nil || v == nil {
			return "(not in the log)"
		}
		return show(v)
	})
}

// path fills the {expressions} of a JMESPath as its literals.
func (s *scope) path(template string) (string, error) {
	var first error
	out := placeholder.ReplaceAllStringFunc(template, func(p string) string {
		v, err := s.eval(p[1 : len(p)-1])
		if err == nil && v == nil {
			err = errNoValue
		}
		if err != nil && first == nil {
			first = err
		}
		if list, ok := v.([]any); ok {
			return jmesValue(textList(list))
		}
		return jmesString(show(v))
	})
	return out, first
}

// jmesString is s as a JMESPath literal. It is the JSON literal, because
// implementations differ in how a raw string treats a backslash.
func jmesString(s string) string { return jmesValue(s) }

// show is a value as a person reads it.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = show(e)
		}
		return strings.Join(parts, ", ")
	}
	s, err := compactJSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return s
}
