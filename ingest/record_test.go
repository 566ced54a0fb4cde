package ingest

import (
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 3, 1, 15, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		text  string
		want  time.Time
		exact bool
	}{
		{"2026-03-01T15:04:05Z", want, true},
		{"2026-03-01 15:04:05", want, false},
		{"2026-03-01 15:04:05.000", want, false},
		{"2026-03-01T15:04:05", want, false},
		{"2026-03-01T16:04:05+01:00", want, false},
		{"2026-03-01 16:04:05+0100", want, false},
		{"2026-03-01 15:04:05.000 UTC", want, false},
		{"2026-03-01T15:04:05.1234567Z", want.Add(123456 * time.Microsecond), false},
		{"Mar 1, 2026, 3:04:05 PM", want, false},
		{"Mar 1, 2026 3:04:05 PM", want, false},
		{"Mar 1, 2026, 3:04:05\u202fPM", want, false},
		{"Mar 1, 2026, 3:04:05\u00a0PM", want, false},
		{"Sun Mar 01 15:04:05 UTC 2026", want, false},
		{"1772377445", want, false},
		{"1772377445000", want, false},
		{"1.772377445E9", want, false},
		{"20260301T150405Z", want, false},
		{"2026-03-01T15:04Z", want.Add(-5 * time.Second), false},
		{"Mar 1, 2026, 3:04:05 PM UTC", want, false},
		{"Mar 1, 2026, 3:04:05 PM PST", time.Time{}, false},
		{"2026-02-30T15:04:05Z", time.Time{}, false},
		{"2026-03-01T25:04:05Z", time.Time{}, false},
		{"12", time.Time{}, false},
		{"soon", time.Time{}, false},
		{"", time.Time{}, false},
	} {
		t.Run(tc.text, func(t *testing.T) {
			got, exact, ok := parseTime(tc.text)
			if !got.Equal(tc.want) || exact != tc.exact || ok == tc.want.IsZero() {
				t.Errorf("%v %v %v", got, exact, ok)
			}
		})
	}
}

