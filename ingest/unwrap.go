package ingest

import (
	"bytes"
	"fmt"
	"strings"
)

// The forms in which records are wrapped, as sources.format names them. In
// docs/formats.md stands what is known of each.
const (
	formatLookupEvents = "lookup-events"
	formatEventBridge  = "eventbridge"
	formatCloudWatch   = "cloudwatch-logs"
	formatSplunk       = "splunk"
	formatElastic      = "elastic"
	formatOpenSearch   = "opensearch"
	formatDatadog      = "datadog"
	formatPanther      = "panther"
	formatWazuh        = "wazuh"
	formatSumo         = "sumo"
	formatLoki         = "loki"
	formatLogstash     = "logstash"
	formatLake         = "lake"
	formatAthena       = "athena"
	formatSentinel     = "sentinel"
	formatTable        = "table"   // rows with names in snake_case
	formatWrapped      = "wrapped" // in some other JSON
)

// unwrapDepth is how deep a record may lie in what it is wrapped in: a record in
// an EventBridge event in an SNS message in an SQS message in Elastic is twelve.
const unwrapDepth = 24

// members are those of a JSON object, of which raw is the text.
type members struct {
	raw  []byte
	list []field
}

type field struct {
	name  string
	value []byte
}

// newMembers lists the members of an object, none of anything else.
func newMembers(b []byte) members {
	m := members{raw: b}
	for o := newObject(b); ; {
		name, value, ok := o.next()
		if !ok {
			return m
		}
		m.list = append(m.list, field{plainName(name), value})
	}
}

// get returns a member's value, nil for none and for null.
func (m members) get(name string) []byte {
	for _, x := range m.list {
		if x.name == name {
			if x.value[0] == 'n' {
				return nil
			}
			return x.value
		}
	}
	return nil
}

// in returns the members of a member.
func (m members) in(name string) members { return newMembers(m.get(name)) }

// text returns a member that is a string.
func (m members) text(name string) string {
	if v := m.get(name); len(v) > 0 && v[0] == '"' {
		return string(unquote(v))
	}
	return ""
}

// isRecord says whether the object looks like a record, perhaps an incomplete
// one: what it lacks is said when it is flattened.
func (m members) isRecord() bool {
	for _, x := range m.list {
		switch x.name {
		case "eventVersion", "eventSource", "eventName", "insightDetails":
			return x.value[0] != 'n'
		}
	}
	return false
}

// isEnvelope says whether what looks like a record has one inside: a row of a
// query's answer, or what AWS calls a Lambda function with, which has CloudTrail's
// names for its own ends.
func (m members) isEnvelope() bool {
	for _, name := range []string{"_raw", "eventJson", "eventjson"} {
		if m.get(name) != nil {
			return true
		}
	}
	return strings.HasPrefix(m.text("eventSource"), "aws:") && (m.get("kinesis") != nil || m.get("body") != nil)
}

// unwrap hands on the record that v is or what it is wrapped around. around is
// the form of the text that v stands in, container the name of the array.
func (s *splitter) unwrap(container string, v []byte, around string) error {
	found, err := s.look(container, v, around, 0)
	if err != nil || found {
		return err
	}
	reason := "not a CloudTrail record: no JSON object"
	if v[0] == '{' {
		reason = "not a CloudTrail record: no eventTime, eventSource, eventName"
	}
	switch around {
	case formatRecords, formatNDJSON, formatArray:
		s.sink.reject(reason, clipRaw(v))
	default:
		// Other logs are kept in such places too.
		s.sink.pass("no CloudTrail record in this entry: "+around, clipRaw(v))
	}
	return nil
}

