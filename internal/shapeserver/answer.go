package shapeserver

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"trailscan/internal/awsapi"
)

// answer writes a result, whose names are the SDK's, as the protocol has it.
func (q *query) answer(w http.ResponseWriter, result map[string]any) {
	var b bytes.Buffer
	protocol := q.model.Metadata.ProtocolName()
	if q.op.Output != nil {
		shape := q.model.Shapes[q.op.Output.Shape]
		ref := q.op.Output
		body := any(result)
		if shape.Payload != "" {
			ref, body = shape.Members[shape.Payload], result[awsapi.Field(shape.Payload)]
		}
		switch {
		case q.model.Shapes[ref.Shape].Type == "string" || q.model.Shapes[ref.Shape].Type == "blob":
			if body != nil {
				fmt.Fprint(&b, body)
			}
		case protocol == "json" || protocol == "rest-json":
			if err := json.NewEncoder(&b).Encode(q.wire(ref, body, protocol == "rest-json")); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		default:
			name := wireOr(ref, ref.Shape)
			if protocol != "rest-xml" {
				name = q.call.Operation + "Response"
			}
			fmt.Fprintf(&b, "<%s>", name)
			if protocol == "query" {
				fmt.Fprintf(&b, "<%sResult>", q.call.Operation)
			}
			q.element(&b, ref, body)
			if protocol == "query" {
				fmt.Fprintf(&b, "</%sResult>", q.call.Operation)
			}
			fmt.Fprintf(&b, "</%s>", name)
		}
	}
	write(w, http.StatusOK, protocol, b.Bytes())
}

// wire gives a value the names that it has in JSON.
func (q *query) wire(ref *awsapi.Ref, v any, names bool) any {
	shape := q.model.Shapes[ref.Shape]
	switch v := v.(type) {
	case nil:
		return map[string]any{}
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if shape.Type == "map" {
				out[k] = q.wire(shape.Value, e, names)
				continue
			}
			name, member := shape.MemberOf(k)
			if member == nil {
				panic(fmt.Sprintf("%s:%s answers no %s", q.call.Service, q.call.Operation, k))
			}
			if names {
				name = wireOr(member, name)
			}
			out[name] = q.wire(member, e, names)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = q.wire(shape.Member, e, names)
		}
		return out
	}
	return v
}

// element writes what stands in an XML element.
func (q *query) element(b *bytes.Buffer, ref *awsapi.Ref, v any) {
	shape := q.model.Shapes[ref.Shape]
	within := func(name string, ref *awsapi.Ref, v any) {
		fmt.Fprintf(b, "<%s>", name)
		q.element(b, ref, v)
		fmt.Fprintf(b, "</%s>", name)
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if shape.Type == "map" {
				b.WriteString("<entry>")
				within(wireOr(shape.Key, "key"), shape.Key, k)
				within(wireOr(shape.Value, "value"), shape.Value, v[k])
				b.WriteString("</entry>")
				continue
			}
			name, member := shape.MemberOf(k)
			if member == nil {
				panic(fmt.Sprintf("%s:%s answers no %s", q.call.Service, q.call.Operation, k))
			}
			target := q.model.Shapes[member.Shape]
			wire := formName(name, member, target, false)
			list, isList := v[k].([]any)
			if isList && target.Flattened {
				for _, e := range list {
					within(wire, target.Member, e)
				}
				continue
			}
			within(wire, member, v[k])
		}
	case []any:
		for _, e := range v {
			within(wireOr(shape.Member, "member"), shape.Member, e)
		}
	default:
		if err := xml.EscapeText(b, fmt.Append(nil, v)); err != nil {
			panic(err)
		}
	}
}

// fail answers with an error.
func (q *query) fail(w http.ResponseWriter, f Failure) {
	protocol := q.model.Metadata.ProtocolName()
	body := ""
	switch protocol {
	case "json", "rest-json":
		w.Header().Set("X-Amzn-ErrorType", f.Code)
		body = fmt.Sprintf(`{"__type":%q,"message":"no"}`, f.Code)
	case "ec2":
		body = "<Response><Errors><Error><Code>" + f.Code + "</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>"
	default:
		body = "<ErrorResponse><Error><Type>Sender</Type><Code>" + f.Code + "</Code><Message>no</Message></Error></ErrorResponse>"
		if q.call.Service == "s3" {
			body = "<Error><Code>" + f.Code + "</Code><Message>no</Message></Error>"
		}
	}
	write(w, f.Status, protocol, []byte(body))
}

func write(w http.ResponseWriter, status int, protocol string, body []byte) {
	kind := "text/xml"
	if protocol == "json" || protocol == "rest-json" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	// A client that is gone fails its own test.
	_, _ = w.Write(body)
}
