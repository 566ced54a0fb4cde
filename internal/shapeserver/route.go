package shapeserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trailscan/internal/awsapi"
)

// route finds the operation that a request is for: by the name that it is signed
// with, then as the service's protocol tells.
func route(r *http.Request, body []byte) (*query, error) {
	region, signed, err := signedFor(r)
	if err != nil {
		return nil, err
	}
	var best *query
	most := -1
	for _, service := range awsapi.Services() {
		m, err := awsapi.Load(service)
		if err != nil {
			return nil, err
		}
		if m.Metadata.SigningName != signed && (m.Metadata.SigningName != "" || m.Metadata.EndpointPrefix != signed) {
			continue
		}
		name, labels, fixed, err := operationOf(m, r, body)
		if err != nil {
			return nil, err
		}
		// S3 takes every path for an object's; S3 Control's say more.
		if name != "" && fixed > most {
			call := Call{Service: service, Operation: name, Region: region}
			best, most = &query{call: call, model: m, op: m.Operations[name], labels: labels}, fixed
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, fmt.Errorf("no operation of a service that is signed as %q", signed)
}

func operationOf(m *awsapi.Model, r *http.Request, body []byte) (name string, labels map[string]string, fixed int, err error) {
	switch m.Metadata.ProtocolName() {
	case "json":
		// Java's package before the name makes no difference.
		_, target, ours := strings.Cut(r.Header.Get("X-Amz-Target"), m.Metadata.TargetPrefix[strings.LastIndexByte(m.Metadata.TargetPrefix, '.')+1:]+".")
		if !ours {
			return "", nil, 0, nil
		}
		name = target
		if want := "application/x-amz-json-" + m.Metadata.JSONVersion; r.Header.Get("Content-Type") != want {
			return "", nil, 0, fmt.Errorf("content type %q, want %q", r.Header.Get("Content-Type"), want)
		}
	case "query", "ec2":
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != http.MethodPost || form.Get("Version") != m.Metadata.APIVersion {
			return "", nil, 0, nil // of another service that is signed by the same name
		}
		name = form.Get("Action")
	default:
		return restOperation(m, r)
	}
	if m.Operations[name] == nil {
		return "", nil, 0, nil
	}
	return name, nil, 0, nil
}

// restOperation matches method and path, the path with most of its words fixed
// first, and the words of the query that stand in the URI.
func restOperation(m *awsapi.Model, r *http.Request) (best string, labels map[string]string, fixed int, err error) {
	fixed = -1
	for name, op := range m.Operations {
		if op.HTTP.Method != r.Method {
			continue
		}
		path, words, _ := strings.Cut(op.HTTP.URI, "?")
		found, n, err := match(path, r.URL.EscapedPath())
		if err != nil {
			return "", nil, 0, err
		}
		if found == nil || !hasWords(words, r.URL.Query()) {
			continue
		}
		if words != "" {
			n += 1 + strings.Count(words, "&")
		}
		if n > fixed || n == fixed && name < best {
			best, fixed, labels = name, n, found
		}
	}
	return best, labels, fixed, nil
}

// match gives the labels of a path, nil when it is another one, and how many of
// its words are fixed.
func match(template, path string) (labels map[string]string, fixed int, err error) {
	want, got := strings.Split(strings.TrimSuffix(template, "/"), "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	labels = map[string]string{}
	for i, w := range want {
		if i >= len(got) {
			return nil, 0, nil
		}
		label := strings.HasPrefix(w, "{") && strings.HasSuffix(w, "}")
		switch {
		case label && strings.HasSuffix(w, "+}"):
			v, err := url.PathUnescape(strings.Join(got[i:], "/"))
			labels[w[1:len(w)-2]] = v
			return labels, fixed, err
		case label:
			if got[i] == "" {
				return nil, 0, nil
			}
			if labels[w[1:len(w)-1]], err = url.PathUnescape(got[i]); err != nil {
				return nil, 0, err
			}
		case w != got[i]:
			return nil, 0, nil
		default:
			fixed++
		}
	}
	if len(got) != len(want) {
		return nil, 0, nil
	}
	return labels, fixed, nil
}

func hasWords(words string, q url.Values) bool {
	return words == "" || !slices.ContainsFunc(strings.Split(words, "&"), func(w string) bool {
		k, v, _ := strings.Cut(w, "=")
		return !q.Has(k) || v != "" && q.Get(k) != v
	})
}
