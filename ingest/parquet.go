package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// formatParquet is records as rows of Parquet files; Security Lake's are OCSF.
const formatParquet = "parquet"

// exportSchema is the key in the footer of what trailscan exports, and its value.
const exportSchemaKey, exportSchema = "trailscan.schema", "events/1"

// parquetRows is how many rows are read at a time.
const parquetRows = 64

// splitParquet finds the records in the rows of a Parquet file. What is wrong
// with the file goes to the sink; the error is the sink's.
func splitParquet(r io.ReaderAt, size int64, to sink) (form string, err error) {
	file, err := openParquet(r, size)
	if err != nil {
		to.reject(err.Error(), nil)
		return formatParquet, nil
	}
	root, err := parquetSchema(file.Metadata().Schema)
	if err != nil {
		to.reject("damaged Parquet: "+err.Error(), nil)
		return formatParquet, nil
	}
	p := &parquetSplitter{file: file, root: root, sink: to}
	if p.convert = p.converter(); p.convert == nil {
		names := strings.Join(p.names(), ", ")
		to.pass("no Parquet of CloudTrail records: its columns are "+clip(names, 300), []byte(clip(names, 1<<10)))
		return formatParquet, nil
	}
	err = p.split()
	p.rejectForeign()
	return formatParquet, err
}

// openParquet reads the footer of a file.
func openParquet(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer recoverParquet(&err)
	var magic [4]byte
	if size >= 12 {
		if _, err := r.ReadAt(magic[:], size-4); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read Parquet: %w", err)
		}
	}
	switch string(magic[:]) {
	case "PAR1":
	case "PARE":
		return nil, errors.New("encrypted Parquet: decrypt it first")
	default:
		return nil, errors.New("truncated Parquet: the file ends in the middle, before its footer: copy it again from where it came")
	}
	if err := checkFooter(r, size); err != nil {
		return nil, fmt.Errorf("damaged Parquet: %w: copy it again from where it came", err)
	}
	file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readSize))
	if err != nil {
		return nil, fmt.Errorf("damaged Parquet: %s: copy it again from where it came", clip(err.Error(), 200))
	}
	return file, nil
}

// recoverParquet makes an error of a panic: the library has some for files that
// are damaged in ways that it does not look for.
func recoverParquet(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged Parquet: %s: copy it again from where it came", clip(fmt.Sprint(p), 200))
	}
}

// parquetSplitter makes records of the rows of a file.
type parquetSplitter struct {
	file    *parquet.File
	root    *parquetNode
	sink    sink
	convert func(columns) (record []byte, why notRecord)
	row     columns
	foreign []foreignRows // in the order in which they came
}

// notRecord says why a row is no record, for which one that is has "".
type notRecord struct {
	reason  string
	damaged bool // it was a record
}

// foreignRows are rows that are no records, for one reason.
type foreignRows struct {
	notRecord
	count int
	raw   []byte // of the first
}

func (p *parquetSplitter) names() []string {
	var names []string
	for _, c := range p.root.children {
		names = append(names, c.name)
	}
	return names
}

// converter is what makes records of the rows of such a file, nil when its
// columns are not those of records.
func (p *parquetSplitter) converter() func(columns) ([]byte, notRecord) {
	names := p.names()
	if nodes := p.exported(); nodes != nil {
		return func(c columns) ([]byte, notRecord) { return p.rebuilt(nodes, c) }
	}
	if slices.Contains(names, "class_uid") && slices.Contains(names, "metadata") {
		return p.fromOCSF
	}
	if form := newRowForm(formatParquet, names); form.holdsRecords() {
		return func(c columns) ([]byte, notRecord) { return p.fromColumns(form, c) }
	}
	return nil
}

// exported are the columns that Rebuild needs, in its order, nil when the file is
// not trailscan's own.
func (p *parquetSplitter) exported() []*parquetNode {
	if schema, ok := p.file.Lookup(exportSchemaKey); ok && schema != exportSchema {
		return nil
	}
	var nodes []*parquetNode
	for _, name := range RebuildColumns() {
		i := slices.IndexFunc(p.root.children, func(n *parquetNode) bool { return n.name == name })
		if i < 0 {
			return nil
		}
		nodes = append(nodes, p.root.children[i])
	}
	return nodes
}

// eventIDValue is where the event id stands among RebuildColumns.
var eventIDValue = slices.IndexFunc(memberColumns[:], func(m memberOf) bool { return m.name == "eventID" })

// rebuilt is the record of a row that trailscan has exported.
func (p *parquetSplitter) rebuilt(nodes []*parquetNode, c columns) ([]byte, notRecord) {
	values := make([]any, len(nodes))
	for i, n := range nodes {
		values[i] = n.scanned(p.root.of(n, c))
	}
	record, err := Rebuild(values)
	if err != nil || !jsontext.Value(record).IsValid(decoderOptions()...) {
		return nil, notRecord{"rows that are not as trailscan exports them", true}
	}
	if id, _ := values[eventIDValue].(string); isContentID([]byte(id)) {
		record = fmt.Appendf(record[:len(record)-1], `,"%s":"%s"}`, derivedIDMember, id)
	}
	return record, notRecord{}
}