// look hands on the records in v and says whether there was any, or anything that
// had to be said of it.
func (s *splitter) look(container string, v []byte, around string, depth int) (found bool, err error) {
	if depth > unwrapDepth {
		return false, nil
	}
	if form, ok := rowContainers[container]; ok && v[0] != '"' {
		if row := s.row(container, v); row != nil {
			return s.lookRow(row, form, depth)
		}
	}
	switch v[0] {
	case '"':
		return s.lookText(unquoteJSON(v), around, depth)
	case '[':
		return s.lookArray(container, v, around, depth)
	case '{':
	default:
		return false, nil
	}
	o := newMembers(v)
	if o.isRecord() && !o.isEnvelope() {
		return true, s.emit(v, around)
	}
	switch {
	case o.text("messageType") == "CONTROL_MESSAGE":
		return true, nil
	case o.get("detail-type") != nil && o.get("detail") != nil:
		return s.lookEventBridge(o, depth)
	case isDigest(v):
		return true, nil
	}
	known := ""
	for _, f := range forms {
		inside := f.inside(o)
		if inside == nil {
			continue
		}
		if found, err := s.look("", inside, f.name, depth+1); found || err != nil {
			return found, err
		}
		known = f.name // and something else in it may yet be a record
	}
	if found, err := s.lookColumns(o, around); found || err != nil {
		return found, err
	}
	for _, m := range o.list {
		if len(m.value) < 2 || m.value[0] != '{' && m.value[0] != '[' && !mayHoldJSON(m.value) {
			continue
		}
		around := around
		if name := containers[m.name]; m.value[0] == '[' && name != "" {
			around = name
		} else if plainAround[around] {
			around = formatWrapped
		}
		some, err := s.look(m.name, m.value, around, depth+1)
		found = found || some
		if err != nil {
			return found, err
		}
	}
	if !found && known != "" {
		s.sink.pass("no CloudTrail record in this entry: "+known, clipRaw(v))
		found = true
	}
	return found, nil
}

// lookColumns looks for what stands for a record in the members of an object that
// have names of their own.
func (s *splitter) lookColumns(o members, around string) (found bool, err error) {
	if o.get("class_uid") != nil || o.in("metadata").get("product") != nil {
		if record, ok := fromOCSF(o.raw); ok {
			return true, s.emit(record, formatOCSF)
		}
		s.sink.pass(fmt.Sprintf("an OCSF event that is not of CloudTrail: its product is %q", clip(o.in("metadata").in("product").text("name"), 100)), clipRaw(o.raw))
		return true, nil
	}
	form := ""
	switch {
	case o.get("AwsEventId") != nil, o.text("Type") == "AWSCloudTrail":
		form = formatSentinel
	case o.in("aws").get("cloudtrail") != nil, o.get("aws.cloudtrail.event_version") != nil, o.get("aws.cloudtrail.user_identity.type") != nil,
		strings.HasSuffix(o.in("event").text("dataset"), "cloudtrail"), strings.HasSuffix(o.text("event.dataset"), "cloudtrail"):
		form = formatElastic
	case o.get("eventname") != nil && o.get("eventtime") != nil: // rows of Athena's table as JSON
		form = formatAthena
	case o.get("event_name") != nil && o.get("event_time") != nil:
		form = formatTable
	default:
		return false, nil
	}
	if record, ok := fromObject(form, o.raw); ok {
		return true, s.emit(record, form)
	}
	return false, nil
}

// plainAround are the forms that say nothing of what a value is wrapped in.
var plainAround = map[string]bool{formatRecords: true, formatNDJSON: true, formatArray: true, "": true}

// lookArray looks for records in the elements of an array.
func (s *splitter) lookArray(container string, v []byte, around string, depth int) (found bool, err error) {
	elements(v, func(value []byte) bool {
		var some bool
		some, err = s.look(container, value, around, depth+1)
		found = found || some
		return err == nil
	})
	return found, err
}

// rowContainers are the arrays that hold rows of columns.
var rowContainers = map[string]string{"QueryResultRows": formatLake, "Rows": formatAthena}

