package remediate

import "testing"

func TestTrustOfAccount(t *testing.T) {
	for _, test := range []struct{ name, document, want string }{
		{"an outside account goes", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:root"]}}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333"]}}]}`},
		{"services stay", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*","Service":"ec2.amazonaws.com"}}}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}]}`},
		{"nobody is left", `{"Statement":[{"Effect":"Allow","Principal":"*"}]}`, trustNobody},
		{"a deny stays", `{"Statement":[{"Effect":"Deny","Principal":"*"},{"Effect":"Allow","Principal":"*"}]}`, `{"Statement":[{"Effect":"Deny","Principal":"*"}]}`},
		{"nothing to cut", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"}}]}`, ""},
		{"no policy", `hello`, ""},
		{"no statements", `{"Statement":["x"]}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := trustOfAccount(test.document, account).(string)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
