package mototest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"trailscan/internal/shapeserver"
)

// Lacks are the calls of IAM and Identity Center that moto does not have. The
// proxy passes them on to a server that compares each with the API's model and
// answers from what was written there before.
var Lacks = []string{
	"ProvisionPermissionSet", "DescribeGroupMembership",
	"PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary",
	"CreateServiceSpecificCredential", "ListServiceSpecificCredentials", "UpdateServiceSpecificCredential",
	"ResetServiceSpecificCredential", "DeleteServiceSpecificCredential",
	"SimulatePrincipalPolicy", "AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider",
}

// unfelt are further calls that moto lacks. Their shape is checked as well; what
// they change is not to be seen.
var unfelt = map[string][]string{
	"transfer": {"StopServer", "StartServer"}, "sagemaker": {"StopTrainingJob"}, "datapipeline": {"DeactivatePipeline"},
}

// Unfelt says that a call is answered, and changes nothing.
func Unfelt(service, operation string) bool { return slices.Contains(unfelt[service], operation) }

func lacks(q Request) bool {
	return slices.Contains(Lacks, q.Operation) || Unfelt(q.Service, q.Operation)
}

// Request is a call on its way to moto. Its operation is only known where the
// protocol names it; a REST call has its method and path for it.
type Request struct {
	Service   string // that it is signed for
	Operation string
	Form      url.Values // of a query
}

// Writes says that the call changes something, as far as its name tells.
func (r Request) Writes() bool {
	for _, p := range []string{"Get", "List", "Describe", "Simulate", "Generate", "HEAD ", "GET "} {
		if strings.HasPrefix(r.Operation, p) {
			return false
		}
	}
	return true
}

// Reply is an answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Throttled is what AWS answers to those who ask too often.
func Throttled() *Reply {
	return queryError(http.StatusBadRequest, "Sender", "Throttling", "Rate exceeded")
}

// Broken is a fault of AWS's own.
func Broken() *Reply {
	return queryError(http.StatusInternalServerError, "Receiver", "InternalFailure", "We encountered an internal error.")
}

func queryError(status int, kind, code, text string) *Reply {
	return &Reply{status, http.Header{"Content-Type": {"text/xml"}}, fmt.Appendf(nil,
		"<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>", kind, code, text)}
}

// Proxy stands before moto.
type Proxy struct {
	URL string
	// Before, if set, sees each call before moto does, and may answer in its place.
	Before func(Request) *Reply
	// After, if set, sees each answer before the caller does, and may replace it.
	After func(Request, *Reply) *Reply

	t       testing.TB
	moto    string
	client  *http.Client
	lacking http.Handler
	state   *lacking

	mu    sync.Mutex
	calls []Request
	pairs map[string]string // key pairs by id
}

// NewProxy starts a proxy that ends with its test.
func NewProxy(t testing.TB, moto string) *Proxy {
	t.Helper()
	shapes := shapeserver.Start(t)
	p := &Proxy{t: t, moto: moto, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		lacking: shapes, state: newLacking(), pairs: map[string]string{}}
	shapes.Answer = p.state.answer
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Forget forgets what calls came, and what those that moto lacks wrote.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
	p.state.clear()
}

// Writes are the writes that came so far, as service:Operation; then they are
// forgotten.
func (p *Proxy) Writes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, r := range p.calls {
		if r.Writes() {
			out = append(out, r.Service+":"+r.Operation)
		}
	}
	p.calls = nil
	return out
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	q := describe(r, body)
	p.mu.Lock()
	p.calls = append(p.calls, q)
	p.mu.Unlock()
	var reply *Reply
	if p.Before != nil {
		reply = p.Before(q)
	}
	if reply == nil {
		if reply, err = p.forward(r, q, body); err != nil {
			p.t.Log("moto:", err)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if p.After != nil {
			reply = p.After(q, reply)
		}
	}
	for k, v := range reply.Header {
		if k != "Content-Length" && k != "Connection" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(reply.Status)
	// A caller that is gone fails its own test.
	_, _ = w.Write(reply.Body)
}

func describe(r *http.Request, body []byte) Request {
	q := Request{Operation: r.Method + " " + r.URL.RequestURI()}
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		if parts := strings.Split(scope, "/"); len(parts) > 3 {
			q.Service = parts[3]
		}
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		q.Operation = target[strings.LastIndexByte(target, '.')+1:]
		return q
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		q.Operation, q.Form = form.Get("Action"), form
	}
	return q
}

