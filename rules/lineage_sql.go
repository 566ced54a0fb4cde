package rules

// SQL that the rules over the stored lineage share. Most are about its events
// alone (Rule.OfLineage), which are few: there calls holds no others.

// ofCredentials are the events e of the lineage with the credential of it, l,
// that made them.
const ofCredentials = `calls AS e
                JOIN lineage_events AS l ON l.source_id = e.source_id AND l.record_index = e.record_index AND l.actor <> 'owner'`

// among holds for the events e of the lineage, by the credential c of it, for
// which a condition holds; joined brings in more tables.
func among(joined, condition string) string {
	return `event_id IN (
                SELECT e.event_id FROM ` + ofCredentials + `
                JOIN credentials AS c ON c.id = l.credential_id
                ` + joined + `
                WHERE ` + condition + `)`
}

// issuing holds for the events of the lineage that issued a credential c of it
// for which a condition holds.
func issuing(condition string) string {
	return `event_id IN (
                SELECT c.issued_event_id FROM credentials AS c
                WHERE c.parent IS NOT NULL AND ` + condition + `)`
}

// issued is the credential that a call issued.
const issued = `(SELECT min(c.id) FROM credentials AS c WHERE c.issued_event_id = calls.event_id)`

// ancestry are the pairs of a credential and one that it descends from. Trino
// goes ten steps deep, unless it is told otherwise.
// https://trino.io/docs/current/sql/select.html#with-recursive-clause
const ancestry = `(
                    WITH RECURSIVE ancestors (id, ancestor, depth) AS (
                        SELECT id, parent, 1 FROM credentials WHERE parent IS NOT NULL
                        UNION ALL
                        SELECT a.id, c.parent, a.depth + 1
                        FROM ancestors AS a JOIN credentials AS c ON c.id = a.ancestor
                        WHERE c.parent IS NOT NULL AND a.depth < 9)
                    SELECT id, ancestor FROM ancestors)`

// acted is what a call acts on, as far as that can be compared with another
// call of the same name: the last part of what it names first. A denied call
// often tells it in its message alone, where the ARN of a secret ends in six
// characters of AWS's.
var acted = func() string {
	last := `regexp_extract(coalesce(` + param("userName", "roleArn", "roleName", "groupName", "policyArn", "bucketName", "secretId",
		"functionName", "keyName", "keyId", "instanceId", "tableName", "groupId", "snapshotId", "dBInstanceIdentifier", "trailName", "name") + `,
                    nullif(regexp_extract(error_message, 'on resource: (?:(?:user|role|group|policy) )?([^ ]+)', 1), ''), ''), '[^/:*]*$', 0)`
	return `CASE WHEN event_source = 'secretsmanager.amazonaws.com'
                    THEN regexp_extract(` + last + `, '^(.*?)(?:-[A-Za-z0-9]{6})?$', 1) ELSE ` + last + ` END`
}()

// thing is a call, where, and on what.
var thing = `event_source || ':' || event_name || ' ' || coalesce(aws_region, '') || ' ' || lower(coalesce(` + acted + `, ''))`

// didThings are the things that credentials of the lineage did or tried.
var didThings = `(
                    SELECT l.credential_id AS doer, event_id, event_time, ` + thing + ` AS thing,
                        outcome AS became
                    FROM ` + ofCredentials + `)`

