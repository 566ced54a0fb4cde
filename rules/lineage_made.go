package rules

import "strings"

// SQL about what the lineage created, and who deleted it.

// severalOf are the calls whose response lists several new things, with the
// member that holds the id of one.
var severalOf = [][2]string{
	{"RunInstances", "instanceId"}, {"CreateSnapshots", "snapshotId"}, {"RequestSpotInstances", "spotInstanceRequestId"}, {"RunTask", "taskArn"},
}

// creates holds for calls that make something that lasts, deletes for those that
// may end it.
const (
	creates = `regexp_like(event_name, '^(?:Create|Copy|Import|Register|RunInstances|RunTask|Allocate|RequestSpot|Upload(?:SSH|Signing|Server)|Restore|Publish)')
                        AND event_source NOT IN ('sts.amazonaws.com', 'signin.amazonaws.com', 'sso-oauth.amazonaws.com')
                        AND NOT regexp_like(event_name, '^(?:CopyObject|Create(?:LogStream|Tags|Session|MultipartUpload|OAuth2Token|Token|Sts|Presigned)|RegisterInstancesWith|RegisterTargets|RestoreObject)')
                        AND event_source || ':' || event_name <> 'sns.amazonaws.com:Publish' AND event_name <> 'PublishBatch'`
	deletes = `(event_name LIKE 'Del%' OR event_name LIKE 'Der%' OR event_name LIKE 'Terminate%' OR event_name LIKE 'Re%' OR event_name LIKE 'Cancel%' OR event_name LIKE 'S%')
                        AND regexp_like(event_name, '^(?:Delete|Deregister|Terminate|Release|Cancel|Revoke|Retire|StopTask|Schedule[A-Za-z]+Deletion)')`

	// kindOf is the kind of what a call creates or deletes: the same for
	// CreateSnapshots and DeleteSnapshot.
	kindOf = `regexp_extract(event_name, '^(?:Create|Copy|Import|Register|Run|Allocate|Request|Upload|Restore|Publish|Delete|Deregister|Terminate|Release|Schedule|Cancel|Revoke|Retire|Stop)([A-Za-z0-9]+?)s?(?:Deletion|Requests?|From[A-Za-z0-9]+)?(?:20[0-9]{2}_?[0-9]{2}_?[0-9]{2})?(?:v[0-9]+)?$', 1)`

	// namedBy are the texts in the request, each the whole value of a member.
	namedBy = `regexp_extract_all(request_parameters, '"((?:[^"\\]|\\.)+)"(?:[,}\]]|$)', 1)`
)

// made is what a call created, by the id in its response where there is one.
// What belongs to something else goes by its own id, not by the other's name.
var made = `coalesce(` + response("accessKey.accessKeyId", "serviceSpecificCredential.serviceSpecificCredentialId", "sSHPublicKey.sSHPublicKeyId",
	"certificate.certificateId", "user.userName", "role.roleName", "group.groupName", "policy.arn",
	"instanceProfile.instanceProfileName", "virtualMFADevice.serialNumber", "snapshotId", "imageId",
	"volumeId", "keyName", "groupId", "vpc.vpcId", "networkInterface.networkInterfaceId", "allocationId", "functionName", "keyMetadata.keyId",
	"dBInstanceIdentifier", "dBSnapshotIdentifier", "dBClusterIdentifier", "stackId", "trailARN", "aRN", "clusterArn", "taskDefinition.taskDefinitionArn",
	"certificateArn", "restApiId", "detectorId", "uUID", "grantId") + `,
                            nullif(regexp_extract(response_elements, ` + memberOfKind + `, 1), ''), nullif(regexp_extract(request_parameters, ` + memberOfKind + `, 1), ''),
                            ` + param("userName", "roleName", "groupName", "bucketName", "functionName", "tableName", "keyName", "name", "stackName") + `,
                            event_name)`

// memberOfKind is a pattern for the members that name a thing of the kind: for
// a Function the functionName and the functionArn.
const memberOfKind = `'(?i)"' || ` + kindOf + ` || 's?(?:Id|Name|Arn|Identifier)?":"([^"]+)"'`

// namesOfMade are all the names of what a call created, by which another may delete
// it.
var namesOfMade = `regexp_extract_all('{"name":"' || coalesce(` + made + `, '') || '"}'
                            || coalesce(response_elements, '') || coalesce(request_parameters, '') || coalesce('{"id":"' || ` + response("id") + ` || '"}', '')
                            || CASE ` + kindOf + ` WHEN 'SecurityGroup' THEN coalesce('{"name":"' || ` + param("groupName") + ` || '"}', '') ELSE '' END,
                        '(?i)(?:\{"(?:name|id)|"arn|"' || ` + kindOf + ` || 's?(?:Id|Name|Arn|Identifier)?)":"([^"]+)"', 1)`

// unmade are the things that the lineage created (event_id, made), one row each,
// and the calls that deleted them, of anybody's, or none (deleted_by). An ARN
// and the name that it ends in are the same.
var unmade = func() string {
	var listed, several []string
	for _, s := range severalOf {
		listed = append(listed, quote(s[0]))
		several = append(several, `WHEN `+quote(s[0])+` THEN regexp_extract_all(response_elements, '"`+s[1]+`":"([^"]+)"', 1)`)
	}
	const about = `event_id, event_time, event_source, coalesce(account_id, '') AS account, coalesce(aws_region, '') AS region, ` + kindOf + ` AS kind`
	named := func(column string) string {
		return `lower(CASE WHEN ` + column + ` LIKE 'arn:%' THEN regexp_extract(` + column + `, '[^/:]+$', 0) ELSE ` + column + ` END)`
	}
	return `(
                SELECT creation.event_id, creation.made, deletion.event_id AS deleted_by
                FROM (
                    SELECT ` + about + `, made, ` + named("name") + ` AS name
                    FROM (
                        SELECT calls.*, ` + made + ` AS made FROM calls
                        WHERE outcome = 'success' AND event_name NOT IN (` + strings.Join(listed, ", ") + `) AND ` + creates + `) AS calls
                    CROSS JOIN UNNEST(` + namesOfMade + `) AS named(name)
                    UNION ALL
                    SELECT ` + about + `, name, ` + named("name") + `
                    FROM calls CROSS JOIN UNNEST(CASE event_name
                            ` + strings.Join(several, "\n                            ") + ` END) AS named(name)
                    WHERE outcome = 'success') AS creation
                LEFT JOIN (
                    SELECT ` + about + `, ` + named("name") + ` AS name
                    FROM events CROSS JOIN UNNEST(` + namedBy + `) AS named(name)
                    WHERE event_source IN (SELECT event_source FROM calls) AND event_name NOT IN ('DeleteObject', 'DeleteObjects', 'DeleteItem', 'DeleteMessage')
                        AND ` + deletes + ` AND error_code IS NULL AND error_message IS NULL) AS deletion
                ON deletion.event_source = creation.event_source AND deletion.kind = creation.kind AND deletion.name = creation.name
                    AND deletion.account = creation.account AND deletion.region = creation.region AND deletion.event_time >= creation.event_time)`
}()

// leftovers are those that nobody deleted.
var leftovers = `(SELECT event_id, made FROM ` + unmade + ` AS fate GROUP BY event_id, made HAVING count(deleted_by) = 0)`

// together is a list in one text, which the finding takes apart again.
func together(column string) string {
	return `array_join(array_agg(DISTINCT ` + column + ` ORDER BY ` + column + `), ` + separator + `)`
}

// separator stands between the resources where an event has several.
const separator = `chr(31)`
