package remediate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"trailscan/query"
)

// notStored stands in the journal for a secret.
const notStored = "(not stored)"

// redact gives v without secrets, and the secrets by name. The literal
// ${password} is none.
func redact(v any) (clean any, secrets map[string]string) {
	secrets = map[string]string{}
	return redactInto(v, secrets), secrets
}

func redactInto(v any, secrets map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			s, isText := e.(string)
			if isText && s != Password && slices.ContainsFunc(query.SecretFields, func(f string) bool { return strings.HasSuffix(k, f) }) {
				secrets[k] = s
				out[k] = notStored
				continue
			}
			out[k] = redactInto(e, secrets)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = redactInto(e, secrets)
		}
		return out
	}
	return v
}

// passwordClasses are what a password policy can demand of each kind:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html.
var passwordClasses = []string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%^*_+-="}

const passwordLength = 40

// makePassword makes a password that every policy of an account accepts.
func makePassword() (string, error) {
	all := strings.Join(passwordClasses, "")
	out := make([]byte, 0, passwordLength)
	for i := range passwordLength {
		from := all
		if i < len(passwordClasses) {
			from = passwordClasses[i]
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			return "", fmt.Errorf("make a password: %w", err)
		}
		out = append(out, from[n.Int64()])
	}
	for i := len(out) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return "", fmt.Errorf("make a password: %w", err)
		}
		out[i], out[n.Int64()] = out[n.Int64()], out[i]
	}
	return string(out), nil
}

var errNoPlace = errors.New("there is no place to show what is shown once")

// show writes secrets to the one place where they are seen.
func (x *run) show(action, password string, secrets map[string]string) error {
	if password != "" {
		secrets["Password"] = password
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if x.Secrets == nil {
			return errNoPlace
		}
		if _, err := fmt.Fprintf(x.Secrets, "%s: %s: %s\n", action, name, secrets[name]); err != nil {
			return err
		}
	}
	return nil
}
