package lineage

import "strings"

// support adds to why a credential descends from another what speaks for it
// besides: the source identity, the address and the user agent that both were
// used with. It makes no edge by itself, and a proven one needs none of it but
// the source identity, which is set once and kept through chains of roles.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func (n *node) support() {
	if n.parent == nil {
		return
	}
	if s := n.cred.SourceIdentity; s != "" && s == n.parent.cred.SourceIdentity {
		n.cred.Why += "; both bear the source identity " + s
	}
	if n.own == Confirmed || n.cred.Kind == ServiceForwarded {
		return
	}
	with, of := n.usedWith(), n.parent
	if len(with.addresses) == 0 { // not used by itself: a password, a principal's maker
		return
	}
	for of != nil && len(of.usedWith().addresses) == 0 {
		of = of.parent
	}
	if of == nil {
		return
	}
	theirs := of.usedWith()
	var shared []string
	if a := firstShared(with.addresses, theirs.addresses); a != "" {
		shared = append(shared, "address "+a)
	}
	if a := firstShared(with.agents, theirs.agents); a != "" {
		shared = append(shared, "user agent "+a)
	}
	if len(shared) > 0 {
		n.cred.Why += "; " + of.cred.ID + " was used with the same " + strings.Join(shared, " and ")
	}
}

// usage is what a credential was used with, but by its owner.
type usage struct{ addresses, agents []string }

func (n *node) usedWith() usage {
	var u usage
	for _, use := range n.cred.Uses {
		if use.Actor == Owner {
			continue
		}
		for _, s := range use.SourceIPs {
			if network(s) != "" {
				u.addresses = append(u.addresses, s)
			}
		}
		u.agents = append(u.agents, use.UserAgents...)
	}
	return u
}

func firstShared(a, b []string) string {
	known := map[string]bool{}
	for _, s := range b {
		known[s] = true
	}
	for _, s := range a {
		if known[s] {
			return s
		}
	}
	return ""
}
