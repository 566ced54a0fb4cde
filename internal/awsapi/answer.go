package awsapi

import (
	"encoding/base64"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// output is the answer to a call, its members named as aws-sdk-go-v2 names them.
type output struct {
	schema *smithy.Schema
	result map[string]any
}

// Deserialize implements smithy.Deserializable.
func (o *output) Deserialize(d smithy.ShapeDeserializer) error {
	if o.schema == nil {
		return nil
	}
	v, err := readMembers(d, o.schema)
	o.result = v
	return err
}

func readMembers(d smithy.ShapeDeserializer, schema *smithy.Schema) (map[string]any, error) {
	out := map[string]any{}
	err := smithy.ReadStruct(d, schema, func(m *smithy.Schema) error {
		v, err := read(d, m)
		if err == nil && v != nil {
			out[Field(m.MemberName())] = v
		}
		return err
	})
	return out, err
}

// read gives a value in the form that json.Marshal gives the SDK's own.
func read(d smithy.ShapeDeserializer, s *smithy.Schema) (any, error) {
	if isNil, err := d.ReadNil(s); isNil || err != nil {
		return nil, err
	}
	switch s.Type() {
	case smithy.ShapeTypeStructure:
		return readMembers(d, s)
	case smithy.ShapeTypeUnion:
		out := map[string]any{}
		err := smithy.ReadUnion(d, s, func(m *smithy.Schema) error {
			v, err := read(d, m)
			out[Field(m.MemberName())] = v
			return err
		})
		return out, err
	case smithy.ShapeTypeDocument:
		var v document.Value
		err := d.ReadDocument(s, &v)
		if o, ok := v.(document.Opaque); ok {
			return o.Value, err
		}
		return nil, err
	case smithy.ShapeTypeList:
		out := []any{}
		err := smithy.ReadList(d, s, func() error {
			v, err := read(d, s.ListMember())
			out = append(out, v)
			return err
		})
		return out, err
	case smithy.ShapeTypeMap:
		out := map[string]any{}
		err := smithy.ReadMap(d, s, func(k string) error {
			v, err := read(d, s.MapValue())
			out[k] = v
			return err
		})
		return out, err
	case smithy.ShapeTypeString:
		return got(d.ReadString, s)
	case smithy.ShapeTypeBoolean:
		return got(d.ReadBool, s)
	case smithy.ShapeTypeInteger:
		n, err := got(d.ReadInt32, s)
		return float64(n), err
	case smithy.ShapeTypeLong:
		n, err := got(d.ReadInt64, s)
		return float64(n), err
	case smithy.ShapeTypeFloat:
		n, err := got(d.ReadFloat32, s)
		return float64(n), err
	case smithy.ShapeTypeDouble:
		return got(d.ReadFloat64, s)
	case smithy.ShapeTypeTimestamp:
		t, err := got(d.ReadTime, s)
		return t.UTC().Format(time.RFC3339Nano), err
	default: // a blob
		b, err := got(d.ReadBlob, s)
		return base64.StdEncoding.EncodeToString(b), err
	}
}

func got[T any](read func(*smithy.Schema, *T) error, s *smithy.Schema) (T, error) {
	var v T
	err := read(s, &v)
	return v, err
}
