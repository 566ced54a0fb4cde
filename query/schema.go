package query

import _ "embed"

// schemaSQL makes the relations of a new case.
//
//go:embed schema.sql
var schemaSQL string

// publishedSQL makes the views that have the columns which AWS documents.
//
//go:embed published.sql
var publishedSQL string

// Column is a column of the events relation.
type Column struct {
	Name string
	Type string // VARCHAR, BOOLEAN, TIMESTAMP or BIGINT
}

// EventColumns are the columns of events, in order, but for DerivedColumns.
var EventColumns = []Column{
	{"event_id", "VARCHAR"},
	{"request_id", "VARCHAR"},
	{"shared_event_id", "VARCHAR"},
	{"event_time", "TIMESTAMP"},
	{"event_version", "VARCHAR"},
	{"event_source", "VARCHAR"},
	{"event_name", "VARCHAR"},
	{"event_type", "VARCHAR"},
	{"event_category", "VARCHAR"},
	{"api_version", "VARCHAR"},
	{"aws_region", "VARCHAR"},
	{"source_ip_address", "VARCHAR"},
	{"user_agent", "VARCHAR"},
	{"error_code", "VARCHAR"},
	{"error_message", "VARCHAR"},
	{"read_only", "BOOLEAN"},
	{"management_event", "BOOLEAN"},
	{"session_credential_from_console", "BOOLEAN"},
	{"account_id", "VARCHAR"},
	{"vpc_endpoint_id", "VARCHAR"},
	{"vpc_endpoint_account_id", "VARCHAR"},
	{"identity_type", "VARCHAR"},
	{"principal_id", "VARCHAR"},
	{"identity_arn", "VARCHAR"},
	{"identity_account_id", "VARCHAR"},
	{"access_key_id", "VARCHAR"},
	{"user_name", "VARCHAR"},
	{"invoked_by", "VARCHAR"},
	{"identity_provider", "VARCHAR"},
	{"credential_id", "VARCHAR"},
	{"identity_store_arn", "VARCHAR"},
	{"on_behalf_of_user_id", "VARCHAR"},
	{"session_created", "TIMESTAMP"},
	{"session_mfa", "BOOLEAN"},
	{"session_issuer_type", "VARCHAR"},
	{"session_issuer_arn", "VARCHAR"},
	{"session_issuer_principal_id", "VARCHAR"},
	{"session_issuer_account_id", "VARCHAR"},
	{"session_issuer_name", "VARCHAR"},
	{"source_identity", "VARCHAR"},
	{"session_assumed_root", "VARCHAR"},
	{"federated_provider", "VARCHAR"},
	{"issued_access_key_id", "VARCHAR"},
	{"issued_principal_arn", "VARCHAR"},
	{"issued_expiration", "TIMESTAMP"},
	{"user_identity", "VARCHAR"},
	{"request_parameters", "VARCHAR"},
	{"response_elements", "VARCHAR"},
	{"additional_event_data", "VARCHAR"},
	{"service_event_details", "VARCHAR"},
	{"resources", "VARCHAR"},
	{"tls_details", "VARCHAR"},
	{"edge_device_details", "VARCHAR"},
	{"insight_details", "VARCHAR"},
	{"addendum", "VARCHAR"},
	{"extra", "VARCHAR"},
	{"source_id", "BIGINT"},
	{"record_index", "BIGINT"},
}

// DerivedColumns are the last columns of events: worked out from those before
// whenever they are read, so that no export needs them.
var DerivedColumns = []Column{
	{"actor_kind", "VARCHAR"},
}