// fromOCSF is the record of a row of Security Lake.
func (p *parquetSplitter) fromOCSF(c columns) ([]byte, notRecord) {
	object := p.root.appendPresent(nil, c)
	if record, ok := fromOCSF(object); ok {
		return record, notRecord{}
	}
	product := scalarText(member(member(member(object, "metadata"), "product"), "name"))
	return nil, notRecord{reason: fmt.Sprintf("OCSF events of %q, not of CloudTrail", clip(product, 60))}
}

// fromColumns is the record of a row with CloudTrail's columns.
func (p *parquetSplitter) fromColumns(form *rowForm, c columns) ([]byte, notRecord) {
	row := make([]cell, len(p.root.children))
	for i, n := range p.root.children {
		row[i] = n.cell(p.root.of(n, c))
	}
	if record, ok := form.record(row); ok {
		return record, notRecord{}
	}
	if form.isBroken(row) {
		return nil, notRecord{"rows with broken JSON in the column that holds the record", true}
	}
	return nil, notRecord{reason: "rows that do not say what happened and when"}
}

// split reads the row groups one after another. After a damaged one it goes on
// with the next.
func (p *parquetSplitter) split() error {
	for i, group := range p.file.RowGroups() {
		stopped, err := p.group(i, group)
		if stopped != nil {
			return stopped
		}
		if err != nil {
			p.sink.reject(fmt.Sprintf("%s (row group %d of %d)", err, i+1, len(p.file.RowGroups())), nil)
		}
	}
	return nil
}

// group reads a row group. stopped is the sink's error, err what is wrong.
func (p *parquetSplitter) group(i int, group parquet.RowGroup) (stopped, err error) {
	columns := p.file.Metadata().RowGroups[i].Columns
	for c := range columns {
		if codec := columns[c].MetaData.Codec; codec == format.Lz4 || codec == format.LZO {
			return nil, fmt.Errorf("unsupported Parquet: compressed with %s, which only Hadoop reads: write it with zstd, gzip or snappy", codec)
		}
		if err := checkPages(p.file, p.file.Size(), &columns[c].MetaData); err != nil {
			return nil, fmt.Errorf("damaged Parquet: %w: copy it again from where it came", err)
		}
	}
	var rows parquet.Rows
	defer func() { closeRows(rows) }()
	buffer := make([]parquet.Row, parquetRows)
	for {
		n, err := readRows(&rows, group, buffer)
		for _, row := range buffer[:n] {
			if stopped := p.take(row); stopped != nil {
				return stopped, nil
			}
		}
		switch {
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return nil, err
		case n == 0:
			return nil, errors.New("damaged Parquet: there are fewer rows than it says: copy it again from where it came")
		}
	}
}

// readRows reads the next rows of a group, which it opens first.
func readRows(rows *parquet.Rows, group parquet.RowGroup, buffer []parquet.Row) (n int, err error) {
	defer recoverParquet(&err)
	if *rows == nil {
		*rows = group.Rows()
	}
	n, err = (*rows).ReadRows(buffer)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("damaged Parquet: %s: copy it again from where it came", clip(err.Error(), 200))
	}
	return n, err
}

// closeRows gives back what rows hold; what is wrong with them is known.
func closeRows(rows parquet.Rows) {
	var ignored error
	defer recoverParquet(&ignored)
	if rows != nil {
		rows.Close()
	}
}

// take makes a record of a row.
func (p *parquetSplitter) take(row parquet.Row) error {
	if p.row == nil {
		p.row = make(columns, p.root.end)
	}
	clear(p.row)
	row.Range(func(i int, values []parquet.Value) bool {
		if i < len(p.row) {
			p.row[i] = values
		}
		return true
	})
	record, why := p.convert(p.row)
	if why.reason == "" {
		return p.sink.record(record)
	}
	i := slices.IndexFunc(p.foreign, func(f foreignRows) bool { return f.notRecord == why })
	if i < 0 {
		i = len(p.foreign)
		p.foreign = append(p.foreign, foreignRows{notRecord: why, raw: clipRaw(bytes.Clone(p.root.appendPresent(nil, p.row)))})
	}
	p.foreign[i].count++
	return nil
}

// rejectForeign says once for each reason how many rows are no records: files
// of other products have millions.
func (p *parquetSplitter) rejectForeign() {
	for _, f := range p.foreign {
		tell := p.sink.pass
		if f.damaged {
			tell = p.sink.reject
		}
		tell(fmt.Sprintf("%s (%d in the Parquet file)", f.reason, f.count), f.raw)
	}
}