// forward asks moto and, for what it does not have, the shape server.
func (p *Proxy) forward(r *http.Request, q Request, body []byte) (*Reply, error) {
	if q.Operation == "DeleteKeyPair" {
		body = p.byName(q.Form, body)
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, p.moto+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	out.ContentLength = int64(len(body))
	answer, err := p.client.Do(out)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	reply := &Reply{Status: answer.StatusCode, Header: answer.Header}
	if reply.Body, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	if lacks(q) && (reply.Status >= http.StatusInternalServerError || Unfelt(q.Service, q.Operation)) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		w := httptest.NewRecorder()
		p.lacking.ServeHTTP(w, again)
		return &Reply{w.Code, w.Header(), w.Body.Bytes()}, nil
	}
	if reply.Status >= http.StatusInternalServerError {
		p.t.Logf("moto: %s %s: %s", q.Service, q.Operation, answer.Status)
	}
	if q.Operation == "CreateKeyPair" || q.Operation == "ImportKeyPair" {
		p.keepPair(reply.Body)
	}
	if strings.HasSuffix(q.Operation, "GroupMembership") && reply.Status < http.StatusBadRequest {
		p.state.membership(q.Operation, body, reply.Body)
	}
	if q.Operation == "GetOpenIDConnectProvider" {
		reply.Body = p.state.withoutClients(q.Form.Get("OpenIDConnectProviderArn"), reply.Body)
	}
	if q.Operation == "GetUser" && q.Service == "iam" {
		reply.Body = p.state.withBoundary(q.Form.Get("UserName"), reply.Body)
	}
	return reply, nil
}

var pairMade = regexp.MustCompile(`(?s)<keyName>([^<]*)</keyName>.*<keyPairId>([^<]*)</keyPairId>|<keyPairId>([^<]*)</keyPairId>.*<keyName>([^<]*)</keyName>`)

// keepPair keeps the name of a key pair that was made.
func (p *Proxy) keepPair(answer []byte) {
	if m := pairMade.FindSubmatch(answer); m != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pairs[string(m[2])+string(m[3])] = string(m[1]) + string(m[4])
	}
}

// byName names the key pair that a deletion gives the id of: moto overlooks ids.
func (p *Proxy) byName(form url.Values, body []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := p.pairs[form.Get("KeyPairId")]
	if name == "" {
		return body
	}
	form = maps.Clone(form)
	form.Del("KeyPairId")
	form.Set("KeyName", name)
	return []byte(form.Encode())
}

// lacking is what the calls that moto lacks have written.
type lacking struct {
	mu          sync.Mutex
	boundaries  map[string]string   // user: policy
	clients     map[string][]string // removed, by identity provider
	credentials []map[string]any
	members     map[string]bool // memberships of groups, by id
	made        int
}

func newLacking() *lacking {
	l := &lacking{}
	l.clear()
	return l
}

func (l *lacking) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.boundaries, l.clients, l.credentials, l.members = map[string]string{}, map[string][]string{}, nil, map[string]bool{}
}

