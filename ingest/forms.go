package ingest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Forms that export records as rows of columns come here: CSV, answers of
// queries, tables in Parquet, documents with fields of their own. Each row
// becomes a record with CloudTrail's names and types, and the whole row stands
// in it once more as a member named after the form, for such forms lose what
// they have no column for, null as against missing, and the types of values.

// cell is a value of a row; one without text is absent.
type cell struct {
	text string
	json bool // the text is well-formed JSON, and not the text of a string
	flat bool // of a map whose nested values are JSON text
}

// rowForm makes records of rows that have the same columns.
type rowForm struct {
	member     string   // that holds the source row
	names      []string // of the columns, as they are spelt
	targets    []target // of the columns
	order      []int    // in which the columns are read: what is whole first
	separator  string   // between the values of the elements of a list
	monthFirst bool     // in dates such as 3/4/2026
}

// target is where in a record a column belongs.
type target struct {
	role  role
	path  []string
	shape *shape
}

type role int

const (
	roleNone     role = iota // kept in the source row alone
	roleFallback             // belongs at path if nothing else does
	roleField                // belongs at path
	roleWhole                // is the record, as JSON text
)

// newRowForm is the form of rows with columns of these names. member names the
// form in the records that are made.
func newRowForm(member string, names []string) *rowForm {
	f := &rowForm{member: member, names: names, separator: ","}
	dialect := dialectOf(names)
	if dialect == dialectSplunk {
		f.separator = "\n"
	}
	for _, name := range names {
		f.targets = append(f.targets, dialect.target(name))
	}
	for i := range names {
		f.order = append(f.order, i)
	}
	slices.SortStableFunc(f.order, func(a, b int) int {
		x, y := f.targets[a], f.targets[b]
		if x.role != y.role {
			return int(y.role) - int(x.role)
		}
		return len(x.path) - len(y.path)
	})
	return f
}

// holdsRecords says whether rows with such columns can be records: they hold
// them whole, or say what happened and when.
func (f *rowForm) holdsRecords() bool {
	name, when := false, false
	for _, t := range f.targets {
		switch {
		case t.role == roleWhole:
			return true
		case t.role != roleNone:
			// What happened is inside insightDetails in an Insights event.
			name = name || t.path[0] == "eventName" || t.path[0] == "insightDetails"
			when = when || t.path[0] == "eventTime"
		}
	}
	return name && when
}

// mayHoldOthers says whether rows may hold other logs than CloudTrail's: those
// of a search, which have each log as it was.
func (f *rowForm) mayHoldOthers() bool {
	return slices.ContainsFunc(f.targets, func(t target) bool { return t.role == roleWhole })
}

// record makes the record of a row. It is not ok when the row says neither what
// happened nor when, as an empty line of a spreadsheet does.
func (f *rowForm) record(row []cell) (record []byte, ok bool) {
	return f.build(row, func() []byte { return f.source(row) })
}

// build makes the record of a row and of what it stood in.
func (f *rowForm) build(row []cell, source func() []byte) (record []byte, ok bool) {
	var t tree
	for _, i := range f.order {
		if i >= len(row) || row[i].text == "" {
			continue
		}
		c, to := row[i], f.targets[i]
		switch to.role {
		case roleNone:
		case roleWhole:
			if record := recordIn([]byte(c.text)); record != nil {
				return record, true
			}
		default:
			f.set(&t, to, c)
		}
	}
	if !t.has("eventName") && !t.has("insightDetails") || !t.has("eventTime") {
		return nil, false
	}
	t.set([]string{f.member}, source())
	return t.append(nil, f.separator), true
}

// set puts a cell where it belongs.
func (f *rowForm) set(t *tree, to target, c cell) {
	switch {
	case c.json:
		value := []byte(c.text)
		if c.flat {
			value = unflatten(value)
		}
		if value = to.shape.fromJSON(value); value != nil && !strings.Contains(strings.Join(to.path, "."), "[]") {
			t.set(to.path, value)
		}
	case to.shape.kind == asTime:
		t.set(to.path, appendText(nil, eventTimeText(c.text, f.monthFirst)))
	default:
		t.setText(to.path, c.text, to.shape)
	}
}

// isBroken says whether a row, of which no record can be made, has the text of
// one that is no JSON any more.
func (f *rowForm) isBroken(row []cell) bool {
	for i, t := range f.targets {
		if t.role != roleWhole || i >= len(row) {
			continue
		}
		text := []byte(strings.TrimSpace(row[i].text))
		if firstName(text) != nil && !jsontext.Value(text).IsValid(decoderOptions()...) {
			return true
		}
	}
	return false
}