// row returns a row of a query's answer as the object of its columns, or nil when
// v is none. The first of Athena's names the columns.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html
// https://docs.aws.amazon.com/athena/latest/APIReference/API_Row.html
func (s *splitter) row(container string, v []byte) []byte {
	row := []byte{'{'}
	if container == "QueryResultRows" {
		if v[0] != '[' {
			return nil
		}
		elements(v, func(pair []byte) bool {
			for o := newObject(pair); ; {
				name, value, ok := o.next()
				if !ok {
					return true
				}
				row = append(append(append(append(row, name...), ':'), value...), ',')
			}
		})
		return closed(row, '}')
	}
	data := newMembers(v).get("Data")
	if data == nil || data[0] != '[' {
		return nil
	}
	var cells [][]byte
	elements(data, func(cell []byte) bool {
		cells = append(cells, newMembers(cell).get("VarCharValue"))
		return true
	})
	if s.columns == nil {
		s.columns = []string{}
		for _, c := range cells {
			name := ""
			if c != nil {
				name = string(unquoted(c))
			}
			s.columns = append(s.columns, name)
		}
		return row[:0]
	}
	for i, c := range cells {
		if c != nil && i < len(s.columns) {
			row = append(append(append(appendQuoted(row, []byte(s.columns[i])), ':'), c...), ',')
		}
	}
	return closed(row, '}')
}

// lookRow looks for a record in a row of columns: one of them has it whole, or
// it is made of them. An empty row has the names of the columns.
func (s *splitter) lookRow(row []byte, form string, depth int) (found bool, err error) {
	if len(row) == 0 {
		return true, nil
	}
	for _, m := range newMembers(row).list {
		if m.value[0] == '"' && mayHoldJSON(m.value) {
			if text := bytes.TrimSpace(unquoteJSON(m.value)); newMembers(text).isRecord() {
				return s.look("", m.value, form, depth+1)
			}
		}
	}
	if record, ok := fromObject(form, row); ok {
		return true, s.emit(record, form)
	}
	s.sink.pass("no CloudTrail record in this row: it does not say what happened and when", clipRaw(row))
	return true, nil
}

// lookEventBridge takes the detail of an event that CloudTrail sent, see
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func (s *splitter) lookEventBridge(o members, depth int) (found bool, err error) {
	kind := o.text("detail-type")
	if !strings.HasSuffix(kind, " via CloudTrail") && !o.in("detail").isRecord() {
		s.sink.pass(fmt.Sprintf("an EventBridge event that is not of CloudTrail: its detail-type is %q", clip(kind, 100)), clipRaw(o.raw))
		return true, nil
	}
	return s.look("", o.get("detail"), formatEventBridge, depth+1)
}

// isWazuh says whether the members are those of what Wazuh made of a record, see
// https://github.com/wazuh/wazuh/tree/main/wodles/aws
func (m members) isWazuh() bool {
	return m.text("integration") == "aws" && m.in("aws").text("source") == "cloudtrail"
}

// fromWazuh undoes what Wazuh does to a record as far as it can be told. Since it
// drops nulls and lists of one, the whole alert is kept as one more member.
func fromWazuh(data members, alert []byte) (record []byte) {
	record = []byte{'{'}
	for _, m := range data.in("aws").list {
		switch m.name {
		case "source", "log_info", "log_file", "aws_account_id", "source_ip_address":
			continue
		case "requestParameters", "responseElements", "additionalEventData":
			if o := newMembers(m.value); len(o.list) == 1 && o.list[0].name == "string" {
				m.value = o.list[0].value
			}
		}
		record = append(append(append(appendQuoted(record, []byte(m.name)), ':'), m.value...), ',')
	}
	record = append(append(record, `"`+formatWazuh+`":`...), alert...)
	return append(record, '}')
}

// formOfRecord names a form that adds members to records instead of wrapping
// them, or returns "".
func formOfRecord(v []byte) string {
	o := newMembers(v)
	switch {
	case o.isPanther():
		return formatPanther
	case o.get("eventTime") == nil && o.get("@timestamp") != nil:
		return formatLogstash
	case o.get(formatWazuh) != nil:
		return formatWazuh
	}
	return ""
}

// pantherMembers are those of which Panther adds one at least, see
// https://docs.panther.com/search/panther-fields
var pantherMembers = []string{"p_log_type", "p_row_id", "p_event_time", "p_parse_time", "p_source_id"}

func (m members) isPanther() bool {
	for _, name := range pantherMembers {
		if m.get(name) != nil {
			return true
		}
	}
	return false
}
