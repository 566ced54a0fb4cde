package ingest

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// credential is what a response hands out.
type credential struct {
	id        []byte
	container string // the name of the member that held it
	object    []byte
	holder    []byte // the object around it, which names the principal
}

// issued fills the columns about the credential that the event's response hands
// out. What makes it one is its place in the response, not the API's name, so
// that services that nobody listed are covered: an access key id inside an
// object called credentials, or beside the secret or the token that goes with
// it or the time at which it ends, or the key object of a call that creates one. Ids that are merely listed,
// read or updated stand in none of these.
func (f *flattener) issued() {
	text := &f.row.text
	response := text[colResponseElements]
	name := string(text[colEventName])
	if response == nil || response[0] != '{' || len(text[colErrorCode]) > 0 ||
		strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Describe") {
		return
	}
	c, ok := f.findCredential(response, name)
	if !ok {
		return
	}
	text[colIssuedAccessKeyID] = c.id
	text[colIssuedPrincipalARN] = f.issuedTo(c, name)
	f.row.expires = f.expiration(c)
}

// longTermIDs are the credentials that IAM hands out and that are no access
// keys, by the names that the response has for them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html,
// …API_UploadSSHPublicKey.html, …API_UploadSigningCertificate.html
var longTermIDs = []struct{ event, container, id string }{
	{"CreateServiceSpecificCredential", "serviceSpecificCredential", "serviceSpecificCredentialId"},
	{"ResetServiceSpecificCredential", "serviceSpecificCredential", "serviceSpecificCredentialId"},
	{"UploadSSHPublicKey", "sSHPublicKey", "sSHPublicKeyId"},
	{"UploadSigningCertificate", "certificate", "certificateId"},
}

func (f *flattener) findCredential(response []byte, event string) (credential, bool) {
	for _, l := range longTermIDs {
		if l.event != event {
			continue
		}
		object := memberFold(response, l.container)
		id := f.scalar(memberFold(object, l.id))
		return credential{id: id, container: l.container, object: object, holder: object}, len(id) > 0
	}
	if !bytes.Contains(response, []byte("ccessKeyI")) {
		return credential{}, false
	}
	return f.searchCredential(response, response, "", event, 0)
}

// searchDepth is how deep credentials lie in a response at most; they are found
// two levels down (credentialSet[].credentials).
const searchDepth = 5

func (f *flattener) searchCredential(value, holder []byte, container, event string, depth int) (credential, bool) {
	if depth > searchDepth {
		return credential{}, false
	}
	if value[0] == '[' {
		var found credential
		var ok bool
		elements(value, func(v []byte) bool {
			found, ok = f.searchCredential(v, v, container, event, depth+1)
			return !ok
		})
		return found, ok
	}
	var id []byte
	secret := false
	for o := newObject(value); ; {
		name, v, more := o.next()
		if !more {
			break
		}
		switch strings.ToLower(plainName(name)) {
		case "accesskeyid":
			id = f.scalar(v)
		case "secretaccesskey", "secretkey", "sessiontoken", "expiration":
			secret = true
		}
	}
	handedOut := secret ||
		strings.HasSuffix(strings.ToLower(container), "credentials") ||
		(strings.EqualFold(container, "accessKey") || strings.EqualFold(container, "accessToken")) && strings.HasPrefix(event, "Create")
	if len(id) > 0 && handedOut {
		return credential{id: id, container: container, object: value, holder: holder}, true
	}
	for o := newObject(value); ; {
		name, v, more := o.next()
		if !more {
			return credential{}, false
		}
		if v[0] == '{' || v[0] == '[' {
			if c, ok := f.searchCredential(v, value, plainName(name), event, depth+1); ok {
				return c, true
			}
		}
	}
}

// issuedTo is the ARN of the principal that the credential acts as, or nil
// where the event does not say.
func (f *flattener) issuedTo(c credential, event string) []byte {
	text := &f.row.text
	for _, who := range []string{"assumedRoleUser", "federatedUser"} {
		if arn := f.scalar(memberFold(memberFold(c.holder, who), "arn")); len(arn) > 0 {
			return arn
		}
		if arn := f.scalar(memberFold(memberFold(text[colResponseElements], who), "arn")); len(arn) > 0 {
			return arn
		}
	}
	switch source := string(text[colEventSource]); {
	case source == "iam.amazonaws.com":
		return f.issuedToUser(c)
	case event == "AssumeRoot":
		target := f.scalar(memberFold(text[colRequestParameters], "targetPrincipal"))
		if bytes.HasPrefix(target, []byte("arn:")) || len(target) == 0 {
			return target
		}
		return []byte("arn:" + f.partition() + ":iam::" + string(target) + ":root")
	case event == "GetSessionToken" || event == "GetSigninToken" || event == "CreateOAuth2Token":
		return f.row.identity.arn // they carry the caller on
	}
	return nil
}

// issuedToUser is the user that an IAM call made a credential for: the one that
// the response or the request names, else the caller. A user's path is in
// neither, so the ARN of another user than the caller is one without a path.
func (f *flattener) issuedToUser(c credential) []byte {
	text := &f.row.text
	user := f.scalar(memberFold(c.object, "userName"))
	if len(user) == 0 {
		user = f.scalar(memberFold(text[colRequestParameters], "userName"))
	}
	arn := f.row.identity.arn
	if len(user) == 0 || bytes.Equal(user, f.row.identity.userName) && bytes.Contains(arn, []byte(":user/")) {
		return arn
	}
	account := f.row.context.recipient
	if len(account) == 0 {
		account = f.row.identity.accountID
	}
	if len(account) == 0 {
		return nil
	}
	return []byte("arn:" + f.partition() + ":iam::" + string(account) + ":user/" + string(user))
}

// partition is the AWS partition that the event is from.
func (f *flattener) partition() string {
	if parts := strings.SplitN(string(f.row.identity.arn), ":", 3); len(parts) == 3 && parts[0] == "arn" {
		return parts[1]
	}
	switch region := string(f.row.text[colAWSRegion]); {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	}
	return "aws"
}

// expiration is when the credential ends, zero where the response does not say.
func (f *flattener) expiration(c credential) time.Time {
	for o := newObject(c.object); ; {
		name, value, ok := o.next()
		if !ok {
			break
		}
		switch strings.ToLower(plainName(name)) {
		case "expiration", "expirationdate", "expirationtime", "expires", "expiresat":
			if t, _, ok := parseTime(string(f.scalar(value))); ok {
				return t
			}
		}
	}
	// Sign-in's tokens last so many seconds from their issue.
	// https://docs.aws.amazon.com/signin/latest/APIReference/API_dataplane-signin_CreateOAuth2Token.html
	for _, object := range [][]byte{c.object, c.holder} {
		if n, err := strconv.Atoi(string(f.scalar(memberFold(object, "expiresIn")))); err == nil && n > 0 && n < maxLifetime {
			return f.row.time.Add(time.Duration(n) * time.Second)
		}
	}
	return time.Time{}
}

// maxLifetime is, in seconds, more than any temporary credential lasts.
const maxLifetime = 366 * 24 * 3600

// memberFold is member without regard to case: services differ in how they
// spell the names of a response.
func memberFold(b []byte, name string) []byte {
	for o := newObject(b); ; {
		n, v, ok := o.next()
		if !ok {
			return nil
		}
		if strings.EqualFold(plainName(n), name) {
			return v
		}
	}
}
