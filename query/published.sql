-- The events under the names and in the types that AWS documents, so that
-- queries published for its services run. What is nested is put together before
-- the join: once for each identity, and a filter on a field is one on identities.
-- DuckDB 1.5 does not look through struct_extract(struct_pack(…)).

-- Athena's table, of the trail and of the one with partition projection, and the
-- partition columns of both and of organisations' trails.
-- https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
-- https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
CREATE VIEW cloudtrail_logs AS SELECT
    event_version AS eventversion,
    identity AS useridentity,
    strftime(event_time, '%Y-%m-%dT%H:%M:%SZ') AS eventtime,
    event_source AS eventsource,
    event_name AS eventname,
    aws_region AS awsregion,
    source_ip_address AS sourceipaddress,
    user_agent AS useragent,
    error_code AS errorcode,
    error_message AS errormessage,
    request_parameters AS requestparameters,
    response_elements AS responseelements,
    additional_event_data AS additionaleventdata,
    coalesce(request_id_text, CAST(request_uuid AS VARCHAR)) AS requestid,
    coalesce(event_id_text, CAST(event_uuid AS VARCHAR)) AS eventid,
    CAST(read_only AS VARCHAR) AS readonly,
    list_transform(json_extract(resources, '$[*]'), lambda r: struct_pack(
        arn := coalesce(r ->> '$.ARN', r ->> '$.arn'), accountid := r ->> '$.accountId', type := r ->> '$.type')) AS resources,
    event_type AS eventtype,
    api_version AS apiversion,
    recipient_account_id AS recipientaccountid,
    service_event_details AS serviceeventdetails,
    coalesce(shared_event_id_text, CAST(shared_event_uuid AS VARCHAR)) AS sharedeventid,
    vpc_endpoint_id AS vpcendpointid,
    vpc_endpoint_account_id AS vpcendpointaccountid,
    event_category AS eventcategory,
    struct_pack(
        reason := json_extract_string(addendum, '$.reason'),
        updatedfields := json_extract_string(addendum, '$.updatedFields'),
        originalrequestid := json_extract_string(addendum, '$.originalRequestID'),
        originaleventid := json_extract_string(addendum, '$.originalEventID')) AS addendum,
    CAST(session_credential_from_console AS VARCHAR) AS sessioncredentialfromconsole,
    edge_device_details AS edgedevicedetails,
    tls AS tlsdetails,
    coalesce(recipient_account_id, identity_account_id) AS account,
    aws_region AS region,
    strftime(event_time, '%Y') AS year,
    strftime(event_time, '%m') AS month,
    strftime(event_time, '%d') AS day,
    strftime(event_time, '%Y/%m/%d') AS "timestamp"
FROM records JOIN (
    SELECT context_id, event_version, event_type, event_category, api_version, user_agent, recipient_account_id,
        vpc_endpoint_id, vpc_endpoint_account_id, tls_details,
        struct_pack(
            tlsversion := json_extract_string(tls_details, '$.tlsVersion'),
            ciphersuite := json_extract_string(tls_details, '$.cipherSuite'),
            clientprovidedhostheader := json_extract_string(tls_details, '$.clientProvidedHostHeader')) AS tls
    FROM contexts
) USING (context_id) JOIN (
    SELECT identity_id, identity_account_id, user_identity,
        struct_pack(
            type := identity_type,
            principalid := principal_id,
            arn := identity_arn,
            accountid := identity_account_id,
            invokedby := invoked_by,
            accesskeyid := access_key_id,
            username := user_name,
            onbehalfof := struct_pack(userid := on_behalf_of_user_id, identitystorearn := identity_store_arn),
            sessioncontext := struct_pack(
                attributes := struct_pack(
                    mfaauthenticated := CAST(session_mfa AS VARCHAR),
                    creationdate := strftime(session_created, '%Y-%m-%dT%H:%M:%SZ')),
                sessionissuer := struct_pack(
                    type := session_issuer_type,
                    principalid := session_issuer_principal_id,
                    arn := session_issuer_arn,
                    accountid := session_issuer_account_id,
                    username := session_issuer_name),
                ec2roledelivery := json_extract_string(user_identity, '$.sessionContext.ec2RoleDelivery'),
                webidfederationdata := struct_pack(
                    federatedprovider := federated_provider,
                    attributes := TRY_CAST(json_extract(user_identity, '$.sessionContext.webIdFederationData.attributes') AS MAP(VARCHAR, VARCHAR)))
            )
        ) AS identity
    FROM identities
) USING (identity_id);