// made is what a call created, and kindOf is the kind of what a call creates or
// deletes: the same for CreateUser and DeleteUser. Of several instances the
// first stands for all.
var (
	made = `coalesce(` + response("accessKey.accessKeyId", "user.userName", "role.roleName", "group.groupName", "policy.arn",
		"instanceProfile.instanceProfileName", "virtualMFADevice.serialNumber", "instancesSet.items[0].instanceId", "snapshotId", "imageId",
		"volumeId", "keyName", "groupId", "vpc.vpcId", "networkInterface.networkInterfaceId", "allocationId", "functionName", "keyMetadata.keyId",
		"dBInstanceIdentifier", "dBSnapshotIdentifier", "dBClusterIdentifier", "stackId", "trailARN", "aRN", "clusterArn", "taskDefinition.taskDefinitionArn",
		"certificateArn", "restApiId", "detectorId") + `, ` +
		param("userName", "roleName", "groupName", "bucketName", "functionName", "tableName", "keyName", "name", "stackName") + `)`
	kindOf = `regexp_extract(event_name, '^(?:Create|Copy|Import|Register|Run|Allocate|Request|Upload|Restore|Publish|Delete|Deregister|Terminate|Release|Schedule|Cancel)([A-Za-z]+?)(?:Deletion|From[A-Za-z0-9]+)?[0-9_]*(?:v[0-9]+)?$', 1)`
)

// creates holds for calls that make something that lasts.
const creates = `regexp_like(event_name, '^(?:Create|Copy|Import|Register|RunInstances|Allocate|RequestSpot|Upload(?:SSH|Signing|Server)|Restore|Publish)')
                        AND event_source NOT IN ('sts.amazonaws.com', 'signin.amazonaws.com', 'sso-oauth.amazonaws.com')
                        AND NOT regexp_like(event_name, '^(?:CopyObject|Create(?:LogStream|Tags|Session|MultipartUpload|OAuth2Token|Token|Sts|Presigned)|RegisterInstancesWith|RegisterTargets|RestoreObject)')`

// unmade pairs what the lineage created with the call that deleted it, of
// anybody's, or with none.
var unmade = `(
                    SELECT l.credential_id AS maker, event_id, event_time, event_source, coalesce(account_id, '') AS account,
                        ` + kindOf + ` AS kind, ` + made + ` AS made
                    FROM ` + ofCredentials + `
                    WHERE outcome = 'success' AND ` + creates + `) AS creation
                LEFT JOIN (
                    SELECT event_id, event_time, event_source, coalesce(account_id, '') AS account, ` + kindOf + ` AS kind,
                        coalesce(request_parameters, '') AS named
                    FROM events
                    WHERE regexp_like(event_name, '^(?:Delete|Deregister|Terminate|Release|Cancel)|^Schedule[A-Za-z]+Deletion')
                        AND error_code IS NULL AND error_message IS NULL) AS deletion
                ON deletion.event_source = creation.event_source AND deletion.kind = creation.kind
                    AND deletion.account = creation.account AND deletion.event_time >= creation.event_time
                    AND strpos(lower(deletion.named), '"' || lower(creation.made) || '"') > 0`

// network24 is the /24 of an IPv4 address and the /64 of an IPv6 one, as trace
// counts networks.
const network24 = `nullif(regexp_extract(source_ip_address, '^([0-9]+\.[0-9]+\.[0-9]+\.|(?:[0-9a-fA-F]+:){4}|(?:[0-9a-fA-F]+:){1,3}:)', 1), '')`

// intruderNetworks are the networks that the intruder used, but those that
// somebody else used before the compromise.
const intruderNetworks = `(
                SELECT ` + network24 + ` FROM events
                JOIN lineage_events AS l ON events.source_id = l.source_id AND events.record_index = l.record_index
                WHERE ` + publicAddress + `
                GROUP BY 1
                HAVING count(CASE WHEN l.actor = 'intruder' THEN 1 END) > 0 AND count(CASE WHEN l.actor = 'owner' THEN 1 END) = 0)
            AND ` + network24 + ` NOT IN (
                SELECT ` + network24 + ` FROM events
                WHERE event_time < (SELECT min(compromised_since) FROM lineage) AND ` + network24 + ` IS NOT NULL)`

// lineageUsers are the accounts and names of the users of the lineage.
const lineageUsers = `(
                SELECT regexp_extract(arn, '^arn:[^:]*:iam::([0-9]+):user/', 1) || ' ' || lower(regexp_extract(arn, '([^/]+)$', 1))
                FROM (SELECT principal_arn AS arn FROM credentials UNION ALL SELECT arn FROM principals) AS named
                WHERE arn LIKE '%:user/%')`
