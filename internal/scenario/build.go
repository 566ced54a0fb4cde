package scenario

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// builder makes the record of one call.
type builder struct {
	w                  *world
	sc                 *scope
	st                 Step
	call               Call
	service, operation string
	failure            *Failure
}

func (b *builder) build() (*record, error) {
	sc := b.sc
	request, err := b.part(b.st.With, b.call.Request)
	if err != nil {
		return nil, err
	}
	sc.request, _ = request.(map[string]any)
	if err := b.fail(); err != nil {
		return nil, err
	}
	rec := &record{
		EventVersion: eventVersion(b.service), EventTime: stamp(sc.at),
		EventSource: b.service + ".amazonaws.com", EventName: b.operation, AWSRegion: sc.region,
		RequestParameters: request, EventID: sc.d.uuid(),
		ReadOnly: readOnly(b.operation), EventType: "AwsApiCall", APIVersion: b.call.API,
		ManagementEvent: true, RecipientAccountID: b.w.account, EventCategory: "Management",
	}
	if !b.call.Quiet {
		rec.RequestID = sc.d.uuid()
	}
	if b.call.Write != nil {
		rec.ReadOnly = !*b.call.Write
	}
	if b.call.Type != "" {
		rec.EventType = b.call.Type
	}
	if b.call.Shared || sc.caller.identity.Type == "AWSAccount" {
		rec.SharedEventID = sc.d.uuid()
	}
	if b.failure != nil {
		rec.ErrorCode, rec.ErrorMessage = b.failure.Code, b.failure.Message
		if b.hidesRequest() {
			rec.RequestParameters = nil
		}
		if b.service == "signin" { // a failed sign-in says so in its answer
			rec.ErrorCode = ""
			rec.ResponseElements = map[string]any{b.operation: "Failure"}
		}
	} else {
		if err := b.changeWorld(); err != nil {
			return nil, err
		}
		if rec.ResponseElements, err = b.part(b.st.Gets, b.call.Response); err != nil {
			return nil, err
		}
	}
	if rec.AdditionalEventData, err = b.part(b.st.Extra, b.call.Extra); err != nil {
		return nil, err
	}
	if b.failure == nil || !b.hidesRequest() {
		if rec.Resources, err = b.part(nil, b.call.Resources); err != nil {
			return nil, err
		}
	}
	rec.UserIdentity = sc.caller.use(newDice(b.w.s.Seed, "console", sc.caller.name, stamp(sc.caller.issuedAt), b.service, sc.region), b.w.account, b.service, sc.region)
	if b.call.Keyless {
		rec.UserIdentity.AccessKeyID = ""
	}
	if sc.caller.kind == console {
		rec.FromConsole = "true"
	}
	return rec, b.origin(rec)
}

// part expands the step's JSON or, in its absence, the catalogue's.
func (b *builder) part(step, catalogue json.RawMessage) (any, error) {
	raw := step
	if len(raw) == 0 {
		raw = catalogue
	}
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return b.sc.expand(v)
}

// origin says where the call came from.
func (b *builder) origin(rec *record) error {
	service := b.st.Via
	if service == "" {
		service = rec.UserIdentity.InvokedBy
	}
	o, ok := b.w.s.Origins[b.st.From]
	if service == "" {
		service = o.Service
	}
	if service != "" {
		rec.UserIdentity.InvokedBy = service
		rec.SourceIPAddress, rec.UserAgent = service, service
		return nil
	}
	if !ok {
		return fmt.Errorf("no origin is named %q", b.st.From)
	}
	if len(o.IPs) == 0 {
		return fmt.Errorf("origin %q has no address", b.st.From)
	}
	rec.SourceIPAddress = o.IPs[0]
	if len(o.IPs) > 1 { // one a day
		rec.SourceIPAddress = newDice(b.w.s.Seed, "address", b.st.From, b.sc.at.Format(time.DateOnly)).pick(o.IPs)
	}
	rec.UserAgent = strings.ReplaceAll(o.Agent, "${command}", cliCommand(b.service, b.operation))
	if o.VPCEndpoint != "" {
		rec.VPCEndpointID, rec.VPCEndpointAccount = o.VPCEndpoint, b.w.account
	}
	rec.TLSDetails = &tlsDetails{"TLSv1.3", "TLS_AES_128_GCM_SHA256", host(b.service, b.sc.region)}
	return nil
}