-- CloudTrail Lake's view of them. annotation is of events from elsewhere, and the
-- checksum is Lake's own: both are always NULL.
-- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html
CREATE VIEW event_data_store AS SELECT
    event_version AS eventVersion,
    identity AS userIdentity,
    event_time AS eventTime,
    event_source AS eventSource,
    event_name AS eventName,
    aws_region AS awsRegion,
    source_ip_address AS sourceIPAddress,
    user_agent AS userAgent,
    error_code AS errorCode,
    error_message AS errorMessage,
    TRY_CAST(TRY_CAST(request_parameters AS JSON) AS MAP(VARCHAR, VARCHAR)) AS requestParameters,
    TRY_CAST(TRY_CAST(response_elements AS JSON) AS MAP(VARCHAR, VARCHAR)) AS responseElements,
    TRY_CAST(TRY_CAST(additional_event_data AS JSON) AS MAP(VARCHAR, VARCHAR)) AS additionalEventData,
    coalesce(request_id_text, CAST(request_uuid AS VARCHAR)) AS requestID,
    coalesce(event_id_text, CAST(event_uuid AS VARCHAR)) AS eventID,
    read_only AS readOnly,
    list_transform(json_extract(resources, '$[*]'), lambda r: struct_pack(
        accountId := r ->> '$.accountId', type := r ->> '$.type',
        arn := coalesce(r ->> '$.ARN', r ->> '$.arn'), arnPrefix := r ->> '$.ARNPrefix')) AS resources,
    event_type AS eventType,
    api_version AS apiVersion,
    management_event AS managementEvent,
    recipient_account_id AS recipientAccountId,
    coalesce(shared_event_id_text, CAST(shared_event_uuid AS VARCHAR)) AS sharedEventID,
    CAST(NULL AS VARCHAR) AS annotation,
    vpc_endpoint_id AS vpcEndpointId,
    vpc_endpoint_account_id AS vpcEndpointAccountId,
    TRY_CAST(TRY_CAST(service_event_details AS JSON) AS MAP(VARCHAR, VARCHAR)) AS serviceEventDetails,
    TRY_CAST(TRY_CAST(addendum AS JSON) AS MAP(VARCHAR, VARCHAR)) AS addendum,
    TRY_CAST(TRY_CAST(edge_device_details AS JSON) AS MAP(VARCHAR, VARCHAR)) AS edgeDeviceDetails,
    TRY_CAST(TRY_CAST(insight_details AS JSON) AS MAP(VARCHAR, VARCHAR)) AS insightDetails,
    event_category AS eventCategory,
    tls AS tlsDetails,
    CAST(session_credential_from_console AS VARCHAR) AS sessionCredentialFromConsole,
    -- The record, of its members that are columns and those in extra, whose word
    -- goes before a column's.
    '{' || concat_ws(',',
        nullif(array_to_string(list_transform(list_filter([
            ('eventVersion', CAST(to_json(event_version) AS VARCHAR)),
            ('userIdentity', user_identity),
            ('eventTime', '"' || regexp_replace(strftime(event_time, '%Y-%m-%dT%H:%M:%S.%f'), '\.?0+$', '') || 'Z"'),
            ('eventSource', CAST(to_json(event_source) AS VARCHAR)),
            ('eventName', CAST(to_json(event_name) AS VARCHAR)),
            ('awsRegion', CAST(to_json(aws_region) AS VARCHAR)),
            ('sourceIPAddress', CAST(to_json(source_ip_address) AS VARCHAR)),
            ('userAgent', CAST(to_json(user_agent) AS VARCHAR)),
            ('errorCode', CAST(to_json(error_code) AS VARCHAR)),
            ('errorMessage', CAST(to_json(error_message) AS VARCHAR)),
            ('requestParameters', request_parameters),
            ('responseElements', response_elements),
            ('additionalEventData', additional_event_data),
            ('requestID', CAST(to_json(coalesce(request_id_text, CAST(request_uuid AS VARCHAR))) AS VARCHAR)),
            ('eventID', CASE WHEN event_id_text IS NULL THEN '"' || CAST(event_uuid AS VARCHAR) || '"'
                WHEN NOT regexp_full_match(event_id_text, '[0-9a-f]{64}') THEN CAST(to_json(event_id_text) AS VARCHAR) END),
            ('readOnly', CAST(read_only AS VARCHAR)),
            ('resources', resources),
            ('eventType', CAST(to_json(event_type) AS VARCHAR)),
            ('apiVersion', CAST(to_json(api_version) AS VARCHAR)),
            ('managementEvent', CAST(management_event AS VARCHAR)),
            ('recipientAccountId', CAST(to_json(recipient_account_id) AS VARCHAR)),
            ('sharedEventID', CAST(to_json(coalesce(shared_event_id_text, CAST(shared_event_uuid AS VARCHAR))) AS VARCHAR)),
            ('vpcEndpointId', CAST(to_json(vpc_endpoint_id) AS VARCHAR)),
            ('vpcEndpointAccountId', CAST(to_json(vpc_endpoint_account_id) AS VARCHAR)),
            ('serviceEventDetails', service_event_details),
            ('addendum', addendum),
            ('edgeDeviceDetails', edge_device_details),
            ('insightDetails', insight_details),
            ('eventCategory', CAST(to_json(event_category) AS VARCHAR)),
            ('tlsDetails', tls_details),
            ('sessionCredentialFromConsole', CAST(session_credential_from_console AS VARCHAR))
        ], lambda m: m[2] IS NOT NULL AND coalesce(NOT list_contains(json_keys(extra), m[1]), true)),
        lambda m: '"' || m[1] || '":' || m[2]), ','), ''),
        nullif(extra[2:-2], '')) || '}' AS eventJson,
    CAST(NULL AS VARCHAR) AS eventJsonChecksum
