package remediate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// principals are the users and roles of accounts with what gives them all
// rights.
type principals map[subject]*grants

// grants are by where they come from: "attached ARN", "inline NAME", "group NAME".
type grants struct {
	all    map[string]bool
	denied bool
	closed bool // nobody can take a session
}

func (g *grants) admin() bool { return len(g.all) > 0 && !g.denied && !g.closed }

func (p principals) at(s subject) *grants {
	if p[s] == nil {
		p[s] = &grants{all: map[string]bool{}}
	}
	return p[s]
}

// administrators are those who have all rights, sorted.
func (p principals) administrators() []subject {
	var out []subject
	for s, g := range p {
		if g.admin() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b subject) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
	return out
}

func (p principals) clone() principals {
	out := principals{}
	for s, g := range p {
		out[s] = &grants{maps.Clone(g.all), g.denied, g.closed}
	}
	return out
}

// called changes p as a call of IAM does, as far as all rights go. Sessions that
// are revoked come again: that takes nothing from a principal.
func (p principals) called(account string, c Call) {
	if c.Service != "iam" {
		return
	}
	text := func(name string) string { s, _ := c.Parameters[name].(string); return s }
	s := subject{account, "user", text("UserName")}
	if s.name == "" {
		s = subject{account, "role", text("RoleName")}
	}
	if p[s] == nil {
		return
	}
	g := p[s]
	switch c.Operation {
	case "PutUserPolicy", "PutRolePolicy":
		g.denied = g.denied || deniesAll(text("PolicyDocument"))
		delete(g.all, "inline "+text("PolicyName"))
		if allowsAll(text("PolicyDocument")) {
			g.all["inline "+text("PolicyName")] = true
		}
	case "AttachUserPolicy", "AttachRolePolicy", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary":
		g.denied = g.denied || isDenyPolicy(c)
	case "DeleteUserPolicy", "DeleteRolePolicy":
		delete(g.all, "inline "+text("PolicyName"))
	case "DetachUserPolicy", "DetachRolePolicy":
		delete(g.all, "attached "+text("PolicyArn"))
	case "RemoveUserFromGroup":
		delete(g.all, "group "+text("GroupName"))
	case "DeleteUser", "DeleteRole":
		clear(g.all)
	case "UpdateAssumeRolePolicy":
		g.closed = !trustsPeople(text("PolicyDocument"))
	}
}

// clause is a statement of a policy, as far as all rights go.
type clause struct {
	Effect    string
	Action    oneOrMore
	Resource  oneOrMore
	Principal any
	Condition map[string]any
}

// oneOrMore is a string or a list of strings.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// clauses are the statements of a document, which IAM may have encoded; none of what is no
// policy.
func clauses(document string) []clause {
	document = decodeDocument(document)
	var many struct{ Statement []clause }
	if json.Unmarshal([]byte(document), &many) == nil {
		return many.Statement
	}
	var one struct{ Statement clause }
	if json.Unmarshal([]byte(document), &one) == nil {
		return []clause{one.Statement}
	}
	return nil
}

// everything says that a statement is about each action on each resource.
func (s clause) everything(effect string) bool {
	return s.Effect == effect && len(s.Condition) == 0 && slices.Contains(s.Resource, "*") &&
		slices.ContainsFunc(s.Action, func(a string) bool { return a == "*" || a == "*:*" })
}

func allowsAll(document string) bool {
	return slices.ContainsFunc(clauses(document), func(s clause) bool { return s.everything("Allow") })
}

func deniesAll(document string) bool {
	return slices.ContainsFunc(clauses(document), func(s clause) bool { return s.everything("Deny") })
}

// trustsPeople says that a trust policy lets someone in besides AWS's services:
// a role of an instance or of a function is no way in for an administrator.
func trustsPeople(document string) bool {
	return slices.ContainsFunc(clauses(document), func(s clause) bool {
		if s.Effect != "Allow" {
			return false
		}
		of, ok := s.Principal.(map[string]any)
		return !ok && s.Principal != nil || of["AWS"] != nil || of["Federated"] != nil
	})
}

// isAdminPolicy says that a managed policy of AWS gives all rights.
func isAdminPolicy(arn string) bool {
	return strings.HasSuffix(arn, ":iam::aws:policy/AdministratorAccess")
}