// hidesRequest reports whether the service leaves the parameters of a denied
// request out of the record. EC2, S3 and failures other than denials keep them.
func (b *builder) hidesRequest() bool {
	return strings.HasPrefix(b.failure.Code, "AccessDenied") && b.service != "s3"
}

// fail fills b.failure in: the step's error, or the service's words for a denial.
func (b *builder) fail() error {
	if b.st.Denied == "" {
		if b.st.Error == nil {
			return nil
		}
		message, err := b.sc.text(b.st.Error.Message)
		b.failure = &Failure{b.st.Error.Code, message}
		return err
	}
	on, err := b.sc.text(b.st.Denied)
	if err != nil {
		return err
	}
	action := b.call.Action
	if action == "" {
		action = actionPrefix(b.service) + ":" + apiDate.ReplaceAllString(b.operation, "")
	}
	text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", b.sc.caller.identity.ARN, action, on)
	why := fmt.Sprintf(" because no identity-based policy allows the %s action", action)
	switch b.service {
	case "ec2":
		b.failure = &Failure{"Client.UnauthorizedOperation", "You are not authorized to perform this operation. " + text + why +
			". Encoded authorization failure message: " + base64.RawURLEncoding.EncodeToString(b.sc.d.bytes(60))}
	case "sts":
		b.failure = &Failure{"AccessDenied", text}
	case "iam", "s3", "monitoring", "organizations", "rds", "sns", "autoscaling", "cloudformation":
		b.failure = &Failure{"AccessDenied", text + why}
	default:
		b.failure = &Failure{"AccessDeniedException", text + why}
	}
	return nil
}

// outcome says how the call ended, in the words of findings.json.
func (b *builder) outcome() string {
	switch {
	case b.failure == nil:
		return "success"
	case strings.Contains(b.failure.Code, "AccessDenied"), strings.Contains(b.failure.Code, "Unauthorized"):
		return "denied"
	}
	return "failed"
}

// changeWorld does what the call does beside answering: it makes a principal
// or hands a credential out.
func (b *builder) changeWorld() error {
	text := func(name string) string {
		switch v := b.sc.request[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
		return ""
	}
	switch b.call.Creates {
	case "user":
		b.sc.created = b.w.addUser(text("userName"), text("path"))
	case "role":
		b.sc.created = b.w.addRole(text("roleName"), text("path"))
	}
	kind := b.st.Grants
	if kind == "" {
		kind = b.call.Grants
	}
	if kind == "" || kind == "none" {
		return nil
	}
	g := grant{
		kind: kind, bind: b.st.Issues, caller: b.sc.caller, fromCall: b.service + ":" + b.operation,
		at: b.sc.at, role: b.st.Role, session: b.st.Session, user: text("userName"),
		mfa: b.st.MFA || text("serialNumber") != "", source: b.st.Source, delivery: b.st.IMDS,
	}
	if arn := text("roleArn"); arn != "" {
		g.role = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	for _, name := range []string{"roleSessionName", "name"} {
		if s := text(name); s != "" {
			g.session = s
		}
	}
	if s := text("sourceIdentity"); s != "" {
		g.source = s
	}
	if s := text("durationSeconds"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("durationSeconds: %w", err)
		}
		g.lasts = time.Duration(n) * time.Second
	}
	if b.st.Lasts != "" {
		var err error
		if g.lasts, err = time.ParseDuration(b.st.Lasts); err != nil {
			return err
		}
	}
	issued, err := b.w.issue(g, b.sc.d)
	if err != nil {
		return err
	}
	b.sc.issued = issued
	return nil
}
