package remediate

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"trailscan/ingest"
	"trailscan/internal/mototest"
	"trailscan/lineage"
	"trailscan/query"
)

const (
	allowS3   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	allowAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	trustOwn  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	trustEvil = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}`
	trustCode = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
	emptyZip  = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="
	home      = "us-east-1"
)

func openBucket(bucket, sid, principal string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":%q,"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, sid, principal, bucket)
}

// estate is an account on moto that has a history, and its intruder.
type estate struct {
	*mototest.Recorder
	ctx       context.Context
	bob       *mototest.Actor // the administrator
	alice     *mototest.Actor // the owner of the key that leaks
	intruder  *mototest.Actor // with alice's key
	things    map[string][]string
	intrusion time.Time
}

// list has rest as a list.
func list(v ...any) []any { return v }

// settle builds the account and 40 days of its history. What it makes is in
// things, by kind.
func settle(ctx context.Context, t fails, url string) *estate {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	e := &estate{Recorder: mototest.NewRecorder(url, now.Add(-40*24*time.Hour)), ctx: ctx, things: map[string][]string{}}
	must := func(call string, in object, path string) string {
		t.Helper()
		out, err := e.Do(ctx, home, call, in)
		if err != nil {
			t.Fatalf("settle: %v", err)
		}
		return text(t, out, path)
	}
	person := func(name, ip, agent string) *mototest.Actor {
		id := must("iam:CreateUser", object{"UserName": name}, "User.UserId")
		key := must("iam:CreateAccessKey", object{"UserName": name}, "AccessKey.AccessKeyId")
		return mototest.User(name, id, key, ip, agent)
	}
	e.bob = person("bob", "198.51.100.10", "aws-cli/2.15.0")
	must("iam:AttachUserPolicy", object{"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "")
	e.alice = person("alice", "198.51.100.20", "Boto3/1.34.0")
	e.alice.Agent = "Boto3/1.34.0"
	thief := *e.alice
	thief.IP, thief.Agent = "203.0.113.66", "aws-sdk-go-v2/1.30.0 os/linux"
	e.intruder = &thief

	made := func(kind, call string, in object, path string) string {
		t.Helper()
		out, err := e.Call(ctx, e.bob, home, call, in)
		if err != nil {
			t.Fatalf("settle: %v", err)
		}
		name := text(t, out, path)
		if kind != "" {
			e.things[kind] = append(e.things[kind], name)
		}
		return name
	}
	e.things["user"] = []string{"alice", "carol"}
	made("", "iam:CreateUser", object{"UserName": "carol"}, "")
	made("", "iam:CreateLoginProfile", object{"UserName": "carol", "Password": "Made-up-1!"}, "")
	made("", "iam:PutUserPolicy", object{"UserName": "carol", "PolicyName": "own", "PolicyDocument": allowS3}, "")
	made("", "iam:PutUserPolicy", object{"UserName": "alice", "PolicyName": "own", "PolicyDocument": allowS3}, "")
	made("group", "iam:CreateGroup", object{"GroupName": "developers"}, "Group.GroupName")
	made("", "iam:AddUserToGroup", object{"GroupName": "developers", "UserName": "carol"}, "")
	policy := made("policy", "iam:CreatePolicy", object{"PolicyName": "ReadReports", "PolicyDocument": allowS3}, "Policy.Arn")
	made("", "iam:AttachGroupPolicy", object{"GroupName": "developers", "PolicyArn": policy}, "")
	made("", "iam:AttachUserPolicy", object{"UserName": "carol", "PolicyArn": policy}, "")
	made("role", "iam:CreateRole", object{"RoleName": "deploy", "AssumeRolePolicyDocument": trustOwn}, "Role.RoleName")
	made("", "iam:PutRolePolicy", object{"RoleName": "deploy", "PolicyName": "own", "PolicyDocument": allowS3}, "")
	made("", "iam:AttachRolePolicy", object{"RoleName": "deploy", "PolicyArn": policy}, "")
	worker := made("", "iam:CreateRole", object{"RoleName": "worker", "AssumeRolePolicyDocument": trustCode}, "Role.Arn")
	e.things["role ARN"] = []string{worker}
	made("instance profile", "iam:CreateInstanceProfile", object{"InstanceProfileName": "web"}, "InstanceProfile.InstanceProfileName")
	made("", "iam:AddRoleToInstanceProfile", object{"InstanceProfileName": "web", "RoleName": "worker"}, "")
	for _, bucket := range []string{"example-logs", "example-data"} {
		made("", "s3:CreateBucket", object{"Bucket": bucket}, "")
		made("", "s3:PutBucketPolicy", object{"Bucket": bucket, "Policy": openBucket(bucket, "own", "arn:aws:iam::123456789012:root")}, "")
		made("", "s3:PutBucketVersioning", object{"Bucket": bucket, "VersioningConfiguration": object{"Status": "Enabled"}}, "")
		made("", "s3:PutPublicAccessBlock", object{"Bucket": bucket, "PublicAccessBlockConfiguration": object{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}, "")
	}
	e.things["bucket"] = []string{"example-data"}
	made("", "s3:PutObject", object{"Bucket": "example-data", "Key": "report.csv", "Body": "YQ=="}, "")
	made("trail", "cloudtrail:CreateTrail", object{"Name": "main", "S3BucketName": "example-logs", "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true}, "Name")
	made("", "cloudtrail:StartLogging", object{"Name": "main"}, "")
	made("", "cloudtrail:PutEventSelectors", object{"TrailName": "main", "EventSelectors": list(object{"ReadWriteType": "All", "IncludeManagementEvents": true})}, "")
	vpc := must("ec2:DescribeVpcs", nil, "Vpcs[0].VpcId")
	e.things["vpc"] = []string{vpc}
	e.things["route table"] = []string{must("ec2:DescribeRouteTables", nil, "RouteTables[0].RouteTableId")}
	e.things["network ACL"] = []string{must("ec2:DescribeNetworkAcls", nil, "NetworkAcls[0].NetworkAclId")}
	group := made("security group", "ec2:CreateSecurityGroup", object{"GroupName": "web", "Description": "web", "VpcId": vpc}, "GroupId")
	made("", "ec2:AuthorizeSecurityGroupIngress", object{"GroupId": group, "IpPermissions": ports(443, "0.0.0.0/0")}, "")
	made("gateway", "ec2:CreateInternetGateway", nil, "InternetGateway.InternetGatewayId")
	made("instance", "ec2:RunInstances", object{"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", "SecurityGroupIds": list(group)}, "Instances[0].InstanceId")
	volume := made("volume", "ec2:CreateVolume", object{"AvailabilityZone": "us-east-1a", "Size": 8}, "VolumeId")
	made("snapshot", "ec2:CreateSnapshot", object{"VolumeId": volume, "Description": "backup"}, "SnapshotId")
	made("image", "ec2:CreateImage", object{"InstanceId": e.things["instance"][0], "Name": "golden"}, "ImageId")
	made("", "ec2:EnableEbsEncryptionByDefault", nil, "")
	made("function", "lambda:CreateFunction", object{"FunctionName": "resize", "Runtime": "python3.12", "Role": worker, "Handler": "a.b", "Code": object{"ZipFile": emptyZip}}, "FunctionName")
	made("", "lambda:AddPermission", object{"FunctionName": "resize", "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}, "")
	made("rule", "eventbridge:PutRule", object{"Name": "nightly", "ScheduleExpression": "rate(1 day)"}, "")
	e.things["rule"] = []string{"nightly"}
	made("", "eventbridge:PutTargets", object{"Rule": "nightly", "Targets": list(object{"Id": "resize", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:resize"})}, "")
	key := made("key", "kms:CreateKey", nil, "KeyMetadata.KeyId")
	made("", "kms:CreateAlias", object{"AliasName": "alias/data", "TargetKeyId": key}, "")
	e.things["key alias"] = []string{"alias/data"}
	made("", "kms:EnableKeyRotation", object{"KeyId": key}, "")
	made("", "cloudwatchlogs:CreateLogGroup", object{"LogGroupName": "/app"}, "")
	made("", "cloudwatchlogs:PutRetentionPolicy", object{"LogGroupName": "/app", "RetentionInDays": 365}, "")
	e.things["log group"] = []string{"/app"}
	made("", "cloudwatch:PutMetricAlarm", object{"AlarmName": "errors", "MetricName": "Errors", "Namespace": "AWS/Lambda", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum", "ActionsEnabled": true}, "")
	made("", "configservice:PutConfigurationRecorder", object{"ConfigurationRecorder": object{"Name": "default", "RoleARN": worker, "RecordingGroup": object{"AllSupported": true}}}, "")
	made("", "configservice:PutDeliveryChannel", object{"DeliveryChannel": object{"Name": "default", "S3BucketName": "example-logs"}}, "")
	made("", "configservice:StartConfigurationRecorder", object{"ConfigurationRecorderName": "default"}, "")
	made("detector", "guardduty:CreateDetector", object{"Enable": true}, "DetectorId")
	made("secret", "secretsmanager:CreateSecret", object{"Name": "database", "SecretString": "made-up"}, "Name")
	made("topic", "sns:CreateTopic", object{"Name": "alerts"}, "TopicArn")
	made("queue", "sqs:CreateQueue", object{"QueueName": "jobs"}, "QueueUrl")
	made("table", "dynamodb:CreateTable", object{"TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": list(object{"AttributeName": "id", "AttributeType": "S"}), "KeySchema": list(object{"AttributeName": "id", "KeyType": "HASH"})}, "TableDescription.TableName")
	made("", "dynamodb:UpdateContinuousBackups", object{"TableName": "orders", "PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": true}}, "")
	made("repository", "ecr:CreateRepository", object{"RepositoryName": "app"}, "Repository.RepositoryName")
	made("database", "rds:CreateDBInstance", object{"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "MasterUsername": "app", "MasterUserPassword": "Made-up-1"}, "DBInstance.DBInstanceIdentifier")
	made("database snapshot", "rds:CreateDBSnapshot", object{"DBSnapshotIdentifier": "weekly", "DBInstanceIdentifier": "orders"}, "DBSnapshot.DBSnapshotIdentifier")
	made("", "ssm:PutParameter", object{"Name": "/app/url", "Value": "u", "Type": "String"}, "")
	e.things["parameter"] = []string{"/app/url"}
	settleCompute(e, worker, must, made)
	e.identities(made)
	e.organisation(made)
	e.watchers(made)
	e.stores(made)
	e.everyday(t, now)
	return e
}

// everyday is what everyone does every day, until today.
func (e *estate) everyday(t fails, now time.Time) {
	t.Helper()
	for day := 39; day > 0; day-- {
		e.Clock = now.Add(time.Duration(-day) * 24 * time.Hour)
		for _, c := range []struct {
			by   *mototest.Actor
			call string
			in   object
		}{{e.alice, "s3:ListBuckets", nil}, {e.alice, "s3:GetBucketPolicy", object{"Bucket": "example-data"}}, {e.bob, "iam:ListUsers", nil}} {
			if _, err := e.Call(e.ctx, c.by, home, c.call, c.in); err != nil {
				t.Fatalf("everyday: %v", err)
			}
		}
	}
	e.intrusion = now.Add(-2 * time.Hour)
	e.Clock = e.intrusion
}

// text is what a path finds.
func text(t fails, v any, path string) string {
	t.Helper()
	if path == "" {
		return ""
	}
	found, err := search(path, v)
	if err != nil || found == nil {
		t.Fatalf("%s finds %v (%v) in %v", path, found, err, v)
	}
	return show(found)
}

// ports are rules of a security group.
func ports(port float64, from string) []any {
	return list(object{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": list(object{"CidrIp": from})})
}

// planFor loads the records into a case of its own, traces the key and plans.
func (e *estate) planFor(t fails, dir string) *Plan {
	t.Helper()
	log := filepath.Join(dir, "log.json")
	if err := e.Write(log); err != nil {
		t.Fatal(err)
	}
	c, err := query.Open(e.ctx, filepath.Join(dir, "case.duckdb"), query.Options{Mode: query.Create, Version: "test", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the case: %v", err)
		}
	}()
	if _, err := ingest.Load(e.ctx, c, []string{log}, ingest.Options{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	l, err := lineage.Trace(e.ctx, c, []string{e.alice.KeyID}, lineage.Options{CompromisedSince: e.intrusion})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(e.ctx, c, l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reviewed are the actions of a plan that wait for a person's word, in every
// phase but restore.
func reviewed(p *Plan) []string {
	var ids []string
	for _, a := range p.Actions {
		if a.Mode == Review && a.Phase != Restore {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// motoExecutor applies against the server at url, in no real time.
func motoExecutor(ctx context.Context, t fails, url, journal string) *Executor {
	t.Helper()
	aws, err := NewAWS(ctx, AWSOptions{Endpoint: url, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &Executor{Caller: aws, Journal: journal, Secrets: io.Discard, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// startEstate is an account on a moto of its own state, behind a proxy.
func startEstate(t *testing.T) (*estate, *mototest.Proxy) {
	t.Helper()
	url := mototest.Start(t)
	mototest.Isolate(t)
	proxy := mototest.NewProxy(t, url)
	return settle(t.Context(), t, proxy.URL), proxy
}