// source is the row as an object. What has no value is left out; columns of one
// name, and those without a name, are told apart by their number.
func (f *rowForm) source(row []cell) []byte {
	object := []byte{'{'}
	for i, c := range row {
		if c.text == "" {
			continue
		}
		object = append(appendText(object, f.columnName(i)), ':')
		if c.json {
			object = append(object, c.text...)
		} else {
			object = appendText(object, c.text)
		}
		object = append(object, ',')
	}
	return closed(object, '}')
}

func (f *rowForm) columnName(i int) string {
	if i >= len(f.names) || f.names[i] == "" {
		return "column " + strconv.Itoa(i+1)
	}
	if slices.Contains(f.names[:i], f.names[i]) {
		return f.names[i] + " (column " + strconv.Itoa(i+1) + ")"
	}
	return f.names[i]
}

// recordIn is the record that a text holds: the text is it, or begins with a
// time or a name as syslog writes them, or is an object around it, as EventBridge
// and HEC make them; nil for none.
func recordIn(text []byte) []byte {
	brace := bytes.IndexByte(text, '{')
	if brace < 0 || !bytes.Contains(text, []byte(`"eventTime"`)) {
		return nil
	}
	text = bytes.TrimSpace(text[brace:])
	if !jsontext.Value(text).IsValid(decoderOptions()...) {
		return nil
	}
	if member(text, "eventTime") != nil {
		return text
	}
	for _, around := range []string{"detail", "event", "result"} {
		if inner := member(text, around); member(inner, "eventTime") != nil {
			return inner
		}
	}
	return nil
}

// unflatten puts back what CloudTrail Lake's maps have as JSON text.
func unflatten(value []byte) []byte {
	object := []byte{'{'}
	for o := newObject(value); ; {
		name, v, ok := o.next()
		if !ok {
			break
		}
		if v[0] == 'n' {
			continue
		}
		object = append(append(object, name...), ':')
		if inner := bytes.TrimSpace(unquoted(v)); len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') &&
			!isDocument(plainName(name)) && jsontext.Value(inner).IsValid(decoderOptions()...) {
			v = inner
		}
		object = append(append(object, v...), ',')
	}
	return closed(object, '}')
}

// unquoted is the text of a JSON string, nil for another value.
func unquoted(v []byte) []byte {
	if v[0] != '"' {
		return nil
	}
	return unquote(v)
}

// fromObject makes a record of a JSON object whose members are columns, nested
// or with dotted names: a row of Microsoft Sentinel, an ECS document without the
// original event.
func fromObject(member string, object []byte) (record []byte, ok bool) {
	names, row := flattenColumns(nil, nil, "", object, 0)
	return newRowForm(member, names).build(row, func() []byte { return object })
}

// rowForms are the forms that keep the row that a record was made of, as a member
// of their name.
var rowForms = []string{formatCSV, formatParquet, formatOCSF, formatElastic, formatSentinel, formatAthena, formatTable, formatLake}

// isMadeOfRow says whether a record was made of a row, which lost some of it.
func isMadeOfRow(record []byte) bool {
	return slices.ContainsFunc(rowForms, func(form string) bool { return member(record, form) != nil })
}

// columnsDepth is how deep columns of documents lie at most.
const columnsDepth = 8

// flattenColumns lists the leaves of an object by their dotted names. An object
// in a place that a record has is one cell.
func flattenColumns(names []string, row []cell, prefix string, object []byte, depth int) ([]string, []cell) {
	for o := newObject(object); ; {
		name, v, ok := o.next()
		if !ok {
			return names, row
		}
		dotted := prefix + plainName(name)
		switch v[0] {
		case 'n':
			continue
		case '"':
			names, row = append(names, dotted), append(row, cell{text: string(unquote(v))})
		case '{':
			if !isColumn(dotted) && depth < columnsDepth {
				names, row = flattenColumns(names, row, dotted+".", v, depth+1)
				continue
			}
			names, row = append(names, dotted), append(row, cell{text: string(v), json: true})
		default:
			names, row = append(names, dotted), append(row, cell{text: string(v), json: true})
		}
	}
}

// isColumn says whether a name is that of a member of records itself, and an
// object there is one cell: ECS has user_agent.original where records have a
// text, and Elastic's user_identity is shaped otherwise than records'.
func isColumn(name string) bool {
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "aws.cloudtrail."), "flattened.")
	m := recordShape.member(bare)
	return m != nil && m.kind >= asAny && (bare == name || m.kind != asObject)
}
