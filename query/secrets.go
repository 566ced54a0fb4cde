package query

import (
	"regexp"
	"strings"
)

// SecretFields end the names of members, in requests, answers and records of
// AWS APIs, whose text only its owner may see.
var SecretFields = []string{
	"SecretAccessKey", "SessionToken", "SecurityToken", "Security-Token", "AuthorizationToken", "AccessToken", "RefreshToken",
	"IdToken", "WebIdentityToken", "SAMLAssertion", "Password", "ServiceCredentialSecret", "StringSeed", "QRCodePNG",
	"PrivateKey", "SecretString", "SecretBinary", "ClientSecret", "X-Amz-Signature",
}

// jsonColumns are the columns of events that hold JSON, where secrets may be.
var jsonColumns = []string{
	"user_identity", "request_parameters", "response_elements", "additional_event_data", "service_event_details", "resources",
	"tls_details", "edge_device_details", "insight_details", "addendum", "extra",
}

// removedSecret stands for a secret in what leaves the case.
const removedSecret = "removed by trailscan"

// secretPattern finds secrets, in any case of their names: members of JSON, of
// JSON that stands as text inside of JSON however often, and name=value as in
// URLs and in Athena's text of a struct. What goes before the secret is in
// group 1, 2 or 3.
var secretPattern = func() string {
	name := `[a-z0-9_.-]*(?:` + strings.ReplaceAll(strings.Join(SecretFields, "|"), "-", "[-_]") + `)`
	return `(?i)("` + name + `"\s*:\s*\[?\s*")(?:[^"\\]|\\.)+` +
		`|((?:\\+")+` + name + `(?:\\+")+\s*:\s*\[?\s*(?:\\+")+)[^"\\,](?:[^"\\]|\\+[^"\\])*` +
		`|(\b` + name + `=)[^,}\]&"\\\s]+`
}()

// rawMembers are what extra holds of a record that is no Unicode, in base64:
// the columns show the same with U+FFFD in it.
const rawMembers = `"\$base64":\[[A-Za-z0-9+/=",]*\]`

// withoutSecrets is SQL for the JSON text in a column without the secrets in it.
func withoutSecrets(column string) string {
	sql := `regexp_replace(` + column + `, ` + quote(secretPattern) + `, ` + quote(`\1\2\3`+removedSecret) + `, 'g')`
	if column == "extra" {
		sql = `regexp_replace(` + sql + `, ` + quote(rawMembers) + `, '"$base64":[]', 'g')`
	}
	return sql
}

// quote is a text as SQL where no value can be bound.
func quote(s string) string {
	return `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
}

var (
	secretText = regexp.MustCompile(secretPattern)
	// bareSecret is what has the length of a secret access key (40) or of a
	// session token, and no other shape.
	bareSecret = regexp.MustCompile(`(?:^|[^A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?:[^A-Za-z0-9/+=]|$)|[A-Za-z0-9/+]{100,}`)
)

// HoldsSecret tells whether a text may hold a secret, so that it is not written
// where others may read it.
func HoldsSecret(text string) bool {
	return secretText.MatchString(text) || bareSecret.MatchString(text)
}
