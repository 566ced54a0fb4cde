package rules

import "testing"

func TestOutcome(t *testing.T) {
	c := openCase(t)
	for _, tc := range []struct {
		name, source, code, message, response, details string
		want                                           Outcome
	}{
		{name: "no error", source: "iam.amazonaws.com", want: Success},
		{name: "IAM", source: "iam.amazonaws.com", code: "AccessDenied", want: Denied},
		{name: "JSON services", source: "kms.amazonaws.com", code: "AccessDeniedException", want: Denied},
		{name: "RDS", source: "rds.amazonaws.com", code: "AccessDeniedFault", want: Denied},
		{name: "EC2", source: "ec2.amazonaws.com", code: "Client.UnauthorizedOperation", want: Denied},
		{name: "EC2 without prefix", source: "ec2.amazonaws.com", code: "UnauthorizedOperation", want: Denied},
		{name: "VPC endpoint", source: "s3.amazonaws.com", code: "VpceAccessDenied", want: Denied},
		{name: "SNS", source: "sns.amazonaws.com", code: "AuthorizationError", want: Denied},
		{name: "SNS exception", source: "sns.amazonaws.com", code: "AuthorizationErrorException", want: Denied},
		{name: "Cognito", source: "cognito-idp.amazonaws.com", code: "NotAuthorizedException", want: Denied},
		{name: "API gateway", source: "execute-api.amazonaws.com", code: "ForbiddenException", want: Denied},
		{name: "identity store", source: "sso.amazonaws.com", code: "UnauthorizedException", want: Denied},
		{name: "DataZone", source: "x.amazonaws.com", code: "InsufficientPrivilegesException", want: Denied},
		{name: "said in the message only", source: "x.amazonaws.com", code: "ValidationException", message: "User: u is not authorized to perform: iam:PassRole on resource: r", want: Denied},
		{name: "explicit deny in the message", source: "x.amazonaws.com", code: "BadRequestException", message: "refused with an explicit deny in a service control policy", want: Denied},
		{name: "permission denied", source: "x.amazonaws.com", code: "PermissionDeniedException", want: Denied},
		{name: "no permission", source: "x.amazonaws.com", code: "NoPermission", want: Denied},
		{name: "organizations", source: "config.amazonaws.com", code: "OrganizationAccessDeniedException", want: Denied},
		{name: "dependency", source: "organizations.amazonaws.com", code: "AccessDeniedForDependencyException", want: Denied},
		{name: "forbidden operation in the message", source: "x.amazonaws.com", code: "BadRequestException", message: "You are not authorized to use this operation", want: Denied},
		{name: "short for not", source: "x.amazonaws.com", code: "BadRequestException", message: "The caller isn't authorized to call this API", want: Denied},
		{name: "message alone", source: "s3.amazonaws.com", message: "Access Denied", want: Denied},
		{name: "the role of a function lacks a right, not the caller", source: "lambda.amazonaws.com", code: "InvalidParameterValueException", message: "The provided execution role does not have permissions to call CreateNetworkInterface on EC2", want: Failed},
		{name: "no subscription", source: "x.amazonaws.com", code: "SubscriptionRequiredException", want: Failed},
		{name: "credentials that are none", source: "ec2.amazonaws.com", code: "Client.AuthFailure", message: "AWS was not able to validate the provided access credentials", want: Failed},
		{name: "another error", source: "s3.amazonaws.com", code: "NoSuchBucket", want: Failed},
		{name: "dry run", source: "ec2.amazonaws.com", code: "Client.DryRunOperation", want: Failed},
		{name: "expired", source: "sts.amazonaws.com", code: "ExpiredTokenException", want: Failed},
		{name: "message without a code", source: "signin.amazonaws.com", message: "Failed authentication", want: Failed},
		{name: "sign-in fails without an error", source: "signin.amazonaws.com", response: `{"ConsoleLogin":"Failure"}`, want: Failed},
		{name: "sign-in", source: "signin.amazonaws.com", response: `{"ConsoleLogin":"Success"}`, want: Success},
		{name: "verification fails", source: "signin.amazonaws.com", details: `{"CredentialVerification":"Failure"}`, want: Failed},
		{name: "Failure elsewhere says nothing", source: "iam.amazonaws.com", response: `{"x":"Failure"}`, want: Success},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got Outcome
			err := c.DB.QueryRow(`SELECT `+OutcomeSQL+` FROM (SELECT ? AS event_source, nullif(?, '') AS error_code,
				nullif(?, '') AS error_message, nullif(?, '') AS response_elements, nullif(?, '') AS service_event_details) AS e`,
				tc.source, tc.code, tc.message, tc.response, tc.details).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("outcome is %s, want %s", got, tc.want)
			}
		})
	}
}
