package awsapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/aws/smithy-go/transport/http/protocol/ec2query"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
	"github.com/aws/smithy-go/transport/http/protocol/restxml"
)

// service is a model in the form that the SDK's protocols read.
type service struct {
	name     string
	model    *Model
	protocol smithyhttp.ClientProtocol
	schemas  map[string]*smithy.Schema
}

// ProtocolName is the one of the service's protocols that is spoken here.
func (m *Metadata) ProtocolName() string {
	if slices.Contains(m.Protocols, "json") {
		return "json" // where CBOR is preferred
	}
	return m.Protocol
}

func newService(name string, m *Model) (*service, error) {
	s := &service{name: name, model: m, schemas: map[string]*smithy.Schema{}}
	var on []smithy.Trait
	if m.Metadata.QueryCompatible != nil {
		on = append(on, &traits.AWSQueryCompatible{})
	}
	if m.Metadata.XMLNamespace != "" {
		on = append(on, &traits.XMLNamespace{URI: m.Metadata.XMLNamespace})
	}
	id := smithy.ShapeID{Namespace: name, Name: m.Metadata.TargetPrefix}
	schema := smithy.NewServiceSchema(smithy.NewSchema(id, smithy.ShapeTypeService, 0, on...), m.Metadata.APIVersion)
	switch p := m.Metadata.ProtocolName(); p {
	case "json":
		s.protocol = awsjson.New11(schema)
		if m.Metadata.JSONVersion == "1.0" {
			s.protocol = awsjson.New10(schema)
		}
	case "query":
		s.protocol = awsquery.New(schema)
	case "ec2":
		s.protocol = ec2query.New(schema)
	case "rest-json":
		s.protocol = restjson1.New(schema)
	case "rest-xml":
		s.protocol = restxml.New(schema)
	default:
		return nil, fmt.Errorf("model of %s: unknown protocol %q", name, p)
	}
	for n, shape := range m.Shapes {
		typ, err := shapeType(shape)
		if err != nil {
			return nil, fmt.Errorf("model of %s: %s: %w", name, n, err)
		}
		s.schemas[n] = smithy.NewSchema(smithy.ShapeID{Namespace: name, Name: n}, typ, len(shape.Members), shapeTraits(shape)...)
	}
	for n, shape := range m.Shapes {
		if err := s.addMembers(n, shape); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func shapeType(s *Shape) (smithy.ShapeType, error) {
	switch s.Type {
	case "blob":
		return smithy.ShapeTypeBlob, nil
	case "boolean":
		return smithy.ShapeTypeBoolean, nil
	case "string", "character":
		return smithy.ShapeTypeString, nil
	case "timestamp":
		return smithy.ShapeTypeTimestamp, nil
	case "integer":
		return smithy.ShapeTypeInteger, nil
	case "long":
		return smithy.ShapeTypeLong, nil
	case "float":
		return smithy.ShapeTypeFloat, nil
	case "double":
		return smithy.ShapeTypeDouble, nil
	case "list":
		return smithy.ShapeTypeList, nil
	case "map":
		return smithy.ShapeTypeMap, nil
	case "structure":
		switch {
		case s.Document:
			return smithy.ShapeTypeDocument, nil
		case s.Union:
			return smithy.ShapeTypeUnion, nil
		}
		return smithy.ShapeTypeStructure, nil
	}
	return 0, fmt.Errorf("unknown type %q", s.Type)
}

func shapeTraits(s *Shape) []smithy.Trait {
	var on []smithy.Trait
	if s.Flattened {
		on = append(on, &traits.XMLFlattened{})
	}
	if s.LocationName != "" {
		on = append(on, &traits.XMLName{Name: s.LocationName})
	}
	if s.XMLNamespace != nil {
		on = append(on, &traits.XMLNamespace{URI: s.XMLNamespace.URI, Prefix: s.XMLNamespace.Prefix})
	}
	return append(on, timestampTrait(s.TimestampFormat)...)
}

func timestampTrait(format string) []smithy.Trait {
	names := map[string]string{"iso8601": "date-time", "rfc822": "http-date", "unixTimestamp": "epoch-seconds"}
	if names[format] == "" {
		return nil
	}
	return []smithy.Trait{&traits.TimestampFormat{Format: names[format]}}
}

func (s *service) addMembers(name string, shape *Shape) error {
	schema := s.schemas[name]
	add := func(member string, r *Ref) error {
		target := s.schemas[r.Shape]
		if target == nil {
			return fmt.Errorf("model of %s: %s has a member of the unknown shape %q", s.name, name, r.Shape)
		}
		on := s.memberTraits(r)
		if member == shape.Payload && member != "" {
			on = append(on, &traits.HTTPPayload{})
		}
		schema.AddMember(member, target, on...)
		return nil
	}
	for n, r := range shape.Members {
		if err := add(n, r); err != nil {
			return err
		}
	}
	for n, r := range map[string]*Ref{"member": shape.Member, "key": shape.Key, "value": shape.Value} {
		if r == nil {
			continue
		}
		if err := add(n, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) memberTraits(r *Ref) []smithy.Trait {
	on := timestampTrait(r.TimestampFormat)
	switch r.Location {
	case "uri":
		return append(on, &traits.HTTPLabel{})
	case "querystring":
		if s.model.Shapes[r.Shape].Type == "map" {
			return append(on, &traits.HTTPQueryParams{})
		}
		return append(on, &traits.HTTPQuery{Name: r.LocationName})
	case "header":
		return append(on, &traits.HTTPHeader{Name: r.LocationName})
	case "headers":
		return append(on, &traits.HTTPPrefixHeaders{Prefix: r.LocationName})
	case "statusCode":
		return append(on, &traits.HTTPResponseCode{})
	}
	name := r.LocationName
	// A flattened list has no element of its own: its items carry the name.
	if shape := s.model.Shapes[r.Shape]; shape.Flattened && shape.Member != nil && shape.Member.LocationName != "" {
		name = shape.Member.LocationName
	}
	if name != "" {
		on = append(on, &traits.XMLName{Name: name}, &traits.JSONName{Name: name})
	}
	if r.QueryName != "" {
		on = append(on, &traits.EC2QueryName{Name: r.QueryName})
	}
	if r.Flattened {
		on = append(on, &traits.XMLFlattened{})
	}
	if r.XMLAttribute {
		on = append(on, &traits.XMLAttribute{})
	}
	if r.XMLNamespace != nil {
		on = append(on, &traits.XMLNamespace{URI: r.XMLNamespace.URI, Prefix: r.XMLNamespace.Prefix})
	}
	return on
}

// operation is the schema of one call. The labels of its URI are named as the
// members are.
func (s *service) operation(name string) *smithy.OperationSchema {
	op := s.model.Operations[name]
	uri := op.HTTP.URI
	var input, output *smithy.Schema
	if op.Input != nil {
		input = s.named(op.Input)
		for member, r := range s.model.Shapes[op.Input.Shape].Members {
			if r.Location == "uri" {
				uri = strings.NewReplacer("{"+r.LocationName+"}", "{"+member+"}", "{"+r.LocationName+"+}", "{"+member+"+}").Replace(uri)
			}
		}
	}
	if op.Output != nil {
		output = s.schemas[op.Output.Shape]
	}
	schema := smithy.NewSchema(smithy.ShapeID{Namespace: s.name, Name: name}, smithy.ShapeTypeOperation, 0,
		&traits.HTTP{Method: op.HTTP.Method, URI: uri, Code: 200})
	return smithy.NewOperationSchema(schema, input, output)
}

// named is a shape under the element name that its use gives it.
func (s *service) named(r *Ref) *smithy.Schema {
	schema := s.schemas[r.Shape]
	if r.LocationName == "" && r.XMLNamespace == nil {
		return schema
	}
	shape := *s.model.Shapes[r.Shape]
	if r.LocationName != "" {
		shape.LocationName = r.LocationName
	}
	if r.XMLNamespace != nil {
		shape.XMLNamespace = r.XMLNamespace
	}
	named := smithy.NewSchema(schema.ID(), schema.Type(), len(schema.Members()), shapeTraits(&shape)...)
	for n, m := range shape.Members {
		on := s.memberTraits(m)
		if n == shape.Payload {
			on = append(on, &traits.HTTPPayload{})
		}
		named.AddMember(n, s.schemas[m.Shape], on...)
	}
	return named
}