FROM records JOIN (
    SELECT context_id, event_version, event_type, event_category, api_version, user_agent, recipient_account_id,
        vpc_endpoint_id, vpc_endpoint_account_id, tls_details,
        struct_pack(
            tlsVersion := json_extract_string(tls_details, '$.tlsVersion'),
            cipherSuite := json_extract_string(tls_details, '$.cipherSuite'),
            clientProvidedHostHeader := json_extract_string(tls_details, '$.clientProvidedHostHeader')) AS tls
    FROM contexts
) USING (context_id) JOIN (
    SELECT identity_id, identity_account_id, user_identity,
        struct_pack(
            type := identity_type,
            principalId := principal_id,
            arn := identity_arn,
            accountId := identity_account_id,
            accessKeyId := access_key_id,
            userName := user_name,
            sessionContext := struct_pack(
                attributes := struct_pack(creationDate := session_created, mfaAuthenticated := CAST(session_mfa AS VARCHAR)),
                sessionIssuer := struct_pack(
                    type := session_issuer_type,
                    principalId := session_issuer_principal_id,
                    arn := session_issuer_arn,
                    accountId := session_issuer_account_id,
                    userName := session_issuer_name),
                webIdFederationData := struct_pack(
                    federatedProvider := federated_provider,
                    attributes := TRY_CAST(json_extract(user_identity, '$.sessionContext.webIdFederationData.attributes') AS MAP(VARCHAR, VARCHAR))),
                sourceIdentity := source_identity,
                ec2RoleDelivery := json_extract_string(user_identity, '$.sessionContext.ec2RoleDelivery'),
                ec2IssuedInVpc := json_extract_string(user_identity, '$.sessionContext.ec2IssuedInVpc')),
            onBehalfOf := struct_pack(userId := on_behalf_of_user_id, identityStoreArn := identity_store_arn),
            inScopeOf := struct_pack(
                sourceArn := json_extract_string(user_identity, '$.inScopeOf.sourceArn'),
                sourceAccount := json_extract_string(user_identity, '$.inScopeOf.sourceAccount'),
                issuerType := json_extract_string(user_identity, '$.inScopeOf.issuerType'),
                credentialsIssuedTo := json_extract_string(user_identity, '$.inScopeOf.credentialsIssuedTo')),
            invokedBy := invoked_by,
            identityProvider := identity_provider
        ) AS identity
    FROM identities
) USING (identity_id);
