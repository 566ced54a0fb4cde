package reports

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"trailscan/remediate"
)

// TestPlanOfAPrincipal shows that the pages do not call a principal a key.
func TestPlanOfAPrincipal(t *testing.T) {
	p := &remediate.Plan{Keys: []string{"arn:aws:iam::111122223333:role/ci"}}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"decision": func(b *bytes.Buffer) error { return PlanDecision(b, "md", p, nil, time.UTC) },
		"runbook":  func(b *bytes.Buffer) error { return PlanRunbook(b, p, time.UTC) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "The access key") || !strings.Contains(out.String(), "Credentials of ") {
			t.Errorf("%s: %.400s", name, out.String())
		}
	}
}

func TestKindsInThePlural(t *testing.T) {
	got := principalsPhrase([]principals{{"policy", []counted{{"created", 2}}}, {"user", []counted{{"created", 1}}}})
	if got != "policies: 2 created; users: 1 created" {
		t.Error(got)
	}
}
