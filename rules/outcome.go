package rules

// Outcome tells what became of a call.
type Outcome string

// A call succeeded, was denied for want of permission, or failed otherwise.
const (
	Success Outcome = "success"
	Denied  Outcome = "denied"
	Failed  Outcome = "failed"
)

// OutcomeSQL is the outcome of an event, as an expression over the columns of
// events in the dialect of the rules.
//
// A call succeeded when the record has neither errorCode nor errorMessage
// (CloudTrail record contents: both are there "if the request returned an
// error"); a sign-in says so in responseElements or serviceEventDetails, with
// no code at all. Services spell a missing permission in many ways:
// AccessDenied, AccessDeniedException, AccessDeniedFault, VpceAccessDenied,
// Client.UnauthorizedOperation, UnauthorizedException, AuthorizationError,
// NotAuthorizedException, ForbiddenException, PermissionDenied,
// InsufficientPrivilegesException; some give a validation error whose message
// names the missing action, or no code at all. What is refused for another
// reason, a dry run too, failed.
const OutcomeSQL = `CASE
    WHEN coalesce(error_code, '') = '' AND coalesce(error_message, '') = '' THEN
        CASE WHEN event_source = 'signin.amazonaws.com'
                AND (response_elements LIKE '%"Failure"%' OR service_event_details LIKE '%"Failure"%')
            THEN 'failed' ELSE 'success' END
    WHEN regexp_like(error_code, '(?i)access_?denied|unauthori[sz]ed|not_?authori[sz]ed|forbidden|authorization_?(error|exception|failure|failed)|(insufficient|missing)_?(privilege|permission)|permissions?_?denied|^(client\.)?no_?permissions?')
        OR regexp_like(error_message, '(?i)(not|n''t) (currently )?authori[sz]ed to |\bwith an explicit deny\b|^access ?denied\b')
        THEN 'denied'
    ELSE 'failed'
END`
