package shapeserver

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"trailscan/internal/awsapi"
)

// node is an XML element.
type node struct {
	name  string
	space string
	attrs map[string]string
	text  string
	kids  []*node
}

func parseXML(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := &node{}
	path := []*node{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := path[len(path)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, space: t.Name.Space, attrs: map[string]string{}}
			for _, a := range t.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, n)
			path = append(path, n)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) != 1 {
		return nil, errors.New("the body is no XML element")
	}
	return root.kids[0], nil
}

func (d decoder) xml(at string, ref *awsapi.Ref, n *node) (any, error) {
	shape := d.model.Shapes[ref.Shape]
	switch shape.Type {
	case "structure":
		return d.xmlMembers(at, shape, n)
	case "list":
		out := []any{}
		for _, kid := range n.kids {
			if want := wireOr(shape.Member, "member"); kid.name != want {
				return nil, fmt.Errorf("%s has %s, not %s", at, kid.name, want)
			}
			v, err := d.xml(at+"/"+kid.name, shape.Member, kid)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case "map":
		return nil, fmt.Errorf("%s is a map, of which no request in XML is known", at)
	}
	return d.text(at, ref, n.text)
}

func (d decoder) xmlMembers(at string, shape *awsapi.Shape, n *node) (map[string]any, error) {
	out := map[string]any{}
	for _, kid := range n.kids {
		name, ref := "", (*awsapi.Ref)(nil)
		for m, r := range shape.Members {
			if formName(m, r, d.model.Shapes[r.Shape], false) == kid.name && !r.XMLAttribute {
				name, ref = m, r
			}
		}
		if ref == nil {
			return nil, fmt.Errorf("%s/%s is unknown", at, kid.name)
		}
		target := d.model.Shapes[ref.Shape]
		if target.Type == "list" && (target.Flattened || ref.Flattened) {
			v, err := d.xml(at+"/"+kid.name, target.Member, kid)
			if err != nil {
				return nil, err
			}
			list, _ := out[awsapi.Field(name)].([]any)
			out[awsapi.Field(name)] = append(list, v)
			continue
		}
		var err error
		if out[awsapi.Field(name)], err = d.xml(at+"/"+kid.name, ref, kid); err != nil {
			return nil, err
		}
	}
	for m, r := range shape.Members {
		if r.XMLAttribute {
			_, local, found := strings.Cut(r.LocationName, ":")
			if !found {
				local = r.LocationName
			}
			if v, ok := n.attrs[local]; ok {
				out[awsapi.Field(m)] = v
			}
		}
	}
	return out, nil
}
