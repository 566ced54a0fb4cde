package ingest

import "strings"

// form is a way in which records are wrapped in JSON objects.
type form struct {
	name string
	// inside returns the JSON value in the object that is the record, is wrapped
	// around it or has it as a string, or nil when the object is not of this form.
	inside func(o members) []byte
}

// forms are tried in this order. What such an object holds may be of a form too.
var forms = []form{
	// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html
	{formatLookupEvents, func(o members) []byte { return o.get("CloudTrailEvent") }},
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
	{formatCloudWatch, func(o members) []byte { return o.get("logEvents") }},
	{formatCloudWatch, func(o members) []byte { return decoded(o.in("awslogs").get("data")) }},
	// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
	{formatCloudWatch, func(o members) []byte { return decoded(o.in("kinesis").get("data")) }},
	{formatCloudWatch, func(o members) []byte {
		if o.get("PartitionKey") == nil && o.get("SequenceNumber") == nil {
			return nil
		}
		return decoded(o.get("Data"))
	}},
	{formatCloudWatch, func(o members) []byte {
		if o.get("recordId") == nil { // of a Firehose transformation
			return nil
		}
		return decoded(o.get("data"))
	}},
	{formatDatadog, func(o members) []byte {
		if !strings.EqualFold(o.text("ddsource"), "cloudtrail") {
			return nil
		}
		return o.get("message")
	}},
	{formatCloudWatch, func(o members) []byte {
		if o.get("ingestionTime") == nil && (o.get("id") == nil || o.get("timestamp") == nil) {
			return nil
		}
		return o.get("message")
	}},
	{formatCloudWatch, func(o members) []byte {
		if o.text("field") != "@message" { // of Logs Insights
			return o.get("@message")
		}
		return o.get("value")
	}},
	{formatSplunk, func(o members) []byte {
		if o.in("result").get("_raw") == nil {
			return o.get("_raw")
		}
		return o.get("result")
	}},
	// https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
	{formatSplunk, func(o members) []byte {
		event := o.get("event")
		if event == nil || o.get("sourcetype") == nil && o.get("index") == nil && o.get("host") == nil && o.get("time") == nil {
			return nil
		}
		if inner := newMembers(event); event[0] == '"' || inner.isRecord() || inner.get("detail-type") != nil {
			return event
		}
		return nil
	}},
	{formatElastic, func(o members) []byte { return o.get("_source") }},
	{formatElastic, func(o members) []byte { return o.in("fields").get("event.original") }},
	{formatElastic, func(o members) []byte { return o.get("event.original") }},
	{formatElastic, func(o members) []byte { return o.in("event").get("original") }},
	{formatOpenSearch, func(o members) []byte {
		for _, v := range [][]byte{o.in("aws").get("cloudtrail"), o.get("aws.cloudtrail")} {
			if newMembers(v).isRecord() {
				return v
			}
		}
		return nil
	}},
	{formatWazuh, func(o members) []byte {
		if data := o.get("data"); newMembers(data).isWazuh() {
			return fromWazuh(newMembers(data), o.raw)
		}
		if o.isWazuh() {
			return fromWazuh(o, o.raw)
		}
		return nil
	}},
	{formatSumo, func(o members) []byte { return o.in("map").get("_raw") }},
	{formatLoki, func(o members) []byte {
		if o.get("stream") == nil && o.get("labels") == nil {
			return nil
		}
		if line := o.get("line"); line != nil {
			return line
		}
		return o.get("values")
	}},
	{formatLake, func(o members) []byte {
		if v := o.get("eventJson"); v != nil {
			return v
		}
		return o.get("eventjson")
	}},
	// Beats, before an ingest pipeline has looked at what they send.
	{formatElastic, func(o members) []byte {
		if o.get("@timestamp") == nil {
			return nil
		}
		if v := o.get("json"); newMembers(v).isRecord() {
			return v
		}
		return o.get("message")
	}},
}