func (l *lacking) answer(c shapeserver.Call) (map[string]any, *shapeserver.Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(unfelt[c.Service], c.Operation) {
		return nil, nil
	}
	user, _ := c.Parameters["UserName"].(string)
	id, _ := c.Parameters["ServiceSpecificCredentialId"].(string)
	at := slices.IndexFunc(l.credentials, func(m map[string]any) bool { return m["ServiceSpecificCredentialId"] == id && m["UserName"] == user })
	gone := &shapeserver.Failure{Status: http.StatusNotFound, Code: "NoSuchEntity"}
	switch c.Operation {
	case "PutUserPermissionsBoundary":
		l.boundaries[user], _ = c.Parameters["PermissionsBoundary"].(string)
	case "DeleteUserPermissionsBoundary":
		if l.boundaries[user] == "" {
			return nil, gone
		}
		delete(l.boundaries, user)
	case "CreateServiceSpecificCredential":
		l.made++
		made := map[string]any{"ServiceSpecificCredentialId": fmt.Sprintf("ACCA%016d", l.made), "UserName": user, "ServiceName": c.Parameters["ServiceName"],
			"Status": "Active", "CreateDate": "2026-11-24T09:00:00Z"}
		l.credentials = append(l.credentials, made)
		return map[string]any{"ServiceSpecificCredential": made}, nil
	case "ListServiceSpecificCredentials":
		list := []any{}
		for _, m := range l.credentials {
			if m["UserName"] == user {
				list = append(list, m)
			}
		}
		return map[string]any{"ServiceSpecificCredentials": list}, nil
	case "RemoveClientIDFromOpenIDConnectProvider", "AddClientIDToOpenIDConnectProvider":
		provider, _ := c.Parameters["OpenIDConnectProviderArn"].(string)
		client, _ := c.Parameters["ClientID"].(string)
		l.clients[provider] = slices.DeleteFunc(l.clients[provider], func(s string) bool { return s == client })
		if c.Operation[0] == 'R' {
			l.clients[provider] = append(l.clients[provider], client)
		}
	case "ProvisionPermissionSet":
		return map[string]any{"PermissionSetProvisioningStatus": map[string]any{"Status": "SUCCEEDED"}}, nil
	case "DescribeGroupMembership":
		id, _ := c.Parameters["MembershipId"].(string)
		if !l.members[id] {
			return nil, &shapeserver.Failure{Status: http.StatusBadRequest, Code: "ResourceNotFoundException"}
		}
		return map[string]any{"IdentityStoreId": c.Parameters["IdentityStoreId"], "MembershipId": id, "GroupId": "g", "MemberId": map[string]any{"UserId": "u"}}, nil
	case "SimulatePrincipalPolicy":
		return map[string]any{"EvaluationResults": []any{}}, nil
	default:
		if at < 0 {
			return nil, gone
		}
		switch c.Operation {
		case "UpdateServiceSpecificCredential":
			l.credentials[at]["Status"] = c.Parameters["Status"]
		case "DeleteServiceSpecificCredential":
			l.credentials = slices.Delete(l.credentials, at, at+1)
		case "ResetServiceSpecificCredential":
			return map[string]any{"ServiceSpecificCredential": l.credentials[at]}, nil
		}
	}
	return nil, nil
}

// membership keeps which memberships of groups there are.
func (l *lacking) membership(operation string, request, answer []byte) {
	text := request
	if operation == "CreateGroupMembership" {
		text = answer
	}
	var m struct{ MembershipId string }
	if json.Unmarshal(text, &m) != nil || m.MembershipId == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch operation {
	case "CreateGroupMembership":
		l.members[m.MembershipId] = true
	case "DeleteGroupMembership":
		delete(l.members, m.MembershipId)
	}
}

// withoutClients takes the clients that were removed out of moto's answer.
func (l *lacking) withoutClients(provider string, body []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.clients[provider] {
		body = bytes.ReplaceAll(body, []byte("<member>"+c+"</member>"), nil)
	}
	return body
}

var userEnd = regexp.MustCompile(`</User>`)

// withBoundary puts a user's boundary into moto's answer about it.
func (l *lacking) withBoundary(user string, body []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	policy := l.boundaries[user]
	if policy == "" {
		return body
	}
	return userEnd.ReplaceAllLiteral(body, []byte("<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>"+
		policy+"</PermissionsBoundaryArn></PermissionsBoundary></User>"))
}
