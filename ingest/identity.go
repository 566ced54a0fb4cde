package ingest

// identity fills the columns that repeat parts of userIdentity. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (f *flattener) identity(identity []byte) {
	text := &f.row.text
	for o := newObject(identity); ; {
		name, value, ok := o.next()
		if !ok {
			return
		}
		switch plainName(name) {
		case "type":
			text[colIdentityType] = f.scalar(value)
		case "principalId":
			text[colPrincipalID] = f.scalar(value)
		case "arn":
			text[colIdentityARN] = f.scalar(value)
		case "accountId":
			text[colIdentityAccountID] = f.scalar(value)
		case "accessKeyId":
			text[colAccessKeyID] = f.scalar(value)
		case "userName":
			text[colUserName] = f.scalar(value)
		case "invokedBy":
			text[colInvokedBy] = f.scalar(value)
		case "identityProvider":
			text[colIdentityProvider] = f.scalar(value)
		case "credentialId":
			text[colCredentialID] = f.scalar(value)
		case "identityStoreArn":
			text[colIdentityStoreARN] = f.scalar(value)
		case "onBehalfOf":
			text[colOnBehalfOfUserID] = f.scalar(member(value, "userId"))
			if arn := f.scalar(member(value, "identityStoreArn")); arn != nil {
				text[colIdentityStoreARN] = arn
			}
		case "sessionContext":
			f.session(value)
		}
	}
}

func (f *flattener) session(context []byte) {
	text := &f.row.text
	for o := newObject(context); ; {
		name, value, ok := o.next()
		if !ok {
			return
		}
		switch plainName(name) {
		case "attributes":
			f.row.bools[colSessionMFA], _ = boolean(member(value, "mfaAuthenticated"))
			f.row.created, _, _ = parseTime(string(f.scalar(member(value, "creationDate"))))
		case "sessionIssuer":
			for issuer := newObject(value); ; {
				name, value, ok := issuer.next()
				if !ok {
					break
				}
				switch plainName(name) {
				case "type":
					text[colSessionIssuerType] = f.scalar(value)
				case "arn":
					text[colSessionIssuerARN] = f.scalar(value)
				case "principalId":
					text[colSessionIssuerPrincipalID] = f.scalar(value)
				case "accountId":
					text[colSessionIssuerAccountID] = f.scalar(value)
				case "userName":
					text[colSessionIssuerName] = f.scalar(value)
				}
			}
		case "sourceIdentity":
			text[colSourceIdentity] = f.scalar(value)
		case "assumedRoot":
			text[colSessionAssumedRoot] = f.scalar(value)
		case "webIdFederationData":
			text[colFederatedProvider] = f.scalar(member(value, "federatedProvider"))
		}
	}
}