func TestIssued(t *testing.T) {
	const identity = `"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/dev/ana","accountId":"111122223333","userName":"ana"}`
	const session = `"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"t","expiration":"Mar 1, 2026, 11:00:00 AM"`
	const key = "ASIAIOSFODNN7EXAMPLE"
	const until = "2026-03-01T11:00:00Z"
	for _, tc := range []struct {
		name, source, event, members string
		id, principal, expires       string
	}{
		{"role", "sts", "AssumeRole", `"responseElements":{"credentials":{` + session + `},"assumedRoleUser":{"arn":"arn:aws:sts::111122223333:assumed-role/r/s"}}`,
			key, "arn:aws:sts::111122223333:assumed-role/r/s", until},
		{"session token", "sts", "GetSessionToken", `"responseElements":{"credentials":{` + session + `}}`, key, "arn:aws:iam::111122223333:user/dev/ana", until},
		{"federation token", "sts", "GetFederationToken", `"responseElements":{"credentials":{` + session + `},"federatedUser":{"arn":"arn:aws:sts::111122223333:federated-user/f"}}`,
			key, "arn:aws:sts::111122223333:federated-user/f", until},
		{"root of a member account", "sts", "AssumeRoot", `"requestParameters":{"targetPrincipal":"444455556666"},"responseElements":{"credentials":{` + session + `}}`,
			key, "arn:aws:iam::444455556666:root", until},
		{"key for oneself", "iam", "CreateAccessKey", `"requestParameters":null,"responseElements":{"accessKey":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ana","status":"Active"}}`,
			"AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::111122223333:user/dev/ana", ""},
		{"key for another", "iam", "CreateAccessKey", `"requestParameters":{"userName":"bob"},"responseElements":{"accessKey":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"bob"}}`,
			"AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::111122223333:user/bob", ""},
		{"identity pool", "cognito-identity", "GetCredentialsForIdentity", `"responseElements":{"identityId":"i","credentials":{"accessKeyId":"` + key + `","expiration":1772362800.0}}`, key, "", until},
		{"identity centre", "sso", "GetRoleCredentials", `"responseElements":{"roleCredentials":{"accessKeyId":"` + key + `","expiration":1772362800000}}`, key, "", until},
		{"roles anywhere", "rolesanywhere", "CreateSession", `"responseElements":{"credentialSet":[{"assumedRoleUser":{"arn":"arn:aws:sts::111122223333:assumed-role/r/c"},"credentials":{"accessKeyId":"` + key + `","expiration":"2026-03-01T11:00:00Z"}}]}`,
			key, "arn:aws:sts::111122223333:assumed-role/r/c", until},
		{"sign-in token", "signin", "GetSigninToken", `"responseElements":{"credentials":{"accessKeyId":"` + key + `"},"GetSigninToken":"Success"}`, key, "arn:aws:iam::111122223333:user/dev/ana", ""},
		{"aws login", "signin", "CreateOAuth2Token", `"responseElements":{"accessToken":{"accessKeyId":"` + key + `"},"tokenType":"aws_sigv4","expiresIn":3600}`,
			key, "arn:aws:iam::111122223333:user/dev/ana", until},
		{"nameless, beside its end", "datazone", "GetEnvironmentCredentials", `"responseElements":{"accessKeyId":"` + key + `","expiration":"20260301T110000Z"}`, key, "", until},
		{"nameless, beside its secret", "lakeformation", "GetTemporaryGlueTableCredentials", `"responseElements":{` + session + `}`, key, "", until},
		{"service-specific", "iam", "CreateServiceSpecificCredential", `"responseElements":{"serviceSpecificCredential":{"serviceSpecificCredentialId":"ACCAEXAMPLE","userName":"bob"}}`,
			"ACCAEXAMPLE", "arn:aws:iam::111122223333:user/bob", ""},
		{"SSH key", "iam", "UploadSSHPublicKey", `"responseElements":{"sSHPublicKey":{"sSHPublicKeyId":"APKAEXAMPLE","userName":"bob"}}`, "APKAEXAMPLE", "arn:aws:iam::111122223333:user/bob", ""},
		{"denied", "sts", "AssumeRole", `"errorCode":"AccessDenied","responseElements":{"credentials":{` + session + `}}`, "", "", ""},
		{"listed", "iam", "ListAccessKeys", `"responseElements":{"accessKeyMetadata":[{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}]}`, "", "", ""},
		{"updated", "iam", "UpdateAccessKey", `"requestParameters":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"responseElements":null`, "", "", ""},
		{"last use", "iam", "GetAccessKeyLastUsed", `"responseElements":{"userName":"bob","accessKeyLastUsed":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}}`, "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newTestFlattener()
			r, reason := f.flatten([]byte(`{"eventTime":"2026-03-01T10:00:00Z","eventSource":"` + tc.source + `.amazonaws.com","eventName":"` + tc.event +
				`","recipientAccountId":"111122223333",` + identity + `,` + tc.members + `}`))
			if reason != "" {
				t.Fatal(reason)
			}
			expires := ""
			if !r.expires.IsZero() {
				expires = r.expires.Format(time.RFC3339)
			}
			if got := string(r.text[colIssuedAccessKeyID]); got != tc.id {
				t.Errorf("id %q, want %q", got, tc.id)
			}
			if got := string(r.text[colIssuedPrincipalARN]); got != tc.principal {
				t.Errorf("principal %q, want %q", got, tc.principal)
			}
			if expires != tc.expires {
				t.Errorf("expires %q, want %q", expires, tc.expires)
			}
		})
	}
}

func TestIdentityColumns(t *testing.T) {
	c := newCase(t)
	load(t, c, write(t, map[string]string{"log": `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"s","eventName":"n","readOnly":"TRUE","managementEvent":false,
		"userIdentity":{"type":"AssumedRole","principalId":"P","arn":"A","accountId":"111122223333","accessKeyId":"K","invokedBy":"I","identityProvider":"IP","credentialId":"C",
		"onBehalfOf":{"userId":"U","identityStoreArn":"S"},"sessionContext":{"sourceIdentity":"SI","assumedRoot":true,"webIdFederationData":{"federatedProvider":"F"},
		"attributes":{"creationDate":"2026-03-01T09:00:00Z","mfaAuthenticated":"true"},
		"sessionIssuer":{"type":"Role","arn":"IA","principalId":"IP2","accountId":"444455556666","userName":"IN"}}}}`}))
	got := dump(t, c, `SELECT length(event_id), account_id, identity_type, principal_id, identity_arn, access_key_id, invoked_by, identity_provider, credential_id,
		on_behalf_of_user_id, identity_store_arn, source_identity, session_assumed_root, federated_provider, session_created, session_mfa, session_issuer_type,
		session_issuer_arn, session_issuer_principal_id, session_issuer_account_id, session_issuer_name, read_only, management_event, extra FROM events`)
	want := `64|111122223333|AssumedRole|P|A|K|I|IP|C|U|S|SI|true|F|2026-03-01 09:00:00 +0000 UTC|true|Role|IA|IP2|444455556666|IN|true|false|{"readOnly":"TRUE"}`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), want)
	}
}

// newTestFlattener has dimensions that nobody stores.
func newTestFlattener() *flattener { return newFlattener(new(dimension), new(dimension), knownLimit) }
