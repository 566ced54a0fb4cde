-- The relations of a case. events is a view: what is stored differs from what is
-- read where that loses nothing and costs less.
--
-- A session makes many events with one userIdentity, which is about half of a
-- record. It is stored once, in identities, and looked up.

CREATE TABLE identities (
    identity_id BIGINT,
    user_identity VARCHAR,
    identity_type VARCHAR,
    principal_id VARCHAR,
    identity_arn VARCHAR,
    identity_account_id VARCHAR,
    access_key_id VARCHAR,
    user_name VARCHAR,
    invoked_by VARCHAR,
    identity_provider VARCHAR,
    credential_id VARCHAR,
    identity_store_arn VARCHAR,
    on_behalf_of_user_id VARCHAR,
    session_issuer_type VARCHAR,
    session_issuer_arn VARCHAR,
    session_issuer_principal_id VARCHAR,
    session_issuer_account_id VARCHAR,
    session_issuer_name VARCHAR,
    source_identity VARCHAR,
    session_assumed_root VARCHAR,
    federated_provider VARCHAR,
    session_created TIMESTAMP,
    session_mfa BOOLEAN
);

-- What is the same from call to call of a client, once for all of them.
CREATE TABLE contexts (
    context_id BIGINT,
    event_version VARCHAR,
    event_type VARCHAR,
    event_category VARCHAR,
    api_version VARCHAR,
    user_agent VARCHAR,
    recipient_account_id VARCHAR,
    vpc_endpoint_id VARCHAR,
    vpc_endpoint_account_id VARCHAR,
    tls_details VARCHAR
);

-- Ids are nearly always UUIDs, which take 16 bytes; what is none of their one
-- spelling stands in the column beside. The event's is never NULL, so that
-- copies are found by it: that of a text is taken from its hash.
CREATE TABLE records (
    event_uuid UUID,
    request_uuid UUID,
    shared_event_uuid UUID,
    event_id_text VARCHAR,
    request_id_text VARCHAR,
    shared_event_id_text VARCHAR,
    event_time TIMESTAMP,
    event_source VARCHAR,
    event_name VARCHAR,
    aws_region VARCHAR,
    source_ip_address VARCHAR,
    error_code VARCHAR,
    error_message VARCHAR,
    read_only BOOLEAN,
    management_event BOOLEAN,
    session_credential_from_console BOOLEAN,
    issued_access_key_id VARCHAR,
    issued_principal_arn VARCHAR,
    issued_expiration TIMESTAMP,
    request_parameters VARCHAR,
    response_elements VARCHAR,
    additional_event_data VARCHAR,
    service_event_details VARCHAR,
    resources VARCHAR,
    edge_device_details VARCHAR,
    insight_details VARCHAR,
    addendum VARCHAR,
    extra VARCHAR,
    identity_id BIGINT,
    context_id BIGINT,
    source_id BIGINT,
    record_index BIGINT
);

-- All that is kept of a record. recipient_account_id is apart from account_id, so
-- that a record that has none can be told from one that names its own account.
CREATE VIEW whole_records AS SELECT
    coalesce(event_id_text, CAST(event_uuid AS VARCHAR)) AS event_id,
    coalesce(request_id_text, CAST(request_uuid AS VARCHAR)) AS request_id,
    coalesce(shared_event_id_text, CAST(shared_event_uuid AS VARCHAR)) AS shared_event_id,
    records.* EXCLUDE (event_id_text, request_id_text, shared_event_id_text, event_uuid, request_uuid, shared_event_uuid, identity_id, context_id),
    contexts.* EXCLUDE (context_id),
    identities.* EXCLUDE (identity_id)
FROM records JOIN contexts USING (context_id) JOIN identities USING (identity_id);

