package scenario

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// scope is what the templates of one step may name:
//
//	${account} ${region}           of the step
//	${now} ${now.iam} ${now.ms}    its time in RFC 3339, in IAM's text, in milliseconds
//	${caller.arn|id|user|session}  who makes it
//	${issued.key|token|expires|arn|id|name}  what it hands out
//	${created.arn|id}              the principal that it creates
//	${to.role} ${to.session}       the ARN and the session name of the role that it takes
//	${mfa}                         Yes or No: with a second factor
//	${request.NAME}                a parameter of its request; ${escaped.NAME} URL-encoded
//	${any.POOL}                    one of the things of a pool
//	${new.PREFIX}                  a fresh id
//	${user.NAME.arn|id} ${role.NAME.arn|id}
//	${credential.NAME.key|arn|id|issued|expires}
//	${event.NAME}                  the id of a named step's event
//	${NAME}                        an id that a step made with "new", or a variable of "for"
//
// A string that is "${now.ms}" alone becomes a number, one that is
// "${request.NAME}" alone that parameter, whatever its type. An object {"$json": VALUE} becomes the text of VALUE's JSON.
type scope struct {
	w       *world
	d       dice
	at      time.Time
	region  string
	caller  *credential
	issued  *credential
	request map[string]any
	vars    map[string]string
	created principal
	role    string
	session string
	mfa     bool
}

// expand replaces the templates in a JSON value.
func (sc *scope) expand(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if v == "${now.ms}" {
			return sc.at.UnixMilli(), nil
		}
		if name, ok := strings.CutPrefix(v, "${request."); ok && strings.Index(name, "}") == len(name)-1 {
			if value, ok := sc.request[name[:len(name)-1]]; ok {
				return value, nil
			}
		}
		return sc.text(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			x, err := sc.expand(e)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case map[string]any:
		if inner, ok := v["$json"]; ok && len(v) == 1 {
			x, err := sc.expand(inner)
			if err != nil {
				return nil, err
			}
			b, err := compact(x)
			return string(b), err
		}
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) { // in order, for the dice
			x, err := sc.expand(v[k])
			if err != nil {
				return nil, err
			}
			name, err := sc.text(k)
			if err != nil {
				return nil, err
			}
			out[name] = x
		}
		return out, nil
	default:
		return v, nil
	}
}

// text replaces the templates in a string.
func (sc *scope) text(s string) (string, error) {
	var b strings.Builder
	for {
		head, rest, found := strings.Cut(s, "${")
		b.WriteString(head)
		if !found {
			return b.String(), nil
		}
		name, tail, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("template %q has no end", rest)
		}
		if text := b.String(); strings.HasSuffix(text, "$") { // $${NAME} stands for ${NAME}
			b.WriteString("{" + name + "}")
			s = tail
			continue
		}
		value, err := sc.value(name)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		s = tail
	}
}

func (sc *scope) value(name string) (string, error) {
	if v, ok := sc.vars[name]; ok {
		return v, nil
	}
	switch name {
	case "account":
		return sc.w.account, nil
	case "region":
		return sc.region, nil
	case "now":
		return stamp(sc.at), nil
	case "now.iam":
		return sc.at.Format(iamTime), nil
	case "created.arn":
		return sc.created.arn, nil
	case "created.id":
		return sc.created.id, nil
	case "mfa":
		if sc.mfa {
			return "Yes", nil
		}
		return "No", nil
	case "to.session":
		return sc.session, nil
	case "to.role":
		r, ok := sc.w.roles[sc.role]
		if !ok {
			return "", fmt.Errorf("no role is named %q", sc.role)
		}
		return r.arn, nil
	case "now.ms":
		return strconv.FormatInt(sc.at.UnixMilli(), 10), nil
	}
	kind, rest, _ := strings.Cut(name, ".")
	switch kind {
	case "caller":
		return fieldOf(sc.caller, rest)
	case "issued":
		if sc.issued == nil {
			return "", fmt.Errorf("${%s}: the call hands out nothing", name)
		}
		return fieldOf(sc.issued, rest)
	case "request", "escaped":
		v, ok := sc.request[rest]
		if !ok {
			return "", fmt.Errorf("${%s}: the request has no such parameter", name)
		}
		text, ok := v.(string)
		if !ok {
			b, err := compact(v)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		if kind == "escaped" {
			text = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
		}
		return text, nil
	case "any":
		pool, ok := sc.w.pools[rest]
		if !ok {
			return "", fmt.Errorf("${%s}: no things are named so", name)
		}
		return sc.d.pick(pool), nil
	case "new":
		return sc.d.id(rest, sc.w.account), nil
	case "user", "role":
		of, what, _ := strings.Cut(rest, ".")
		all := sc.w.users
		if kind == "role" {
			all = sc.w.roles
		}
		p, ok := all[of]
		switch {
		case !ok:
			return "", fmt.Errorf("${%s}: no such %s", name, kind)
		case what == "arn":
			return p.arn, nil
		case what == "id":
			return p.id, nil
		}
	case "credential":
		of, what, _ := strings.Cut(rest, ".")
		c, ok := sc.w.creds[of]
		if !ok {
			return "", fmt.Errorf("${%s}: no credential is named so", name)
		}
		return fieldOf(c, what)
	case "event":
		e, ok := sc.w.named[rest]
		if !ok {
			return "", fmt.Errorf("${%s}: no step is named so", name)
		}
		return e.ID, nil
	}
	if v, ok := sc.w.bound[name]; ok {
		return v, nil
	}
	return "", fmt.Errorf("template ${%s} is unknown", name)
}

func fieldOf(c *credential, what string) (string, error) {
	if c == nil {
		return "", fmt.Errorf("template names %s of nobody", what)
	}
	switch what {
	case "key":
		return c.keyID, nil
	case "token":
		return c.token, nil
	case "expires":
		return c.expires.Format(stsTime), nil
	case "expires.rfc":
		return stamp(c.expires), nil
	case "issued":
		return stamp(c.issuedAt), nil
	case "arn":
		return c.identity.ARN, nil
	case "id":
		return c.identity.PrincipalID, nil
	case "user":
		return c.identity.UserName, nil
	case "session":
		_, session, _ := strings.Cut(c.identity.PrincipalID, ":")
		return session, nil
	case "name":
		return c.name, nil
	case "provider":
		return c.identity.IdentityProvider, nil
	}
	return "", fmt.Errorf("a credential has no %q", what)
}

// decode reads raw JSON into what expand takes; numbers keep their text.
func decode(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}
