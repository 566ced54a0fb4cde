package scenario

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Volume is an archive for measuring: many records of role sessions, alike
// those of a real account in shape and size, and without a story. Every
// session is issued by a record of the same file.
type Volume struct {
	Events     int
	Files      int // 130 if 0; at most one for two events
	Principals int // 200 if 0: roles that take sessions
	// Leaked is how many role sessions the misuse of VolumeKey leads to, in
	// chains of twenty. Their records come on top of Events, in files of their own.
	Leaked int
	Seed   uint64
}

// sessionEvents is how many calls a session makes on average.
const sessionEvents = 60

const volumeAccount = "111122223333"

var (
	volumeRegions = []string{"us-east-1", "eu-west-1", "us-west-2"}
	volumeStart   = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	// volumeAgents are long, as agents of SDKs are.
	volumeAgents = []string{
		"aws-sdk-java/2.31.50 md/io#async md/http#NettyNio ua/2.1 os/Linux#5.14.0 lang/java#21.0.7 md/OpenJDK_64-Bit_Server_VM#21.0.7+6-LTS md/vendor#Eclipse_Adoptium md/en_US cfg/auth-source#sts",
		"Boto3/1.38.11 md/Botocore#1.38.11 ua/2.1 os/linux#5.10.236 md/arch#x86_64 lang/python#3.13.3 md/pyimpl#CPython m/b,Z,D cfg/retry-mode#legacy Botocore/1.38.11",
		"aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.3 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.224.0 exec-env/AWS_ECS_FARGATE m/E,e",
	}
	volumeCalls = []string{
		"ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeTags", "ec2:CreateTags", "ec2:CreateSnapshot", "ec2:DescribeSnapshots",
		"ec2:DescribeImages", "s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:ListBuckets", "kms:Decrypt", "kms:GenerateDataKey",
		"logs:CreateLogStream", "logs:FilterLogEvents", "ssm:GetParameter", "ssm:GetParametersByPath", "secretsmanager:GetSecretValue",
		"dynamodb:DescribeTable", "lambda:GetFunctionConfiguration20150331v2", "lambda:UpdateFunctionCode20150331v2", "ecs:DescribeServices",
		"ecs:RegisterTaskDefinition", "ecs:UpdateService", "monitoring:GetMetricData", "elasticloadbalancing:DescribeTargetHealth",
		"cloudformation:DescribeStacks", "sqs:GetQueueAttributes", "sts:GetCallerIdentity", "autoscaling:DescribeAutoScalingGroups",
	}
)

// Write writes the archive below dir in the layout of S3.
func (v Volume) Write(dir string) error {
	if v.Events < 1 {
		return nil
	}
	v = v.filled()
	forms, err := v.forms()
	if err != nil {
		return err
	}
	var (
		wg   sync.WaitGroup
		next = make(chan int)
		errs = make([]error, v.Files+v.leakFiles())
	)
	for range 4 {
		wg.Go(func() {
			var records []byte
			for i := range next {
				records, errs[i] = v.writeFile(dir, i, forms, records[:0])
			}
		})
	}
	for i := range errs {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Records returns the archive's records, one a line.
func (v Volume) Records() ([]byte, error) {
	if v.Events < 1 {
		return nil, nil
	}
	v = v.filled()
	forms, err := v.forms()
	if err != nil {
		return nil, err
	}
	var out []byte
	for i := range v.Files + v.leakFiles() {
		out = append(v.appendFile(out, i, forms, '\n'), '\n')
	}
	return out, nil
}

func (v Volume) filled() Volume {
	if v.Principals < 1 {
		v.Principals = 200
	}
	if v.Files < 1 {
		v.Files = 130
	}
	v.Files = max(1, min(v.Files, v.Events/2)) // a session's issue and a use
	return v
}

// writeFile writes file i and returns the buffer of its records for the next.
func (v Volume) writeFile(dir string, i int, forms *forms, buf []byte) ([]byte, error) {
	records := v.appendFile(append(buf, `{"Records":[`...), i, forms, ',')
	records = append(records, "]}"...)
	region, from, length := v.slot(i)
	name := filepath.Join(dir, filepath.FromSlash(objectPath(volumeAccount, region, from.Add(length), newDice(v.Seed, "file", strconv.Itoa(i)))))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return records, err
	}
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return records, err
	}
	if _, err := zw.Write(records); err != nil {
		return records, err
	}
	if err := zw.Close(); err != nil {
		return records, err
	}
	return records, os.WriteFile(name, packed.Bytes(), 0o644)
}