CREATE VIEW events AS SELECT
    event_id,
    request_id,
    shared_event_id,
    event_time,
    event_version,
    event_source,
    event_name,
    event_type,
    event_category,
    api_version,
    aws_region,
    source_ip_address,
    user_agent,
    error_code,
    error_message,
    read_only,
    management_event,
    session_credential_from_console,
    coalesce(recipient_account_id, identity_account_id) AS account_id,
    vpc_endpoint_id,
    vpc_endpoint_account_id,
    identity_type,
    principal_id,
    identity_arn,
    identity_account_id,
    access_key_id,
    user_name,
    invoked_by,
    identity_provider,
    credential_id,
    identity_store_arn,
    on_behalf_of_user_id,
    session_created,
    session_mfa,
    session_issuer_type,
    session_issuer_arn,
    session_issuer_principal_id,
    session_issuer_account_id,
    session_issuer_name,
    source_identity,
    session_assumed_root,
    federated_provider,
    issued_access_key_id,
    issued_principal_arn,
    issued_expiration,
    user_identity,
    request_parameters,
    response_elements,
    additional_event_data,
    service_event_details,
    resources,
    tls_details,
    edge_device_details,
    insight_details,
    addendum,
    extra,
    source_id,
    record_index,
    -- What kind of caller it was, by the first that fits. docs/lineage.md tells why.
    CASE
        WHEN identity_type = 'Root' OR session_assumed_root = 'true' THEN 'root'
        WHEN identity_type = 'AWSService' THEN 'service'
        WHEN coalesce(identity_type, principal_id, identity_arn, access_key_id, user_name, identity_account_id, credential_id, on_behalf_of_user_id) IS NULL
            AND event_source IS DISTINCT FROM 'signin.amazonaws.com'
            AND coalesce(lower(replace(user_agent, '[', '')), '') NOT LIKE 'mozilla%' THEN 'service'
        WHEN invoked_by <> '' OR source_ip_address = 'AWS Internal'
            OR source_ip_address LIKE '%.amazonaws.com' OR source_ip_address LIKE '%.amazonaws.com.cn' THEN 'service_on_behalf'
        WHEN identity_type = 'AWSAccount' OR identity_account_id <> recipient_account_id THEN 'cross_account'
        WHEN lower(replace(user_agent, '[', '')) LIKE 'aws-cli/%' OR lower(user_agent) LIKE '% aws-cli/%'
            OR lower(replace(user_agent, '[', '')) LIKE 'aws-shell/%' THEN 'cli'
        WHEN lower(user_agent) LIKE '%exec-env/cloudshell%' THEN 'sdk'
        WHEN session_credential_from_console
            OR event_source = 'signin.amazonaws.com' AND coalesce(user_agent, '') = ''
            OR lower(replace(user_agent, '[', '')) LIKE 'mozilla%'
            OR lower(replace(user_agent, '[', '')) LIKE 'opera/%'
            OR lower(replace(user_agent, '[', '')) LIKE 'coral/%'
            OR lower(replace(user_agent, '[', '')) LIKE 'aws-internal/%'
            OR lower(replace(user_agent, '[', '')) LIKE 'signin.amazonaws.com%'
            OR lower(replace(user_agent, '[', '')) LIKE 'signin.aws.amazon.com%'
            OR split_part(lower(user_agent), '/', 1) LIKE '%console%' THEN 'console'
        ELSE 'sdk'
    END AS actor_kind
FROM whole_records;

-- One row a file, object or stream that was loaded; status is loaded, damaged
-- (some of it could not be read), unreadable or foreign (no CloudTrail log);
-- integrity is what verify said of it last: valid, altered, unlisted or
-- not_covered, NULL before. A valid one has a reason where only hashes vouch for it.
CREATE TABLE sources (
    source_id BIGINT PRIMARY KEY,
    uri VARCHAR NOT NULL,
    format VARCHAR,
    sha256 VARCHAR,
    bytes BIGINT,
    records BIGINT,
    rejected BIGINT,
    duplicates BIGINT,
    conflicts BIGINT,
    first_event_time TIMESTAMP,
    last_event_time TIMESTAMP,
    etag VARCHAR,
    status VARCHAR NOT NULL,
    ingested_at TIMESTAMP NOT NULL,
    integrity VARCHAR,
    integrity_reason VARCHAR
);

