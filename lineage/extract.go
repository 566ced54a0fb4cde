package lineage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"
)

// changeEvents are the calls, besides those that hand out credentials, that
// pass access on, or that end it.
var changeEvents = `
    event_source = 'iam.amazonaws.com' AND event_name IN (
        'CreateUser', 'DeleteUser', 'CreateRole', 'DeleteRole', 'CreateGroup', 'AddUserToGroup', 'RemoveUserFromGroup', 'DeleteGroup',
        'CreateInstanceProfile', 'AddRoleToInstanceProfile', 'CreateServiceLinkedRole', 'EnableMFADevice', 'DeactivateMFADevice',
        'CreateLoginProfile', 'UpdateLoginProfile', 'DeleteLoginProfile', 'ChangePassword',
        'UpdateAccessKey', 'DeleteAccessKey', 'DeleteServiceSpecificCredential', 'DeleteSSHPublicKey', 'DeleteSigningCertificate',
        'UpdateServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UpdateSSHPublicKey', 'UpdateSigningCertificate',
        'UpdateAssumeRolePolicy', 'CreateSAMLProvider', 'UpdateSAMLProvider', 'DeleteSAMLProvider', 'CreateOpenIDConnectProvider',
        'AddClientIDToOpenIDConnectProvider', 'UpdateOpenIDConnectProviderThumbprint', 'DeleteOpenIDConnectProvider',
        'AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy', 'PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy',
        'DetachUserPolicy', 'DetachRolePolicy', 'DetachGroupPolicy', 'DeleteUserPolicy', 'DeleteRolePolicy', 'DeleteGroupPolicy',
        'PutUserPermissionsBoundary', 'PutRolePermissionsBoundary', 'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary',
        'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion')
    OR ` + signInSource + ` AND event_name IN ('ConsoleLogin', 'SwitchRole', 'GetSigninToken', 'CreateOAuth2Token', 'UserAuthentication', 'Federate')
    OR event_source IN ('sso.amazonaws.com', 'sso-oauth.amazonaws.com') AND event_name IN ('Authenticate', 'Federate', 'GetRoleCredentials',
        'CreateToken', 'CreateTokenWithIAM', 'CreateAccountAssignment', 'CreatePermissionSet', 'DeletePermissionSet',
        'AttachManagedPolicyToPermissionSet', 'AttachCustomerManagedPolicyReferenceToPermissionSet', 'PutInlinePolicyToPermissionSet')
    OR event_source IN ('sso-directory.amazonaws.com', 'identitystore.amazonaws.com') AND event_name IN ('CreateUser', 'CreateGroup',
        'AddMemberToGroup', 'CreateGroupMembership', 'UpdatePassword')
    OR event_source IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com') AND event_name IN ('EnableExternalIdPConfigurationForDirectory',
        'DisableExternalIdPConfigurationForDirectory', 'ImportExternalIdPCertificate')
    OR event_source = 'rolesanywhere.amazonaws.com' AND event_name IN ('CreateTrustAnchor', 'UpdateTrustAnchor', 'EnableTrustAnchor',
        'DisableTrustAnchor', 'DeleteTrustAnchor', 'CreateProfile', 'UpdateProfile', 'EnableProfile', 'DisableProfile', 'DeleteProfile')
    OR event_source = 'cognito-identity.amazonaws.com' AND event_name IN ('CreateIdentityPool', 'UpdateIdentityPool', 'SetIdentityPoolRoles',
        'DeleteIdentityPool', 'GetOpenIdTokenForDeveloperIdentity')
    OR ` + computeEvents()

// signInSource holds for the events of sign-in: old records name it SignIn, others a
// host of a region or of another partition.
const signInSource = `event_source ILIKE '%signin%'`

