package reports

import (
	"fmt"
	"io"
	"reflect"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/parquet-go/parquet-go"

	"trailscan/query"
)

// answerParquet writes a Parquet file whose columns have the types of the
// answer; what Parquet has no type for (intervals, bits, unions, UHUGEINT) is text.
type answerParquet struct {
	w       *parquet.GenericWriter[any]
	columns []*parquetColumn
	leaves  [][]parquet.Value // of the row that is made, by leaf
	rows    int
}

// parquetColumn is a node of the schema and how values come into its leaves.
type parquetColumn struct {
	node     parquet.Node
	leaf     int                              // its first, or only, leaf
	end      int                              // the leaf after its last
	value    func(any) (parquet.Value, error) // of a leaf
	required bool                             // keys of maps
	children []*parquetColumn                 // of a struct; the element of a list; key and value of a map
	names    []string                         // of a struct's children
	list     bool
	isMap    bool
}

// rowGroup is how many rows are in memory before they are written.
const rowGroup = 50_000

func newAnswerParquet(w io.Writer, columns []query.AnswerColumn) (*answerParquet, error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("a Parquet file needs columns, and the answer has none")
	}
	e := &answerParquet{}
	root := parquetGroup{}
	leaf := 0
	for i, name := range distinctNames(columns) {
		c := newParquetColumn(columns[i].Type, &leaf)
		if columns[i].JSON {
			c.node = parquet.Optional(parquet.JSON())
		}
		e.columns = append(e.columns, c)
		root.fields = append(root.fields, parquetField{c.node, name})
	}
	e.leaves = make([][]parquet.Value, leaf)
	e.w = parquet.NewGenericWriter[any](w, parquet.NewSchema("answer", root),
		parquet.Compression(&parquet.Zstd), parquet.CreatedBy("trailscan", "", ""))
	return e, nil
}

// parquetGroup is a group whose fields keep their order; parquet.Group sorts them
// by name.
type parquetGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g parquetGroup) Fields() []parquet.Field { return g.fields }
func (g parquetGroup) String() string          { return "group" }
func (g parquetGroup) GoType() reflect.Type    { return reflect.TypeFor[map[string]any]() }

type parquetField struct {
	parquet.Node
	name string
}

func (f parquetField) Name() string { return f.name }

func (f parquetField) Value(base reflect.Value) reflect.Value {
	return base.MapIndex(reflect.ValueOf(f.name))
}

// newParquetColumn is the optional column of a type; leaf is the number of the
// next leaf.
func newParquetColumn(t duckdb.TypeInfo, leaf *int) *parquetColumn {
	c := &parquetColumn{leaf: *leaf}
	switch kindOf(t) {
	case duckdb.TYPE_LIST, duckdb.TYPE_ARRAY:
		element := newParquetColumn(childType(t), leaf)
		c.list, c.children = true, []*parquetColumn{element}
		c.node = parquet.List(element.node)
	case duckdb.TYPE_MAP:
		kt, vt := mapTypes(t)
		key := newParquetLeaf(kt, leaf)
		key.required = true
		value := newParquetColumn(vt, leaf)
		c.isMap, c.children = true, []*parquetColumn{key, value}
		c.node = parquet.Map(key.node, value.node)
	case duckdb.TYPE_STRUCT:
		d, _ := t.Details().(*duckdb.StructDetails)
		if d == nil || len(d.Entries) == 0 {
			return newParquetLeaf(t, leaf)
		}
		group := parquetGroup{}
		for _, entry := range d.Entries {
			child := newParquetColumn(entry.Info(), leaf)
			c.children, c.names = append(c.children, child), append(c.names, entry.Name())
			group.fields = append(group.fields, parquetField{child.node, entry.Name()})
		}
		c.node = group
	default:
		c = newParquetLeaf(t, leaf)
	}
	c.end = *leaf
	c.node = parquet.Optional(c.node)
	return c
}

// newParquetLeaf is a column without the mark that it may be NULL.
func newParquetLeaf(t duckdb.TypeInfo, leaf *int) *parquetColumn {
	c := &parquetColumn{leaf: *leaf, end: *leaf + 1}
	*leaf++
	c.node, c.value = parquetLeaf(t)
	return c
}

func (e *answerParquet) encode(r record) error {
	for i := range e.leaves {
		e.leaves[i] = e.leaves[i][:0]
	}
	for i, c := range e.columns {
		if err := e.put(c, r.values[i], 0, 0, 0); err != nil {
			return fmt.Errorf("column %s: %w", r.columns[i].Name, err)
		}
	}
	var row parquet.Row
	for _, leaf := range e.leaves {
		row = append(row, leaf...)
	}
	if _, err := e.w.WriteRows([]parquet.Row{row}); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if e.rows++; e.rows%rowGroup == 0 {
		if err := e.w.Flush(); err != nil {
			return fmt.Errorf("write Parquet: %w", err)
		}
	}
	return nil
}

func (e *answerParquet) close() error {
	if err := e.w.Close(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

// put adds a value. repeat and define are Parquet's levels so far, depth is how
// many lists the column stands in.
func (e *answerParquet) put(c *parquetColumn, v any, repeat, define, depth int) error {
	if v == nil && !c.required {
		for i := c.leaf; i < c.end; i++ {
			e.leaves[i] = append(e.leaves[i], parquet.NullValue().Level(repeat, define, i))
		}
		return nil
	}
	if !c.required {
		define++
	}
	switch {
	case c.list:
		list, _ := v.([]any)
		return e.putRepeated(c, len(list), repeat, define, depth, func(i int) (values []any) { return list[i : i+1] })
	case c.isMap:
		m, _ := v.(duckdb.OrderedMap)
		keys, values := m.Keys(), m.Values()
		return e.putRepeated(c, len(keys), repeat, define, depth, func(i int) []any { return []any{keys[i], values[i]} })
	case c.children != nil:
		members, _ := v.(map[string]any)
		for i, child := range c.children {
			if err := e.put(child, members[c.names[i]], repeat, define, depth); err != nil {
				return err
			}
		}
		return nil
	}
	value, err := c.value(v)
	if err != nil {
		return err
	}
	e.leaves[c.leaf] = append(e.leaves[c.leaf], value.Level(repeat, define, c.leaf))
	return nil
}

// putRepeated adds the elements of a list or a map.
func (e *answerParquet) putRepeated(c *parquetColumn, n, repeat, define, depth int, at func(int) []any) error {
	if n == 0 {
		for i := c.leaf; i < c.end; i++ {
			e.leaves[i] = append(e.leaves[i], parquet.NullValue().Level(repeat, define, i))
		}
	}
	for i := range n {
		if i > 0 {
			repeat = depth + 1
		}
		for j, v := range at(i) {
			if err := e.put(c.children[j], v, repeat, define+1, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
