package lineage

import (
	"slices"
	"testing"
)

// Bedrock's API keys and git's credentials show in no record as an access key
// id: their use is that of the credential named, else of the user who did no
// such thing before.
func TestBearerUse(t *testing.T) {
	made := func(at, user, id string) record {
		return rec(at, "iam:CreateServiceSpecificCredential", record{"requestParameters": object{"userName": user, "serviceName": "bedrock.amazonaws.com"},
			"responseElements": object{"serviceSpecificCredential": object{"serviceSpecificCredentialId": id, "userName": user}}})
	}
	call := func(at, api, name string, more object) record {
		identity := user(name, "")
		for k, v := range more {
			identity[k] = v
		}
		return rec(at, api, record{"userIdentity": identity, "sourceIPAddress": "203.0.113.50", "userAgent": "python-requests/2.31.0"})
	}
	l := traced(t,
		rec("2d 12:10:00", "iam:CreateUser", record{"requestParameters": object{"userName": "BedrockAPIKey-x1"},
			"responseElements": object{"user": object{"userName": "BedrockAPIKey-x1", "userId": userID("BedrockAPIKey-x1"), "arn": "arn:aws:iam::" + account + ":user/BedrockAPIKey-x1"}}}),
		made("2d 12:11:00", "BedrockAPIKey-x1", "ACCA1"),
		call("2d 12:30:00", "bedrock:InvokeModel", "BedrockAPIKey-x1", nil),
		call("2d 12:31:00", "bedrock:InvokeModel", "BedrockAPIKey-x1", object{"credentialId": "ACCA1"}),
		// A user who was there: of one who has used a key of the kind, only what names the new one.
		call("1d 12:00:00", "bedrock:InvokeModel", "bob", object{"credentialId": "ACCABOB"}),
		made("2d 12:12:00", "bob", "ACCA2"),
		call("2d 12:32:00", "bedrock:InvokeModel", "bob", object{"credentialId": "ACCA2"}),
		call("2d 12:33:00", "bedrock:InvokeModel", "bob", object{"credentialId": "ACCABOB"}),
		call("2d 12:34:00", "bedrock:InvokeModel", "bob", nil),
		call("2d 12:35:00", "bedrock:InvokeModel", "carol", nil),
		rec("2d 12:20:00", "iam:UploadSSHPublicKey", record{"requestParameters": object{"userName": "dora"}, "responseElements": object{"sSHPublicKey": object{"sSHPublicKeyId": "APKA1", "userName": "dora"}}}),
		call("2d 12:36:00", "codecommit:GitPull", "dora", nil),
		call("2d 12:37:00", "signin:ConsoleLogin", "dora", nil),
	)
	for id, want := range map[string]int64{"ACCA1": 2, "ACCA2": 1, "APKA1": 1} {
		d := credential(t, l, id)
		if d.EventCount != want || d.FirstUsed == nil {
			t.Errorf("%s: %d events, first used %v, want %d", id, d.EventCount, d.FirstUsed, want)
		}
		if len(d.Uses) != 1 || !slices.Equal(d.Uses[0].SourceIPs, []string{"203.0.113.50"}) {
			t.Errorf("%s: uses %+v", id, d.Uses)
		}
	}
}
