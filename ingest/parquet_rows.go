package ingest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// parquetNode is a column of a Parquet file, or what columns are grouped in.
// Rows are put together from their values by the levels that stand with these:
// https://parquet.apache.org/docs/file-format/nestedencoding/
type parquetNode struct {
	name       string
	optional   bool
	repeated   bool
	definition int // level at which it is there
	repetition int // level at which it is repeated
	shape      parquetShape
	leaf       *format.SchemaElement
	children   []*parquetNode
	first, end int // its leaves, among those of the file
}

type parquetShape int

const (
	parquetGroup parquetShape = iota
	parquetList
	parquetMap
	parquetLeaf
)

// parquetDepth is deeper than any table of records is nested.
const parquetDepth = 32

var errParquetSchema = errors.New("the schema makes no sense")

// parquetSchema is the tree of the elements of a schema.
func parquetSchema(elements []format.SchemaElement) (*parquetNode, error) {
	s := schemaReader{elements: elements}
	root, err := s.node(&parquetNode{}, 0)
	if err == nil && len(s.elements) > 0 {
		err = errParquetSchema
	}
	return root, err
}

type schemaReader struct {
	elements []format.SchemaElement
	leaves   int
}

// node reads an element and those below it.
func (s *schemaReader) node(parent *parquetNode, depth int) (*parquetNode, error) {
	if len(s.elements) == 0 || depth > parquetDepth {
		return nil, errParquetSchema
	}
	e := &s.elements[0]
	s.elements = s.elements[1:]
	n := &parquetNode{name: e.Name, definition: parent.definition, repetition: parent.repetition, first: s.leaves}
	if depth > 0 {
		n.optional = e.RepetitionType.V == format.Optional
		n.repeated = e.RepetitionType.V == format.Repeated
	}
	if n.optional || n.repeated {
		n.definition++
	}
	if n.repeated {
		n.repetition++
	}
	if e.Type.Valid {
		n.shape, n.leaf = parquetLeaf, e
		s.leaves++
		n.end = s.leaves
		return n, nil
	}
	for range e.NumChildren.V {
		child, err := s.node(n, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	n.end = s.leaves
	if n.first == n.end {
		return nil, errParquetSchema
	}
	if len(n.children) == 1 && n.children[0].repeated {
		switch {
		case isLogical[*format.ListType](e, deprecated.List):
			n.shape = parquetList
		case isLogical[*format.MapType](e, deprecated.Map, deprecated.MapKeyValue) && len(n.children[0].children) == 2:
			n.shape = parquetMap
		}
	}
	return n, nil
}

// isLogical says whether an element has a logical type, or one of those that
// older writers have in its place.
func isLogical[T format.LogicalTypeValue](e *format.SchemaElement, older ...deprecated.ConvertedType) bool {
	if _, ok := e.LogicalType.Value.(T); ok {
		return true
	}
	for _, o := range older {
		if e.ConvertedType.Valid && e.ConvertedType.V == o {
			return true
		}
	}
	return false
}

// columns are the values of a row that belong to a node, by its leaves.
type columns [][]parquet.Value

// of narrows columns of a node down to those of one of its children.
func (n *parquetNode) of(child *parquetNode, c columns) columns {
	return c[child.first-n.first : child.end-n.first]
}

// isNull says whether the node, which is not repeated, is absent.
func (n *parquetNode) isNull(c columns) bool {
	return len(c[0]) == 0 || n.optional && c[0][0].DefinitionLevel() < n.definition || n.shape == parquetLeaf && c[0][0].IsNull()
}

// append appends the value as JSON.
func (n *parquetNode) append(dst []byte, c columns) []byte {
	switch {
	case n.repeated:
		return n.appendElements(dst, n, c)
	case n.isNull(c):
		return append(dst, "null"...)
	}
	return n.appendPresent(dst, c)
}

// appendPresent appends the value of a node that is there, or of one element of
// a repeated one.
func (n *parquetNode) appendPresent(dst []byte, c columns) []byte {
	switch n.shape {
	case parquetLeaf:
		if len(c[0]) == 0 || c[0][0].IsNull() {
			return append(dst, "null"...)
		}
		return n.appendLeaf(dst, c[0][0])
	case parquetList:
		list := n.children[0]
		return list.appendElements(dst, list.element(n.name), c)
	case parquetMap:
		return n.appendMap(dst, c)
	}
	dst = append(dst, '{')
	for _, child := range n.children {
		dst = append(appendText(dst, child.name), ':')
		dst = append(child.append(dst, n.of(child, c)), ',')
	}
	return closed(dst, '}')
}

// element is the node of a list's elements: the repeated node itself in the
// forms of older writers, else what is in it. See
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules
func (n *parquetNode) element(list string) *parquetNode {
	if n.shape != parquetGroup || len(n.children) != 1 || n.name == "array" || n.name == list+"_tuple" {
		return n
	}
	return n.children[0]
}

// appendElements appends what a repeated node holds as an array.
func (n *parquetNode) appendElements(dst []byte, element *parquetNode, c columns) []byte {
	dst = append(dst, '[')
	n.each(c, func(c columns) {
		if element == n {
			dst = n.appendPresent(dst, c)
		} else {
			dst = element.append(dst, n.of(element, c))
		}
		dst = append(dst, ',')
	})
	return closed(dst, ']')
}

func (n *parquetNode) appendMap(dst []byte, c columns) []byte {
	pairs := n.children[0]
	key, value := pairs.children[0], pairs.children[1]
	dst = append(dst, '{')
	pairs.each(c, func(c columns) {
		name := key.append(nil, pairs.of(key, c))
		if name[0] != '"' {
			name = appendText(nil, string(name))
		}
		dst = append(append(dst, name...), ':')
		dst = append(value.append(dst, pairs.of(value, c)), ',')
	})
	return closed(dst, '}')
}

// each visits the elements of a repeated node.
func (n *parquetNode) each(c columns, visit func(columns)) {
	rest := make(columns, len(c))
	copy(rest, c)
	for len(rest[0]) > 0 && rest[0][0].DefinitionLevel() >= n.definition {
		one := make(columns, len(rest))
		for i, values := range rest {
			end := min(1, len(values))
			for end < len(values) && values[end].RepetitionLevel() > n.repetition {
				end++
			}
			one[i], rest[i] = values[:end], values[end:]
		}
		visit(one)
	}
}

// appendLeaf appends a value. Bytes that are no text become base64.
func (n *parquetNode) appendLeaf(dst []byte, v parquet.Value) []byte {
	if t, ok := n.time(v); ok {
		return appendText(dst, t)
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32:
		return strconv.AppendInt(dst, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case parquet.Float, parquet.Double:
		f := v.Double()
		if v.Kind() == parquet.Float {
			f = float64(v.Float())
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendText(dst, strconv.FormatFloat(f, 'g', -1, 64))
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	return appendText(dst, n.text(v))
}

// text is the text of a value of bytes.
func (n *parquetNode) text(v parquet.Value) string {
	b := v.ByteArray()
	if _, isUUID := n.leaf.LogicalType.Value.(*format.UUIDType); isUUID && len(b) == 16 {
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	if !utf8.Valid(b) {
		return base64.StdEncoding.EncodeToString(b)
	}
	return string(b)
}

// time is a value of a type of times as text.
func (n *parquetNode) time(v parquet.Value) (string, bool) {
	t, ok := n.timestamp(v)
	if ok {
		return t.Format(time.RFC3339Nano), true
	}
	if v.Kind() == parquet.Int32 && isLogical[*format.DateType](n.leaf, deprecated.Date) {
		return time.Unix(int64(v.Int32())*24*60*60, 0).UTC().Format(time.DateOnly), true
	}
	return "", false
}

func (n *parquetNode) timestamp(v parquet.Value) (time.Time, bool) {
	switch v.Kind() {
	case parquet.Int96: // nanoseconds of the day, then its Julian number
		i := v.Int96()
		nanos := int64(uint64(i[1])<<32 | uint64(i[0]))
		return time.Unix((int64(i[2])-2440588)*24*60*60, nanos).UTC(), true
	case parquet.Int64:
		if ts, ok := n.leaf.LogicalType.Value.(*format.TimestampType); ok {
			switch ts.Unit.Value.(type) {
			case *format.MilliSeconds:
				return time.UnixMilli(v.Int64()).UTC(), true
			case *format.MicroSeconds:
				return time.UnixMicro(v.Int64()).UTC(), true
			case *format.NanoSeconds:
				return time.Unix(0, v.Int64()).UTC(), true
			}
		}
		switch {
		case isLogical[*format.TimestampType](n.leaf, deprecated.TimestampMillis):
			return time.UnixMilli(v.Int64()).UTC(), true
		case isLogical[*format.TimestampType](n.leaf, deprecated.TimestampMicros):
			return time.UnixMicro(v.Int64()).UTC(), true
		}
	}
	return time.Time{}, false
}

// cell is the value of a column of a row, absent when it is null.
func (n *parquetNode) cell(c columns) cell {
	if !n.repeated && n.isNull(c) {
		return cell{}
	}
	if n.shape != parquetLeaf || n.repeated {
		return cell{text: string(n.append(nil, c)), json: true, flat: n.shape == parquetMap}
	}
	v := c[0][0]
	if t, ok := n.time(v); ok {
		return cell{text: t}
	}
	if v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray {
		return cell{text: n.text(v)}
	}
	return cell{text: string(n.appendLeaf(nil, v)), json: true}
}

// scanned is the value as database/sql scans it from the case.
func (n *parquetNode) scanned(c columns) any {
	if n.repeated || n.isNull(c) || n.shape != parquetLeaf {
		return nil
	}
	v := c[0][0]
	if t, ok := n.timestamp(v); ok {
		return t
	}
	if v.Kind() == parquet.Boolean {
		return v.Boolean()
	}
	return n.cell(c).text
}
