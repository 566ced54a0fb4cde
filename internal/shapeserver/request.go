package shapeserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trailscan/internal/awsapi"
)

// parameters reads the input out of a request.
func (q *query) parameters(r *http.Request, body []byte) (map[string]any, error) {
	if q.op.Input == nil {
		return map[string]any{}, nil
	}
	d := decoder{q.model}
	shape := q.model.Shapes[q.op.Input.Shape]
	var v any
	var err error
	switch q.model.Metadata.ProtocolName() {
	case "json":
		v, err = d.json("", q.op.Input, jsonBody(body), false)
	case "query", "ec2":
		var form url.Values
		if form, err = url.ParseQuery(string(body)); err == nil {
			form.Del("Action")
			form.Del("Version")
			v, err = d.form("", q.op.Input, tree(form), q.model.Metadata.Protocol == "ec2")
		}
	default:
		return q.rest(d, shape, r, body)
	}
	m, _ := v.(map[string]any)
	return m, err
}

// jsonBody reads JSON; what is none stays text, which no input is.
func jsonBody(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(body)
	}
	return v
}

// rest reads what stands in path, query, headers and body.
func (q *query) rest(d decoder, shape *awsapi.Shape, r *http.Request, body []byte) (map[string]any, error) {
	out := map[string]any{}
	inBody := &awsapi.Shape{Type: "structure", Members: map[string]*awsapi.Ref{}}
	_, fixed, _ := strings.Cut(q.op.HTTP.URI, "?")
	known := []string{"x-id"}
	for _, w := range strings.Split(fixed, "&") {
		known = append(known, strings.SplitN(w, "=", 2)[0])
	}
	for name, ref := range shape.Members {
		var texts []string
		switch ref.Location {
		case "uri":
			texts = []string{q.labels[ref.LocationName]}
		case "querystring":
			texts = r.URL.Query()[ref.LocationName]
			known = append(known, ref.LocationName)
		case "header":
			texts = r.Header.Values(ref.LocationName)
		case "headers":
			continue
		default:
			inBody.Members[name] = ref
			continue
		}
		if len(texts) == 0 {
			continue
		}
		v, err := d.texts("/"+name, ref, texts)
		if err != nil {
			return nil, err
		}
		out[awsapi.Field(name)] = v
	}
	for k := range r.URL.Query() {
		if !slices.Contains(known, k) {
			return nil, fmt.Errorf("the query's %q is unknown", k)
		}
	}
	if shape.Payload != "" {
		return out, q.payload(d, shape, body, out)
	}
	switch {
	case len(body) == 0:
		return out, nil
	case len(inBody.Members) == 0:
		return nil, fmt.Errorf("a body that the operation does not take")
	}
	v, err := q.body(d, inBody, body)
	for k, e := range v {
		out[k] = e
	}
	return out, err
}

// payload reads a body that is one member.
func (q *query) payload(d decoder, shape *awsapi.Shape, body []byte, out map[string]any) error {
	ref := shape.Members[shape.Payload]
	target := d.model.Shapes[ref.Shape]
	if len(body) == 0 {
		return nil
	}
	if target.Type != "structure" {
		out[awsapi.Field(shape.Payload)] = string(body)
		return nil
	}
	if q.model.Metadata.Protocol == "rest-xml" {
		root, err := parseXML(body)
		if err != nil {
			return err
		}
		want := ref.LocationName
		if want == "" {
			want = ref.Shape
		}
		if err := root.is(want, ref.XMLNamespace); err != nil {
			return err
		}
		out[awsapi.Field(shape.Payload)], err = d.xml("/"+shape.Payload, ref, root)
		return err
	}
	v, err := d.json("/"+shape.Payload, ref, jsonBody(body), true)
	out[awsapi.Field(shape.Payload)] = v
	return err
}

// body reads a body that holds several members.
func (q *query) body(d decoder, shape *awsapi.Shape, body []byte) (map[string]any, error) {
	if q.model.Metadata.Protocol == "rest-json" {
		return d.members("", shape, jsonBody(body), true)
	}
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if err := root.is(wireOr(q.op.Input, q.op.Input.Shape), q.op.Input.XMLNamespace); err != nil {
		return nil, err
	}
	return d.xmlMembers("", shape, root)
}

// is says whether an element is the one that a model asks for.
func (n *node) is(name string, space *awsapi.XMLNamespace) error {
	if n.name != name || space != nil && n.space != space.URI {
		return fmt.Errorf("the body's root is %s %s, not %s in %v", n.space, n.name, name, space)
	}
	return nil
}
