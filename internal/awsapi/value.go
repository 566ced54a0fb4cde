package awsapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	smithyrand "github.com/aws/smithy-go/rand"
)

// plain gives data the types of JSON, with numbers as their text.
func plain(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out any
	return out, d.Decode(&out)
}

// input is the parameters of a call, checked against its shape.
type input struct {
	schema *smithy.Schema
	write  func(smithy.ShapeSerializer)
}

// Serialize implements smithy.Serializable.
func (in *input) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(in.schema)
	in.write(s)
	s.CloseStruct()
}

// input checks parameters: each must be a member of the operation's input and of
// its type, and the required ones must be there.
func (s *service) input(op *Operation, schema *smithy.Schema, parameters map[string]any) (*input, error) {
	if op.Input == nil {
		if len(parameters) > 0 {
			return nil, errors.New("the operation takes none")
		}
		return &input{}, nil
	}
	v, err := plain(parameters)
	if err != nil {
		return nil, err
	}
	if v == nil {
		v = map[string]any{}
	}
	write, err := s.members("", s.model.Shapes[op.Input.Shape], schema, v)
	return &input{schema, write}, err
}

type writer = func(smithy.ShapeSerializer)

// members writes those of a structure.
func (s *service) members(at string, shape *Shape, schema *smithy.Schema, v any) (writer, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, wrongType(at, "an object", v)
	}
	var list []writer
	given := map[string]bool{}
	for _, field := range slices.Sorted(maps.Keys(in)) {
		name, ref := shape.MemberOf(field)
		if ref == nil {
			return nil, fmt.Errorf("%s is unknown", at+"/"+field)
		}
		if in[field] == nil {
			continue
		}
		w, err := s.value(at+"/"+field, ref, schema.Member(name), in[field])
		if err != nil {
			return nil, err
		}
		given[name] = true
		list = append(list, w)
	}
	for name, ref := range shape.Members {
		// AWS tells a repeated call from a new one by such a token; some services
		// take only one of 32 characters or more.
		if ref.IdempotencyToken && !given[name] {
			token, err := smithyrand.NewUUID(rand.Reader).GetUUID()
			if err != nil {
				return nil, fmt.Errorf("make a token: %w", err)
			}
			given[name] = true
			list = append(list, func(w smithy.ShapeSerializer) { w.WriteString(schema.Member(name), token) })
		}
	}
	for _, name := range shape.Required {
		if !given[name] {
			return nil, fmt.Errorf("%s is missing", at+"/"+Field(name))
		}
	}
	return func(w smithy.ShapeSerializer) {
		for _, f := range list {
			f(w)
		}
	}, nil
}

func wrongType(at, want string, v any) error {
	return fmt.Errorf("%s must be %s, not %T", at, want, v)
}

// value writes one value.
func (s *service) value(at string, ref *Ref, schema *smithy.Schema, v any) (writer, error) {
	shape := s.model.Shapes[ref.Shape]
	switch schema.Type() {
	case smithy.ShapeTypeStructure, smithy.ShapeTypeUnion:
		return s.structure(at, shape, schema, v)
	case smithy.ShapeTypeDocument:
		return func(w smithy.ShapeSerializer) { w.WriteDocument(schema, document.Opaque{Value: v}) }, nil
	case smithy.ShapeTypeList:
		return s.list(at, shape, schema, v)
	case smithy.ShapeTypeMap:
		return s.mapping(at, shape, schema, v)
	}
	return scalar(at, schema, v)
}

func (s *service) structure(at string, shape *Shape, schema *smithy.Schema, v any) (writer, error) {
	inner, err := s.members(at, shape, schema, v)
	if err != nil {
		return nil, err
	}
	if !shape.Union {
		return func(w smithy.ShapeSerializer) { w.WriteStruct(schema); inner(w); w.CloseStruct() }, nil
	}
	in, _ := v.(map[string]any)
	if len(in) != 1 {
		return nil, fmt.Errorf("%s must have exactly one member", at)
	}
	var variant *smithy.Schema
	for field := range in {
		name, _ := shape.MemberOf(field)
		variant = schema.Member(name)
	}
	return func(w smithy.ShapeSerializer) { w.WriteUnion(schema, variant); inner(w); w.CloseUnion() }, nil
}