-- What verify found that no source stands for: files that are missing or altered,
-- and gaps between digests. kind is log, digest or gap; for a gap verdict is its cause.
CREATE TABLE integrity (
    kind VARCHAR,
    verdict VARCHAR,
    key VARCHAR,
    account_id VARCHAR,
    region VARCHAR,
    trail VARCHAR,
    from_time TIMESTAMP,
    to_time TIMESTAMP,
    reason VARCHAR
);

-- What could not be read, or is a copy of an event that differs from it. raw is
-- the text as it stands in the source, as far as it is text.
CREATE TABLE rejects (
    source_id BIGINT NOT NULL,
    record_index BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR
);

CREATE TABLE findings (
    id VARCHAR,
    rule VARCHAR,
    title VARCHAR,
    severity VARCHAR,
    tactic VARCHAR,
    techniques VARCHAR[],
    outcome VARCHAR,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP,
    count BIGINT,
    account_id VARCHAR,
    regions VARCHAR[],
    principal_id VARCHAR,
    principal_arn VARCHAR,
    access_key_ids VARCHAR[],
    source_ips VARCHAR[],
    user_agents VARCHAR[],
    resources VARCHAR[],
    event_ids VARCHAR[],
    in_lineage BOOLEAN,
    summary VARCHAR
);

-- What the rules could not say anything about, and why.
CREATE TABLE assessment (
    rule VARCHAR,
    assessed VARCHAR,
    reason VARCHAR
);

-- The values that a user gave to the rules that compare with a list, by its name.
CREATE TABLE lists (name VARCHAR, value VARCHAR);

-- The question that the stored lineage answers.
CREATE TABLE lineage (
    keys VARCHAR[],
    compromised_since TIMESTAMP,
    compromised_since_why VARCHAR,
    first_malicious_use VARCHAR, -- JSON object, NULL where there is none
    as_of TIMESTAMP
);

-- What --mmdb and --aws-ip-ranges say of the addresses in the events, as of the
-- last trace that was given one. network is what counts as one network: a /24 or
-- a /64. What is no address (a service's host name) has none.
CREATE TABLE addresses (
    address VARCHAR,
    network VARCHAR,
    asn BIGINT,
    organisation VARCHAR,
    aws_service VARCHAR,
    aws_region VARCHAR
);

CREATE TABLE credentials (
    id VARCHAR,
    access_key_ids VARCHAR[],
    kind VARCHAR,
    principal_id VARCHAR,
    principal_arn VARCHAR,
    account_id VARCHAR,
    session_name VARCHAR,
    source_identity VARCHAR,
    parent VARCHAR,
    via VARCHAR,
    issued_event_id VARCHAR,
    issued_at TIMESTAMP,
    expires_at TIMESTAMP,
    expires_derived BOOLEAN,
    first_used TIMESTAMP,
    last_used TIMESTAMP,
    event_count BIGINT,
    uses VARCHAR, -- JSON array
    certainty VARCHAR,
    why VARCHAR,
    live_at_end BOOLEAN,
    valid_for_seconds BIGINT,
    survives_key_disable BOOLEAN,
    survives_user_delete BOOLEAN,
    ended_by VARCHAR,
    ended_at TIMESTAMP,
    ended_via VARCHAR,
    ended_event_id VARCHAR,
    ended_why VARCHAR
);

CREATE TABLE principals (
    arn VARCHAR,
    principal_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    how VARCHAR,
    event_id VARCHAR,
    time TIMESTAMP,
    certainty VARCHAR,
    why VARCHAR
);

CREATE TABLE lineage_edges (
    "from" VARCHAR,
    "to" VARCHAR,
    via VARCHAR,
    event_id VARCHAR,
    time TIMESTAMP,
    certainty VARCHAR,
    why VARCHAR
);

-- The events that a credential of the lineage made, by the row that holds each.
-- actor is owner, intruder or unclear; all but the owner's are the lineage's.
CREATE TABLE lineage_events (
    source_id BIGINT,
    record_index BIGINT,
    credential_id VARCHAR,
    actor VARCHAR
);

CREATE TABLE case_log (time TIMESTAMP, version VARCHAR, arguments VARCHAR);
CREATE TABLE case_info (schema_version INTEGER, created_by VARCHAR);