// The closure reads these relations instead of events: what it costs then
// depends on them, not on how many events the case holds. They are made with
// one scan each and live on DuckDB's side, so that memory stays bounded. They
// read the stored tables: records refer to an identity by a number, which is
// cheap to filter, group and join by.
var extraction = []string{
	// Successful calls that pass access on or end it.
	`CREATE OR REPLACE TEMP TABLE trace_calls AS
	SELECT source_id, record_index, event_id, event_time,
	    CASE WHEN ` + signInSource + ` THEN 'signin.amazonaws.com' ELSE event_source END AS event_source, event_name, account_id, aws_region,
	    nullif(access_key_id, '') AS access_key_id, principal_id, identity_type, identity_arn, identity_account_id, user_name,
	    invoked_by, source_ip_address, session_created, session_issuer_arn, federated_provider, identity_provider,
	    on_behalf_of_user_id, credential_id,
	    issued_access_key_id, issued_principal_arn, issued_expiration, request_parameters,
	    CASE WHEN event_name LIKE 'AssumeRole%' OR event_source = 'rolesanywhere.amazonaws.com' THEN json_extract_scalar(request_parameters, '$.roleArn') END AS role_arn,
	    CASE WHEN event_source = 'iam.amazonaws.com' THEN
	        coalesce(json_extract_scalar(request_parameters, '$.userName'), user_name) END AS target_user,
	    CASE WHEN event_source = 'iam.amazonaws.com' THEN json_extract_scalar(request_parameters, '$.roleName') END AS target_role,
	    CASE WHEN issued_access_key_id IS NULL THEN response_elements
	        ELSE coalesce(json_extract_scalar(response_elements, '$.assumedRoleUser.assumedRoleId'),
	            json_extract_scalar(response_elements, '$.federatedUser.federatedUserId'),
	            json_extract_scalar(response_elements, '$.credentialSet[0].assumedRoleUser.assumedRoleId')) END AS response,
	    additional_event_data,
	    CASE event_source WHEN 'cognito-identity.amazonaws.com' THEN resources ELSE service_event_details END AS details
	FROM events
	WHERE coalesce(error_code, '') = '' AND (issued_access_key_id IS NOT NULL OR ` + changeEvents + `)`,

	// What each identity did.
	`CREATE OR REPLACE TEMP TABLE trace_identities AS
	SELECT identity_id, min(event_time) AS first_used, max(event_time) AS last_used,
	    coalesce(bool_or(session_credential_from_console), false) AS console,
	    min(recipient_account_id) AS account_id, bool_or(recipient_account_id IS NULL) AS of_its_account
	FROM records JOIN contexts USING (context_id)
	GROUP BY identity_id`,

	// Who acts by each access key id.
	`CREATE OR REPLACE TEMP TABLE trace_keys AS
	SELECT access_key_id, min(principal_id) AS principal_id, min(identity_arn) AS identity_arn,
	    min(identity_type) AS identity_type,
	    min(least(account_id, CASE WHEN of_its_account THEN identity_account_id END)) AS account_id,
	    min(identity_account_id) AS identity_account_id,
	    min(session_issuer_arn) AS issuer_arn, min(session_issuer_principal_id) AS issuer_id,
	    min(source_identity) AS source_identity,
	    min(session_created) AS session_created, min(first_used) AS first_used, max(last_used) AS last_used,
	    bool_and(invoked_by IS NOT NULL) AS forwarded, min(invoked_by) AS invoked_by,
	    bool_or(console) AS console,
	    access_key_id IN (SELECT issued_access_key_id FROM trace_calls WHERE issued_access_key_id IS NOT NULL) AS issued
	FROM trace_identities JOIN identities USING (identity_id)
	WHERE access_key_id <> ''
	GROUP BY access_key_id`,
}

func (t *tracer) extract(ctx context.Context) error {
	for _, stmt := range extraction {
		if _, err := t.conn.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
	return nil
}

// drop removes the temporary tables: the connection goes back to its pool.
func (t *tracer) drop() {
	for _, table := range []string{"trace_calls", "trace_identities", "trace_keys", "trace_root_ids", "trace_root_since", "trace_actors", "trace_root_use",
		"trace_wanted", "trace_claims", "trace_addresses", "trace_ways", "trace_sessions", "trace_bearers", "trace_members", "trace_marks", "trace_events", "trace_node_ids"} {
		// Nothing is lost when this fails: the next run replaces the table.
		_, _ = t.conn.ExecContext(context.Background(), `DROP TABLE IF EXISTS temp.`+table)
	}
}

// table replaces a temporary table by rows. Text from logs goes in as values,
// whatever it holds.
func (t *tracer) table(ctx context.Context, name, columns string, n int, row func(int) []driver.Value) error {
	if _, err := t.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE `+name+` (`+columns+`)`); err != nil {
		return err
	}
	return appendRows(t.conn, "temp", name, n, row)
}

func appendRows(conn *sql.Conn, catalog, table string, n int, row func(int) []driver.Value) error {
	err := conn.Raw(func(raw any) error {
		c, ok := raw.(driver.Conn)
		if !ok {
			return fmt.Errorf("connection is a %T", raw)
		}
		a, err := duckdb.NewAppender(c, catalog, "", table)
		if err != nil {
			return err
		}
		for i := range n {
			if err := a.AppendRow(row(i)...); err != nil {
				return errors.Join(err, a.Close())
			}
		}
		return a.Close()
	})
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

// each runs a query and calls scan for each of its rows.
func (t *tracer) each(ctx context.Context, sql string, args []any, scan func(func(...any) error) error) error {
	rows, err := t.conn.QueryContext(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
