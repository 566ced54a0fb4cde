package shapeserver

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trailscan/internal/awsapi"
)

// decoder reads what a client wrote, and is strict about it.
type decoder struct{ model *awsapi.Model }

func (d decoder) json(at string, ref *awsapi.Ref, v any, names bool) (any, error) {
	shape := d.model.Shapes[ref.Shape]
	switch shape.Type {
	case "structure":
		if shape.Document {
			return v, nil
		}
		return d.members(at, shape, v, names)
	case "map":
		in, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is %T, not a map", at, v)
		}
		out := map[string]any{}
		for k, e := range in {
			var err error
			if out[k], err = d.json(at+"/"+k, shape.Value, e, names); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "list":
		in, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("%s is %T, not a list", at, v)
		}
		out := make([]any, len(in))
		for i, e := range in {
			var err error
			if out[i], err = d.json(fmt.Sprintf("%s/%d", at, i), shape.Member, e, names); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "string", "blob":
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("%s is %T, not text", at, v)
		}
		return d.text(at, ref, text)
	case "boolean":
		if _, ok := v.(bool); !ok {
			return nil, fmt.Errorf("%s is %T, not a boolean", at, v)
		}
		return v, nil
	default:
		if n, ok := v.(json.Number); ok {
			return d.text(at, ref, n.String())
		}
		if text, ok := v.(string); ok && shape.Type == "timestamp" {
			return d.text(at, ref, text)
		}
		return nil, fmt.Errorf("%s is %T, not a number", at, v)
	}
}

// members reads an object; names says that members may be called otherwise on
// the wire.
func (d decoder) members(at string, shape *awsapi.Shape, v any, names bool) (map[string]any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is %T, not an object", at, v)
	}
	out := map[string]any{}
	for k, e := range in {
		name, ref := "", (*awsapi.Ref)(nil)
		for n, r := range shape.Members {
			if wire := r.LocationName; names && wire == k || (!names || wire == "") && n == k {
				name, ref = n, r
			}
		}
		if ref == nil {
			return nil, fmt.Errorf("%s/%s is unknown", at, k)
		}
		var err error
		if out[awsapi.Field(name)], err = d.json(at+"/"+k, ref, e, names); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// text reads a scalar that stands as text.
func (d decoder) text(at string, ref *awsapi.Ref, text string) (any, error) {
	shape := d.model.Shapes[ref.Shape]
	switch shape.Type {
	case "string":
		if len(shape.Enum) > 0 && !slices.Contains(shape.Enum, text) {
			return nil, fmt.Errorf("%s is %q, not one of %v", at, text, shape.Enum)
		}
		return text, nil
	case "boolean":
		b, err := strconv.ParseBool(text)
		return b, located(at, err)
	case "integer", "long":
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && shape.Type == "integer" && (n > math.MaxInt32 || n < math.MinInt32) {
			err = errors.New("it is too large")
		}
		return float64(n), located(at, err)
	case "float", "double":
		n, err := strconv.ParseFloat(text, 64)
		return n, located(at, err)
	case "timestamp":
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return text, nil
		}
		_, err := time.Parse(time.RFC3339Nano, text)
		return text, located(at, err)
	case "blob":
		_, err := base64.StdEncoding.DecodeString(text)
		return text, located(at, err)
	}
	return nil, fmt.Errorf("%s is a text, not a %s", at, shape.Type)
}

// located says where an error is.
func located(at string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// texts reads what stands in a URL or a header, once or more.
func (d decoder) texts(at string, ref *awsapi.Ref, texts []string) (any, error) {
	shape := d.model.Shapes[ref.Shape]
	if shape.Type == "list" {
		var out []any
		for _, t := range texts {
			v, err := d.text(at, shape.Member, t)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	if len(texts) != 1 {
		return nil, fmt.Errorf("%s is there %d times", at, len(texts))
	}
	return d.text(at, ref, texts[0])
}

// branch is a form whose names were split at their dots.
type branch struct {
	text string
	kids map[string]*branch
}

func tree(form url.Values) *branch {
	root := &branch{kids: map[string]*branch{}}
	for k, v := range form {
		b := root
		for _, part := range strings.Split(k, ".") {
			if b.kids[part] == nil {
				b.kids[part] = &branch{kids: map[string]*branch{}}
			}
			b = b.kids[part]
		}
		b.text = v[0]
	}
	return root
}

func (d decoder) form(at string, ref *awsapi.Ref, b *branch, ec2 bool) (any, error) {
	shape := d.model.Shapes[ref.Shape]
	switch shape.Type {
	case "structure":
		out := map[string]any{}
		used := map[string]bool{}
		for n, r := range shape.Members {
			wire := formName(n, r, d.model.Shapes[r.Shape], ec2)
			kid := b.kids[wire]
			if kid == nil {
				continue
			}
			used[wire] = true
			v, err := d.form(at+"/"+n, r, kid, ec2)
			if err != nil {
				return nil, err
			}
			out[awsapi.Field(n)] = v
		}
		for k := range b.kids {
			if !used[k] {
				return nil, fmt.Errorf("%s/%s is unknown", at, k)
			}
		}
		return out, nil
	case "list":
		if !ec2 && !shape.Flattened {
			item := shape.Member.LocationName
			if item == "" {
				item = "member"
			}
			if len(b.kids) == 0 && b.text == "" {
				return []any{}, nil
			}
			if b = b.kids[item]; b == nil {
				return nil, fmt.Errorf("%s has no %s", at, item)
			}
		}
		out := make([]any, len(b.kids))
		for i := range out {
			kid := b.kids[strconv.Itoa(i+1)]
			if kid == nil {
				return nil, fmt.Errorf("%s has no element %d", at, i+1)
			}
			var err error
			if out[i], err = d.form(fmt.Sprintf("%s/%d", at, i), shape.Member, kid, ec2); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "map":
		if !shape.Flattened {
			b = b.kids["entry"]
		}
		out := map[string]any{}
		for i := 1; b != nil && b.kids[strconv.Itoa(i)] != nil; i++ {
			kid := b.kids[strconv.Itoa(i)]
			key, value := kid.kids[wireOr(shape.Key, "key")], kid.kids[wireOr(shape.Value, "value")]
			if key == nil || value == nil {
				return nil, fmt.Errorf("%s lacks a key or a value", at)
			}
			var err error
			if out[key.text], err = d.form(at+"/"+key.text, shape.Value, value, ec2); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if len(b.kids) > 0 {
		return nil, fmt.Errorf("%s has members, and is a %s", at, shape.Type)
	}
	return d.text(at, ref, b.text)
}

func wireOr(r *awsapi.Ref, otherwise string) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return otherwise
}

func formName(name string, r *awsapi.Ref, shape *awsapi.Shape, ec2 bool) string {
	switch {
	case ec2 && r.QueryName != "":
		return r.QueryName
	case ec2:
		return awsapi.Field(wireOr(r, name))
	case shape.Flattened && shape.Member != nil && shape.Member.LocationName != "":
		return shape.Member.LocationName
	}
	return wireOr(r, name)
}
