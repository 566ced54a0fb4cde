package scenario

import (
	"bytes"
	"strings"
)

// form is a record in pieces: text with holes that each use fills in.
type form struct {
	pieces []piece
	issues bool // it hands the session's credential out
}

type piece struct {
	text []byte
	hole string // what comes after the text, "" at the end
}

// forms are the records of a volume.
type forms struct {
	assume form // by a service
	chain  form // AssumeRole by a user or a session
	calls  []form
}

const (
	holeOpen  = "@@<"
	holeClose = ">@@"
)

func hole(name string) string { return holeOpen + name + holeClose }

// forms makes several records of each call in the catalogue's words.
func (v Volume) forms() (*forms, error) {
	s := &Scenario{Name: "volume", Account: volumeAccount, Seed: v.Seed, Things: map[string]Pool{
		"instances": {New: "i", Count: 400}, "volumes": {New: "vol", Count: 400},
		"buckets":   {Names: []string{"example-assets", "example-logs", "example-artifacts", "example-analytics", "example-exports"}},
		"functions": {Names: []string{"orders", "invoices", "thumbnails", "stock"}}, "tables": {Names: []string{"orders", "baskets"}},
		"log_groups": {Names: []string{"/aws/lambda/orders", "/aws/lambda/invoices", "/ecs/web"}},
		"parameters": {Names: []string{"/shop/prod/db", "/shop/prod/flags"}}, "app_secrets": {Names: []string{"shop/prod/db", "shop/prod/mail"}},
		"stacks": {Names: []string{"shop-web", "shop-orders"}}, "releases": {Names: []string{"4.18.0", "4.19.0", "4.20.0"}},
		"builds": {Names: []string{"811", "824", "830"}},
	}}
	w, err := newWorld(s)
	if err != nil {
		return nil, err
	}
	w.s.Origins = map[string]Origin{"task": {IPs: []string{hole("address")}, Agent: hole("agent"), VPCEndpoint: "vpce-0b7a4c3d2e1f09a8b"}}
	out := &forms{}
	const each = 12 // records of a call
	for _, name := range volumeCalls {
		for range each {
			f, err := w.form(name, newDice(v.Seed, "form", name, string(rune('a'+len(out.calls)%each))))
			if err != nil {
				return nil, err
			}
			out.calls = append(out.calls, f)
		}
	}
	if out.assume, err = w.form("sts:AssumeRole@AWSService", newDice(v.Seed, "form")); err != nil {
		return nil, err
	}
	out.chain, err = w.form("sts:AssumeRole", newDice(v.Seed, "form", "chain"))
	return out, err
}

// form makes the record of a call with holes in it.
func (w *world) form(name string, d dice) (form, error) {
	call := w.calls[name]
	api, _, byService := strings.Cut(name, "@")
	label, operation, _ := strings.Cut(api, ":")
	by := &credential{identity: userIdentity{Type: "hole"}, kind: roleSession}
	sc := &scope{w: w, d: d, at: volumeStart, region: hole("region"), caller: by, session: hole("session"), role: "task",
		issued: &credential{keyID: hole("key"), token: hole("token"), identity: userIdentity{
			ARN:         "arn:aws:sts::" + w.account + ":assumed-role/" + hole("role") + "/" + hole("session"),
			PrincipalID: hole("role id") + ":" + hole("session")}}}
	w.roles["task"] = principal{arn: "arn:aws:iam::" + w.account + ":role/" + hole("role")}
	b := builder{w: w, sc: sc, call: call, service: label, operation: operation, st: Step{From: "task"}}
	if byService {
		b.st.Via = hole("service")
	}
	b.call.Grants = ""
	rec, err := b.build()
	if err != nil {
		return form{}, err
	}
	rec.EventID, rec.RequestID, rec.EventTime = hole("uuid"), hole("uuid"), hole("time")
	if rec.SharedEventID != "" {
		rec.SharedEventID = hole("uuid")
	}
	rec.UserIdentity = userIdentity{Type: hole("identity")}
	text, err := compact(rec)
	if err != nil {
		return form{}, err
	}
	text = bytes.Replace(text, []byte(`{"type":"`+hole("identity")+`"}`), []byte(hole("identity")), 1)
	text = bytes.Replace(text, []byte(`"expiration":"Jan 1, 0001, 12:00:00 AM"`), []byte(`"expiration":"`+hole("expiration")+`"`), 1)
	f := split(text)
	f.issues = api == "sts:AssumeRole"
	return f, nil
}

func split(text []byte) form {
	var f form
	for {
		before, rest, found := bytes.Cut(text, []byte(holeOpen))
		if !found {
			f.pieces = append(f.pieces, piece{text: text})
			return f
		}
		name, after, _ := bytes.Cut(rest, []byte(holeClose))
		f.pieces = append(f.pieces, piece{before, string(name)})
		text = after
	}
}

// append appends the record with its holes filled.
func (f form) append(out []byte, d dice, now, region string, s *session) []byte {
	for _, p := range f.pieces {
		out = append(out, p.text...)
		switch p.hole {
		case "uuid":
			out = d.appendUUID(out)
		case "time":
			out = append(out, now...)
		case "region":
			out = append(out, region...)
		case "identity":
			if f.issues {
				out = append(out, s.issuer...)
			} else {
				out = append(out, s.identity...)
			}
		case "agent":
			out = append(out, s.agent...)
		case "address":
			out = append(out, s.address...)
		case "session":
			out = append(out, s.name...)
		case "service":
			out = append(out, s.service...)
		case "role":
			out = append(out, s.role...)
		case "role id":
			out = append(out, s.id...)
		case "key":
			out = append(out, s.key...)
		case "token":
			out = append(out, s.token...)
		case "expiration":
			out = append(out, s.expiration...)
		}
	}
	return out
}
