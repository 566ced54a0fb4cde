package ingest

import (
	"slices"
	"strings"
)

// tree is a JSON value that is put together from values at paths. What is set
// first stays.
type tree struct {
	value   []byte // when it is whole
	members []treeMember
	leaves  []listLeaf // when it is a list
}

type treeMember struct {
	name string
	*tree
}

// listLeaf is what the elements of a list have at a path, of each element one
// after another in one text: Security Lake and Splunk write lists so.
type listLeaf struct {
	path  []string
	text  string
	shape *shape
}

// set puts a value at a path, as shape.path gives it, and says whether there was
// room for it.
func (t *tree) set(path []string, value []byte) bool {
	node, ok := t.at(path)
	if !ok || node.value != nil || node.members != nil || node.leaves != nil {
		return false
	}
	node.value = value
	return true
}

// setText puts a text there; in a path through a list it is that of all its
// elements.
func (t *tree) setText(path []string, text string, s *shape) bool {
	for i, name := range path {
		bare, isList := strings.CutSuffix(name, "[]")
		if !isList {
			continue
		}
		node, ok := t.at(append(append([]string(nil), path[:i]...), bare))
		if !ok || node.value != nil || node.members != nil {
			return false
		}
		node.leaves = append(node.leaves, listLeaf{path[i+1:], text, s})
		return true
	}
	value := s.fromText(text)
	return value != nil && t.set(path, value)
}

// has says whether something stands at a path.
func (t *tree) has(path ...string) bool {
	for _, name := range path {
		found := false
		for _, m := range t.members {
			if m.name == name {
				t, found = m.tree, true
			}
		}
		if !found {
			return t.value != nil && len(t.members) == 0
		}
	}
	return true
}

// at is the place of a path, made if need be; false when something whole is in
// the way.
func (t *tree) at(path []string) (*tree, bool) {
next:
	for _, name := range path {
		if t.value != nil || t.leaves != nil {
			return nil, false
		}
		for _, m := range t.members {
			if m.name == name {
				t = m.tree
				continue next
			}
		}
		m := treeMember{name, new(tree)}
		t.members = append(t.members, m)
		t = m.tree
	}
	return t, true
}

// append appends the JSON of the value, separator being what stands between the
// values of the elements of lists.
func (t *tree) append(dst []byte, separator string) []byte {
	switch {
	case t.value != nil:
		return append(dst, t.value...)
	case t.leaves != nil:
		return appendList(dst, t.leaves, separator)
	}
	dst = append(dst, '{')
	for _, m := range t.members {
		dst = append(appendText(dst, m.name), ':')
		dst = append(m.tree.append(dst, separator), ',')
	}
	return closed(dst, '}')
}

// appendList takes the joined values of a list apart. That is sound only where
// all of them say the same number of elements; where they do not, or where a
// list in the list says nothing of which element it is in, it stays one element
// that has them joined.
func appendList(dst []byte, leaves []listLeaf, separator string) []byte {
	count, nested := 0, false
	parts := make([][]string, len(leaves))
	for i, l := range leaves {
		if slices.ContainsFunc(l.path, func(name string) bool { return strings.HasSuffix(name, "[]") }) {
			nested = true
			continue
		}
		parts[i] = splitOutside(l.text, separator)
		if count != 0 && len(parts[i]) != count {
			count = 1
			break
		}
		count = len(parts[i])
	}
	if count == 0 || nested {
		count = 1
	}
	dst = append(dst, '[')
	for i := range count {
		var element tree
		for j, l := range leaves {
			text := l.text
			if count > 1 {
				text = parts[j][i]
			}
			if len(l.path) > 0 {
				element.setText(l.path, text, l.shape)
			} else {
				element.value = l.shape.element(text)
			}
		}
		dst = append(element.append(dst, separator), ',')
	}
	return closed(dst, ']')
}

// element is a value of a list, which cannot be left out: "" is a value too.
func (s *shape) element(text string) []byte {
	if value := s.fromText(text); value != nil {
		return value
	}
	return appendText(nil, text)
}
