package ingest

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestParseStruct(t *testing.T) {
	identity := recordShape.member("useridentity")
	resources := recordShape.member("resources")
	for _, tc := range []struct {
		name, text string
		shape      *shape
		want       string // "" is none
	}{
		{"a user", `{type=IAMUser, principalid=AIDA, arn=arn:aws:iam::111122223333:user/ana, accountid=111122223333, invokedby=null, accesskeyid=AKIA, username=ana, sessioncontext=null}`, identity,
			`{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::111122223333:user/ana","accountId":"111122223333","accessKeyId":"AKIA","userName":"ana"}`},
		{"a session", `{type=AssumedRole, principalid=AROA:i-0, arn=arn:aws:sts::111122223333:assumed-role/R/i-0, accountid=111122223333, invokedby=null, accesskeyid=ASIA, username=null, sessioncontext={attributes={mfaauthenticated=false, creationdate=2020-04-12T20:14:55Z}, sessionissuer={type=Role, principalid=AROA, arn=arn:aws:iam::111122223333:role/R, accountid=111122223333, username=R}}}`, identity,
			`{"type":"AssumedRole","principalId":"AROA:i-0","arn":"arn:aws:sts::111122223333:assumed-role/R/i-0","accountId":"111122223333","accessKeyId":"ASIA","sessionContext":{"attributes":{"mfaAuthenticated":"false","creationDate":"2020-04-12T20:14:55Z"},"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/R","accountId":"111122223333","userName":"R"}}}`},
		{"CloudTrail Lake's", `{type=AssumedRole, username=null, sessioncontext={attributes={creationdate=2023-06-07 23:59:12.000, mfaauthenticated=true}, sessionissuer={type=Role, username=R}, webidfederationdata=null, sourceidentity=ana, ec2roledelivery=1.0, ec2issuedinvpc=null}, invokedby=null, identityprovider=null, credentialid=null, onbehalfof={userid=u, identitystorearn=arn:x}, inscopeof={credentiaisissuedto=me}}`, identity,
			`{"type":"AssumedRole","sessionContext":{"attributes":{"creationDate":"2023-06-07T23:59:12Z","mfaAuthenticated":"true"},"sessionIssuer":{"type":"Role","userName":"R"},"sourceIdentity":"ana","ec2RoleDelivery":"1.0"},"onBehalfOf":{"userId":"u","identityStoreArn":"arn:x"},"inScopeOf":{"credentialsIssuedTo":"me"}}`},
		{"commas and equals signs in values", `{type=SAMLUser, principalid=x=:a, b=c, arn=null, username=Doe, Jane, dept=x}`, identity,
			`{"type":"SAMLUser","principalId":"x=:a, b=c","userName":"Doe, Jane, dept=x"}`},
		{"braces in values", `{type=IAMUser, username=a}b{c, accesskeyid=AKIA}`, identity, `{"type":"IAMUser","userName":"a}b{c","accessKeyId":"AKIA"}`},
		{"a map in it", `{type=WebIdentityUser, sessioncontext={webidfederationdata={federatedprovider=www.amazon.com, attributes={www.amazon.com:app_id=a, www.amazon.com:user_id=b}}}, username=u}`, identity,
			`{"type":"WebIdentityUser","sessionContext":{"webIdFederationData":{"federatedProvider":"www.amazon.com","attributes":{"www.amazon.com:app_id":"a","www.amazon.com:user_id":"b"}}},"userName":"u"}`},
		{"an unknown member", `{type=IAMUser, extra=1}`, identity, `{"type":"IAMUser, extra=1"}`},
		{"an unknown member first", `{shoe=42, type=IAMUser}`, identity, `{"shoe":"42","type":"IAMUser"}`},
		{"nothing but null", `{type=null, principalid=null}`, identity, ``},
		{"resources", `[{arn=arn:aws:s3:::b/a, b.txt, accountid=null, type=AWS::S3::Object}, {arn=arn:aws:s3:::b, accountid=111122223333, type=AWS::S3::Bucket}]`, resources,
			`[{"ARN":"arn:aws:s3:::b/a, b.txt","type":"AWS::S3::Object"},{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"}]`},
		{"no resources", `[]`, resources, `[]`},
		{"a map", `{bucketName=b, filter={"a":[1, 2]}, key=a, b.txt, policy={"Statement":[]}, none=null, tags=[{k=v}, {k=w}]}`, anything,
			`{"bucketName":"b","filter":{"a":[1, 2]},"key":"a, b.txt","policy":"{\"Statement\":[]}","none":null,"tags":[{"k":"v"},{"k":"w"}]}`},
		{"an empty map", `{}`, anything, `{}`},
		{"an empty value", `{a=, b=}`, anything, `{"a":"","b":""}`},
		{"cut off", `{type=IAMUser, principalid=AI`, identity, ``},
		{"no struct", `IAMUser`, identity, ``},
		{"no names", `{a, b}`, anything, ``},
		{"very deep", strings.Repeat("{a=", 50) + strings.Repeat("}", 50), anything, `-`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := parseStruct(tc.text, tc.shape)
			if tc.want == "-" {
				if !jsontext.Value(got).IsValid() {
					t.Errorf("not well-formed: %s", got)
				}
			} else if string(got) != tc.want {
				t.Errorf("is    %s\nwants %s", got, tc.want)
			}
		})
	}
}

// FuzzStruct has any text read as a struct, an array or a map.
func FuzzStruct(f *testing.F) {
	for _, seed := range []string{
		`{type=IAMUser, principalid=AIDA, sessioncontext={attributes={creationdate=x}}}`, `[{arn=a, type=b}, {}]`, `{a={"b":1}, c=[x, y]}`, `{a=`, `{=}`, `{{{{`, `[[`, `{type=}`, "{a=\xff}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range []*shape{recordShape, recordShape.member("useridentity"), recordShape.member("resources"), anything} {
			if value := parseStruct(text, s); value != nil && !jsontext.Value(value).IsValid(decoderOptions()...) {
				t.Errorf("%q becomes %q", text, value)
			}
		}
	})
}