// slot is the region and the time that file i holds.
func (v Volume) slot(i int) (region string, from time.Time, length time.Duration) {
	if i >= v.Files {
		return v.leakSlot(i - v.Files)
	}
	length = 30 * 24 * time.Hour * time.Duration(len(volumeRegions)) / time.Duration(v.Files+len(volumeRegions))
	return volumeRegions[i%len(volumeRegions)], volumeStart.Add(time.Duration(i/len(volumeRegions)) * length).Truncate(time.Second), length
}

// appendFile appends the records of file i, divided by a byte.
func (v Volume) appendFile(out []byte, i int, forms *forms, divider byte) []byte {
	if i >= v.Files {
		return v.appendLeak(out, i-v.Files, forms, divider)
	}
	d := newDice(v.Seed, "volume", strconv.Itoa(i))
	region, at, length := v.slot(i)
	n := v.Events / v.Files
	if i < v.Events%v.Files {
		n++
	}
	open := max(1, n/sessionEvents)
	sessions := make([]session, open)
	step := length / time.Duration(n+1)
	for k := range n {
		at = at.Add(step)
		now := at.Format(timeLayout)
		if k > 0 {
			out = append(out, divider)
		}
		s := &sessions[k%open]
		if k < open || (s.left == 0 && k+open < n) {
			*s = v.session(d, now, at, workloadOf)
			out = forms.assume.append(out, d, now, region, s)
			continue
		}
		s.left = max(0, s.left-1)
		out = forms.calls[d.IntN(len(forms.calls))].append(out, d, now, region, s)
	}
	return out
}

// session is the state of one role session: ready pieces of its records.
type session struct {
	left                    int
	issuer, identity        []byte // userIdentity of the issuing record and of the session's
	agent, address          string
	role, name, service, id string
	key, token, expiration  string
}

// workload is what takes sessions of a role: the service that takes them for it,
// and the name that it gives them.
type workload struct{ service, name string }

// workloadOf is one of role n. Sessions of a function have its name, those of a
// machine its id, as long as it lives; a task of ECS has one of its own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname
func workloadOf(n int, d dice) workload {
	switch n % 10 {
	case 0, 1:
		return taskOf(n, d)
	case 2, 3, 4, 5:
		const machines = 12
		return workload{"ec2.amazonaws.com", fmt.Sprintf("i-%017x", 0x0a5c<<48|n*machines+d.IntN(machines))}
	}
	return workload{"lambda.amazonaws.com", "function-" + strconv.Itoa(n)}
}

func taskOf(_ int, d dice) workload {
	return workload{"ecs-tasks.amazonaws.com", "task-" + strconv.Itoa(d.IntN(1e9))}
}

func (v Volume) session(d dice, now string, at time.Time, of func(int, dice) workload) session {
	n := d.IntN(v.Principals)
	role := "workload-" + strconv.Itoa(n)
	w := of(n, d)
	roleID := newDice(v.Seed, "role", role).id("AROA", volumeAccount)
	s := session{
		left: d.between(sessionEvents/2, sessionEvents*3/2), agent: volumeAgents[n%len(volumeAgents)],
		address: fmt.Sprintf("10.%d.%d.%d", n%200, d.IntN(4), d.between(2, 250)),
		role:    role, name: w.name, service: w.service, id: roleID,
		key: d.id("ASIA", volumeAccount), token: d.token(), expiration: at.Add(time.Hour).Format(stsTime),
	}
	s.issuer = fmt.Appendf(nil, `{"type":"AWSService","invokedBy":"%s"}`, w.service)
	s.identity = fmt.Appendf(nil, `{"type":"AssumedRole","principalId":"%[1]s:%[2]s","arn":"arn:aws:sts::%[3]s:assumed-role/%[4]s/%[2]s","accountId":"%[3]s","accessKeyId":"%[5]s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"%[1]s","arn":"arn:aws:iam::%[3]s:role/%[4]s","accountId":"%[3]s","userName":"%[4]s"},"webIdFederationData":{},"attributes":{"creationDate":"%[6]s","mfaAuthenticated":"false"}}}`,
		roleID, s.name, volumeAccount, role, s.key, now)
	return s
}
