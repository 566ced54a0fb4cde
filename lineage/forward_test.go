package lineage

import (
	"slices"
	"strings"
	"testing"
)

// Owner and intruder use one session of a role: what services forwarded before
// the misuse, and for the owner, is none of the lineage.
func TestForwardedForARootSession(t *testing.T) {
	c := newCase(t)
	by := func(at, id string, e event) event {
		e.at, e.id, e.role, e.created = at, id, "App:s", "2d 08:00:00"
		if e.key == "" {
			e.key = "ASIAROOT"
		}
		return e
	}
	forward := func(at, key string) event {
		return by(at, key, event{key: key, by: "s3.amazonaws.com", from: "s3.amazonaws.com", ua: "s3.amazonaws.com", call: "kms:Decrypt"})
	}
	object := event{call: "s3:GetObject"}
	theirs := event{call: "s3:GetObject", from: away, ua: kali}
	var events []event
	for i := range 30 {
		events = append(events, by("2d 08:01:00", "own "+string(rune('A'+i)), event{}))
	}
	events = append(events, by("2d 08:30:00", "before", object), forward("2d 08:30:01", "ASIABEFORE"),
		by("2d 10:00:00", "theirs", theirs), forward("2d 10:00:01", "ASIATHEIRS"),
		by("2d 11:00:00", "owners", object), forward("2d 11:00:01", "ASIAOWNERS"))
	write(t, c, events...)
	l, err := Trace(t.Context(), c, []string{"ASIAROOT"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ASIAROOT role_session < root confirmed", "ASIATHEIRS service_forwarded < ASIAROOT inferred"}
	if got := described(l); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := credential(t, l, "ASIATHEIRS"); d.EventCount != 1 || d.Uses[0].Actor != Intruder {
		t.Errorf("got %+v", d.Uses)
	}
	tainted := eventIDs(t, c, `actor <> 'owner'`)
	if tainted["ASIABEFORE"] || tainted["ASIAOWNERS"] || !tainted["ASIATHEIRS"] {
		t.Errorf("tainted are %v", tainted)
	}
}
