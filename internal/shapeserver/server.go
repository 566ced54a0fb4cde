// Package shapeserver is an HTTP server for tests that takes the part of AWS for
// every call that trailscan can make. It checks that a request has the shape that
// the API's model asks for, member by member, and answers with what the test
// says. It shares no code with what writes the requests.
package shapeserver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"trailscan/internal/awsapi"
)

// Call is a request as the server understood it; its parameters have the names
// of aws-sdk-go-v2.
type Call struct {
	Service, Operation, Region string
	Parameters                 map[string]any
}

// Failure is an error of AWS that a test answers with.
type Failure struct {
	Status int
	Code   string
}

// Server is a server that ends with its test.
type Server struct {
	URL string
	// Answer, if set, gives the answer to a call, named as in aws-sdk-go-v2, or a
	// failure. Without it every answer is empty.
	Answer func(Call) (map[string]any, *Failure)

	t     testing.TB
	mu    sync.Mutex
	calls []Call
}

// Start starts a server. A request of another shape than the model's fails t.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Calls gives the well-formed calls so far, and forgets them.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	q, err := route(r, body)
	if err == nil {
		q.call.Parameters, err = q.parameters(r, body)
	}
	if err == nil && q.op.Input != nil {
		err = complete(q.model, q.op.Input, q.call.Parameters, "")
	}
	if err != nil {
		s.t.Errorf("%s %s %s (%s): %v\n%s", r.Method, r.URL, r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"), err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if q.call.Service == "ec2" && q.call.Parameters["DryRun"] == true {
		q.fail(w, Failure{http.StatusPreconditionFailed, "DryRunOperation"})
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, q.call)
	s.mu.Unlock()
	var result map[string]any
	if s.Answer != nil {
		var failure *Failure
		if result, failure = s.Answer(q.call); failure != nil {
			q.fail(w, *failure)
			return
		}
	}
	q.answer(w, result)
}

// query is a request whose operation is known.
type query struct {
	call   Call
	model  *awsapi.Model
	op     *awsapi.Operation
	labels map[string]string // of the URI, by location name
}

// complete says what required member is missing.
func complete(m *awsapi.Model, ref *awsapi.Ref, v any, at string) error {
	shape := m.Shapes[ref.Shape]
	switch v := v.(type) {
	case map[string]any:
		if shape.Type == "map" {
			for k, e := range v {
				if err := complete(m, shape.Value, e, at+"/"+k); err != nil {
					return err
				}
			}
			return nil
		}
		for _, name := range shape.Required {
			if _, ok := v[awsapi.Field(name)]; !ok {
				return fmt.Errorf("%s/%s is required", at, name)
			}
		}
		for k, e := range v {
			if _, ref := shape.MemberOf(k); ref != nil {
				if err := complete(m, ref, e, at+"/"+k); err != nil {
					return err
				}
			}
		}
	case []any:
		for i, e := range v {
			if err := complete(m, shape.Member, e, fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// signedFor reads region and service from the signature.
func signedFor(r *http.Request) (region, service string, err error) {
	_, rest, ok := strings.Cut(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	parts := strings.Split(strings.SplitN(rest, ",", 2)[0], "/")
	if !ok || len(parts) != 5 || parts[4] != "aws4_request" {
		return "", "", fmt.Errorf("it is not signed: %q", r.Header.Get("Authorization"))
	}
	return parts[2], parts[3], nil
}