func (s *service) list(at string, shape *Shape, schema *smithy.Schema, v any) (writer, error) {
	in, ok := v.([]any)
	if !ok {
		return nil, wrongType(at, "a list", v)
	}
	var items []writer
	for i, e := range in {
		w, err := s.value(fmt.Sprintf("%s/%d", at, i), shape.Member, schema.ListMember(), e)
		if err != nil {
			return nil, err
		}
		items = append(items, w)
	}
	return func(w smithy.ShapeSerializer) {
		w.WriteList(schema)
		for _, f := range items {
			f(w)
		}
		w.CloseList()
	}, nil
}

func (s *service) mapping(at string, shape *Shape, schema *smithy.Schema, v any) (writer, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, wrongType(at, "an object", v)
	}
	keys := slices.Sorted(maps.Keys(in))
	values := make([]writer, len(keys))
	for i, k := range keys {
		var err error
		if values[i], err = s.value(at+"/"+k, shape.Value, schema.MapValue(), in[k]); err != nil {
			return nil, err
		}
	}
	return func(w smithy.ShapeSerializer) {
		w.WriteMap(schema)
		for i, k := range keys {
			w.WriteKey(schema.MapKey(), k)
			values[i](w)
		}
		w.CloseMap()
	}, nil
}

func scalar(at string, schema *smithy.Schema, v any) (writer, error) {
	text, isText := v.(string)
	number, isNumber := v.(json.Number)
	switch schema.Type() {
	case smithy.ShapeTypeString:
		if !isText {
			return nil, wrongType(at, "text", v)
		}
		return func(w smithy.ShapeSerializer) { w.WriteString(schema, text) }, nil
	case smithy.ShapeTypeBoolean:
		b, ok := v.(bool)
		if !ok {
			return nil, wrongType(at, "true or false", v)
		}
		return func(w smithy.ShapeSerializer) { w.WriteBool(schema, b) }, nil
	case smithy.ShapeTypeInteger, smithy.ShapeTypeLong:
		n, err := number.Int64()
		narrow := schema.Type() == smithy.ShapeTypeInteger
		if !isNumber || err != nil || narrow && (n > math.MaxInt32 || n < math.MinInt32) {
			return nil, wrongType(at, "a whole number", v)
		}
		if narrow {
			return func(w smithy.ShapeSerializer) { w.WriteInt32(schema, int32(n)) }, nil
		}
		return func(w smithy.ShapeSerializer) { w.WriteInt64(schema, n) }, nil
	case smithy.ShapeTypeFloat, smithy.ShapeTypeDouble:
		n, err := number.Float64()
		if !isNumber || err != nil {
			return nil, wrongType(at, "a number", v)
		}
		if schema.Type() == smithy.ShapeTypeFloat {
			return func(w smithy.ShapeSerializer) { w.WriteFloat32(schema, float32(n)) }, nil
		}
		return func(w smithy.ShapeSerializer) { w.WriteFloat64(schema, n) }, nil
	case smithy.ShapeTypeTimestamp:
		t, err := time.Parse(time.RFC3339Nano, text)
		if !isText || err != nil {
			return nil, wrongType(at, "a time in RFC 3339", v)
		}
		return func(w smithy.ShapeSerializer) { w.WriteTime(schema, t) }, nil
	default: // a blob
		b, err := base64.StdEncoding.DecodeString(text)
		if !isText || err != nil {
			return nil, wrongType(at, "base64", v)
		}
		return func(w smithy.ShapeSerializer) { w.WriteBlob(schema, b) }, nil
	}
}
