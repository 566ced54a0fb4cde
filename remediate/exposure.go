package remediate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// exposures are reads that give the intruder what outlives its access. They are
// not undone: what was read is rotated, or its owners are told.
var exposures = []exposure{
	{
		call: "secretsmanager:GetSecretValue", object: []string{"rs.aRN|rq.secretId"},
		step: &step{
			phase: Recover, mode: Review, call: "secretsmanager:RotateSecret", in: args{"SecretId": "rq.secretId"},
			title: "Rotate the secret {rq.secretId}, which was read",
			risk:  "What uses the old value breaks unless it reads the secret each time. Works only where the secret has a rotation function; change it by hand otherwise, and end the sessions that it opened.",
		},
	},
	{call: "secretsmanager:BatchGetSecretValue", object: []string{"rq.secretIdList[]|rq.filters|ev.region"}, todo: "Secrets were read in bulk ({rq.secretIdList[]|rq.filters}): each has a GetSecretValue event too; rotate all of them."},
	{call: "ssm:GetParameter", object: []string{"rq.name"}, only: "rq.withDecryption", todo: "Rotate what the parameter {rq.name} holds: it was read in the clear."},
	{call: "ssm:GetParameters", object: []string{"rq.names[]"}, only: "rq.withDecryption", todo: "Rotate what the parameters {rq.names[]} hold: they were read in the clear."},
	{call: "ssm:GetParametersByPath", object: []string{"rq.path"}, only: "rq.withDecryption", todo: "Rotate what the parameters under {rq.path} hold: they were read in the clear."},
	{call: "ssm:GetParameterHistory", object: []string{"rq.name"}, only: "rq.withDecryption", todo: "Rotate what the parameter {rq.name} holds: its history was read in the clear."},
	{call: "s3:GetObject", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were read: see which (requestParameters.key of the events), whose data it is, and whom to tell."},
	{call: "s3:SelectObjectContent", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were read by query: see which, whose data it is, and whom to tell."},
	{call: "ec2:GetPasswordData", object: []string{"rq.instanceId"}, todo: "Change the Administrator password of the instance {rq.instanceId}: it was read, encrypted to the key pair."},
	{call: "ec2:DescribeInstanceAttribute", object: []string{"rq.instanceId"}, only: "rq.attribute", is: "userData", todo: "The user data of the instance {rq.instanceId} was read: rotate the secrets in it."},
	{call: "ec2:GetConsoleOutput", object: []string{"rq.instanceId"}, todo: "The console output of {rq.instanceId} was read: rotate what it prints."},
	{call: "lambda:GetFunction", object: []string{"rq.functionName"}, todo: "Code and environment of the function {rq.functionName} were read: rotate the secrets in them."},
	{call: "lambda:GetFunctionConfiguration", object: []string{"rq.functionName"}, todo: "The environment of the function {rq.functionName} was read: rotate the secrets in it."},
	{call: "rds:DownloadDBLogFilePortion", object: []string{"rq.dBInstanceIdentifier"}, todo: "Log files of the database {rq.dBInstanceIdentifier} were read: see what they hold."},
	{call: "codecommit:GitPull", object: []string{"ad.repositoryName|rq.repositoryName"}, todo: "The repository {ad.repositoryName|rq.repositoryName} was copied: rotate the secrets in it."},
	{call: "ecr:BatchGetImage", object: []string{"rq.repositoryName"}, todo: "Images of {rq.repositoryName} were pulled: rotate the secrets in them."},
	{call: "kms:Decrypt", object: []string{"rq.encryptionContext|rq.keyId"}, todo: "Something was decrypted under {rq.encryptionContext|rq.keyId}: find out what, and rotate it."},
	{call: "dynamodb:Scan", object: []string{"rq.tableName"}, todo: "The table {rq.tableName} was read: see whose data it holds, and whom to tell."},
	{call: "cloudformation:GetTemplate", object: []string{"rq.stackName"}, todo: "The template of the stack {rq.stackName} was read: rotate the secrets in it."},
}

// staysKnown is the risk of what was read and cannot be changed by a call.
const staysKnown = "It stays in the intruder's hands whatever else is done."

// Lost says that an action is about what the intruder has read and keeps.
func (a *Action) Lost() bool {
	return a.Phase == Recover && (a.Risk == staysKnown || exposedCalls[a.Service+":"+a.Operation])
}

// exposedCalls are the calls that replace what was read.
var exposedCalls = func() map[string]bool {
	calls := map[string]bool{}
	for _, x := range exposures {
		if x.step != nil {
			calls[x.step.call] = true
		}
	}
	return calls
}()

// exposures writes an action for each thing that was read and stays known.
func (p *planner) exposures(events []*event) {
	byObject := map[string][]*event{}
	var order []string
	for _, e := range events {
		x := exposureTable[e.source+":"+e.name]
		if x == nil || x.only != "" && !x.counts(e) || e.invokedBy != "" && e.source == "kms" {
			continue
		}
		plain, elements, _ := values(e, x.object)
		key := strings.Join(slices.Concat([]string{x.call, e.accountID, e.region}, plain, elements), "\x00")
		if byObject[key] == nil {
			order = append(order, key)
		}
		byObject[key] = append(byObject[key], e)
	}
	for _, key := range order {
		list := byObject[key]
		p.exposure(list)
	}
}

func (p *planner) exposure(list []*event) {
	e := list[len(list)-1]
	x := exposureTable[e.source+":"+e.name]
	s := &scope{event: e, plan: p.values}
	reason := fmt.Sprintf("The lineage called %s:%s %d times, from %s to %s.", e.source, e.name, len(list),
		list[0].time.Format(time.RFC3339), e.time.Format(time.RFC3339))
	if allUnclear(list) {
		reason += " The log does not tell whether the intruder or the owner made the calls."
	}
	if x.step != nil {
		c := &change{undo: &undo{call: x.call, object: x.object}, events: list}
		if a, err := p.action(c, s, *x.step, reason); err == nil {
			p.add(a)
			return
		}
	}
	todo := x.todo
	if todo == "" {
		todo = x.step.title
	}
	p.addAs(&Action{
		Phase: Recover, Mode: Manual, AccountID: e.accountID, Region: p.regionOf(e.source, e), Title: s.text(todo), Reason: reason,
		Risk: staysKnown, Evidence: eventIDs(list),
	}, x.call+" "+s.text("{"+x.object[0]+"}"))
}

// counts says whether an event is one of those that only and is ask for.
func (x *exposure) counts(e *event) bool {
	v, err := (&scope{event: e}).eval(x.only)
	if err != nil || v == nil {
		return false
	}
	if x.is != "" {
		return show(v) == x.is
	}
	return show(v) == "true"
}

// unknown names the writes that no table knows, so that none is passed over in
// silence: one action for an API in an account.
func (p *planner) unknown(events []*event) {
	byCall := map[string][]*event{}
	var order []string
	for _, e := range events {
		if e.readOnly || exposureTable[e.source+":"+e.name] != nil {
			continue
		}
		key := e.accountID + "\x00" + e.source + ":" + e.name
		if byCall[key] == nil {
			order = append(order, key)
		}
		byCall[key] = append(byCall[key], e)
	}
	slices.Sort(order)
	for _, key := range order {
		list := byCall[key]
		first, last := list[0], list[len(list)-1]
		regions := map[string]bool{}
		for _, e := range list {
			regions[e.region] = true
		}
		p.addAs(&Action{
			Phase: Recover, Mode: Manual, AccountID: last.accountID, Region: p.regionOf(last.source, last),
			Title: fmt.Sprintf("See what %s:%s changed, and undo it by hand", last.source, last.name),
			Reason: fmt.Sprintf("The lineage made %d such calls from %s to %s in %s. trailscan knows no inverse of this API; the events hold the parameters.",
				len(list), first.time.Format(time.RFC3339), last.time.Format(time.RFC3339), strings.Join(sortedKeys(regions), ", ")),
			Risk: "Unknown until someone looks.", Evidence: eventIDs(list),
		}, last.source+" "+last.name)
	}
}
