package remediate

import (
	"regexp"
	"slices"
	"strings"

	"trailscan/lineage"
)

// instanceID is how EC2 names the sessions of an instance's role, and taskID the
// last part of the ARN of a task of ECS, which names its sessions.
var (
	instanceID = regexp.MustCompile(`(?i)^i-[0-9a-f]{8,17}$`)
	taskID     = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// computeServices are the sources of the calls by which a role comes to
// compute, as Credential.Via has them.
var computeServices = []string{"ec2", "lambda", "ecs", "ssm", "ec2-instance-connect", "autoscaling", "elasticmapreduce", "batch", "codebuild", "glue", "sagemaker",
	"cloudformation", "states", "apprunner", "events", "scheduler", "pipes", "iot", "codepipeline", "codedeploy", "amplify", "appsync", "airflow", "emr-serverless",
	"kinesisanalytics", "firehose", "bedrock", "bedrock-agentcore", "imagebuilder", "datapipeline"}

// stopWorkloads stops the compute of which the lineage had sessions: it mints
// them again, so that revoking its role alone holds for minutes. What the
// intruder made is removed later; what was there before is stopped, or cut off,
// so that it can go on.
func (p *planner) stopWorkloads() {
	seen := map[string]bool{}
	for _, h := range p.holders {
		if h.kind != "role" {
			continue
		}
		var rest []*lineage.Credential
		for _, c := range h.credentials {
			source, _ := splitCall(c.Via)
			runs := slices.Contains(computeServices, source)
			key := strings.Join([]string{h.account, c.SessionName, source}, " ")
			switch {
			case c.Kind != lineage.RoleSession && c.Kind != lineage.ServiceForwarded || c.SessionName == "":
			case instanceID.MatchString(c.SessionName):
				if !seen[c.SessionName] {
					p.stopInstance(h, c)
				}
				seen[c.SessionName] = true
			case seen[key]:
			case p.runsIn(c, "lambda"):
				p.stopFunction(h, c)
				seen[key] = true
			case taskID.MatchString(c.SessionName) && p.taskARN(c) != "":
				p.stopTask(h, c)
				seen[key] = true
			case runs:
				rest = append(rest, c)
				seen[key] = true
			}
		}
		if len(rest) > 0 {
			p.stopOthers(h, rest)
		}
	}
	p.stopChangedFunctions()
}

// stopChangedFunctions keeps functions whose code the lineage changed from
// running: the log shows no session of theirs, but the next call makes one.
func (p *planner) stopChangedFunctions() {
	for _, c := range p.stands {
		e := c.last()
		name, _ := dig(e.request, []string{"functionName"}).(string)
		name = functionName(name)
		if c.undo.call != "lambda:UpdateFunctionCode" && c.undo.call != "lambda:UpdateFunctionConfiguration" || name == "" ||
			p.created[subject{e.accountID, "function", name}] != nil || !p.evidence.accounts[e.accountID] {
			continue
		}
		a := p.haltFunction(&Action{
			AccountID: e.accountID, Region: e.region, Evidence: eventIDs(c.events),
			Reason: p.reason(c) + " Whoever calls the function, or what calls it by itself, runs the intruder's code as its role.",
			Risk:   "What the function does for its users stops until its concurrency is given back.",
		}, name)
		a.Mode = Review
		p.addAs(a, name)
	}
}

// event is the call that brought a workload's session into the lineage, or that
// issued the session; nil where the case lacks both.
func (p *planner) origin(c *lineage.Credential) *event {
	if e := p.evidence.issued[c.IssuedEventID]; e != nil {
		return e
	}
	return p.byEvent[c.IssuedEventID]
}

// runsIn says that a session is of a function, by the call that changed it or by
// the service that took the role.
func (p *planner) runsIn(c *lineage.Credential, service string) bool {
	source, _ := splitCall(c.Via)
	e := p.origin(c)
	return source == service || e != nil && strings.HasPrefix(e.invokedBy, service+".")
}

// regionOfWorkload is where a workload runs: where its role was taken, else
// where the lineage changed it, else where it made its own calls.
func (p *planner) regionOfWorkload(c *lineage.Credential) string {
	if e := p.origin(c); e != nil && e.region != "" {
		return e.region
	}
	for _, e := range p.lineage.Edges {
		if e.To == c.ID && p.byEvent[e.EventID] != nil {
			return p.byEvent[e.EventID].region
		}
	}
	for _, u := range c.Uses {
		if len(u.Regions) == 1 {
			return u.Regions[0]
		}
	}
	return ""
}

// workloadAction begins an action that stops what a session is of.
func (p *planner) workloadAction(h *holder, c *lineage.Credential, service, operation string, in map[string]any) *Action {
	a := &Action{
		Phase: Contain, Mode: Review, AccountID: h.account, Region: p.regionOfWorkload(c), Service: service, Operation: operation, Parameters: in,
		Reason: "The lineage had sessions of the role " + h.name + " through it (" + cmpVia(c) + "), and it is given new ones as long as it runs: revoking the role alone does not end that.",
	}
	who := &holder{}
	who.note(c.IssuedEventID)
	for _, id := range p.evidence.attempts[c.ID] {
		who.note(id)
	}
	for _, e := range p.lineage.Edges {
		if e.To == c.ID {
			who.note(e.EventID)
		}
	}
	if a.Evidence = who.evidence; len(a.Evidence) == 0 {
		a.Evidence = h.evidence
	}
	if a.Region == "" || !p.evidence.accounts[h.account] {
		a.Mode, a.Service, a.Operation, a.Parameters = Manual, "", "", nil
		a.Region = globalRegion(p.partition)
		a.Reason += " In which region, or whose account, the log does not show: find it, or tell its owner."
	}
	return a
}

func cmpVia(c *lineage.Credential) string {
	if c.Via == "" {
		return "its session " + c.SessionName
	}
	return c.Via
}

// started is the change by which the lineage started an instance.
func (p *planner) started(account, instance string) *change {
	for _, c := range p.stands {
		if c.undo.call == "ec2:RunInstances" && c.last().accountID == account && slices.Contains(c.elements, instance) {
			return c
		}
	}
	return nil
}

// stopInstance cuts an instance off from its role, then stops it; one that the
// intruder started is stopped at once.
func (p *planner) stopInstance(h *holder, c *lineage.Credential) {
	id := c.SessionName
	if own := p.started(h.account, id); own != nil {
		a := p.haltInstance(h, c)
		if a.Mode != Manual && !allUnclear(own.events) {
			a.Mode = Auto
		}
		a.Risk = ownersNone + " What runs on it stops; memory and instance stores are lost, so take snapshots first. A Spot instance refuses: terminate it."
		p.addAs(a, id+" stop")
		return
	}
	isolate := "Isolate it first if its memory is evidence: give its network interface a security group without rules (ec2 ModifyInstanceAttribute with Groups). "
	off := p.workloadAction(h, c, "ec2", "DisassociateIamInstanceProfile", map[string]any{"AssociationId": Item})
	off.Title = "Take the instance profile off the instance " + id
	off.Risk = "Software on the instance has no credentials until the profile is associated again (ec2 AssociateIamInstanceProfile; note its ARN first): a way back that the log does not hold. " + isolate + p.riskOfWorkload(h)
	if off.Mode != Manual {
		off.ForEach = &Read{Call{Service: "ec2", Operation: "DescribeIamInstanceProfileAssociations",
			Parameters: map[string]any{"Filters": []any{map[string]any{"Name": "instance-id", "Values": []any{id}}, map[string]any{"Name": "state", "Values": []any{"associated"}}}}},
			"IamInstanceProfileAssociations[].AssociationId"}
		off.Verify = []Check{{Read: *off.ForEach, Absent: true}}
	}
	p.addAs(off, id+" profile")

	stop := p.haltInstance(h, c)
	stop.Risk = "What runs on it stops; memory and instance stores are lost, so take snapshots and memory first. " + isolate + p.riskOfWorkload(h)
	p.addAs(stop, id+" stop")
}

// haltInstance is the call that stops an instance.
func (p *planner) haltInstance(h *holder, c *lineage.Credential) *Action {
	id := c.SessionName
	stop := p.workloadAction(h, c, "ec2", "StopInstances", map[string]any{"InstanceIds": []any{id}})
	stop.Title = "Stop the instance " + id
	if stop.Mode != Manual {
		same := map[string]any{"InstanceIds": []any{id}}
		stop.Rollback = []Call{{Service: "ec2", Operation: "StartInstances", Parameters: same}}
		stop.Verify = []Check{{Read: Read{Call{Service: "ec2", Operation: "DescribeInstances", Parameters: same},
			"Reservations[].Instances[?State.Name!='stopping' && State.Name!='stopped' && State.Name!='terminated'][].InstanceId | [0]"}, Absent: true}}
	}
	return stop
}

// stopFunction keeps a function from running; its code and its role stay.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (p *planner) stopFunction(h *holder, c *lineage.Credential) {
	name := c.SessionName
	a := p.workloadAction(h, c, "lambda", "PutFunctionConcurrency", nil)
	a.Title = "Keep the function " + name + " from running"
	a.Risk = "What the function does for its users stops until its concurrency is given back. " + p.riskOfWorkload(h)
	if a.Mode != Manual {
		a = p.haltFunction(a, name)
		if e := p.byEvent[c.IssuedEventID]; allUnclearUse(c) || e != nil && e.unclear {
			a.Mode = Review
			a.Reason += " The log does not tell whether the intruder or the owner changed it."
		}
	}
	p.addAs(a, name)
}

// haltFunction fills in the call that keeps a function from running.
func (p *planner) haltFunction(a *Action, name string) *Action {
	in := map[string]any{"FunctionName": name}
	with := func(n any) map[string]any {
		return map[string]any{"FunctionName": name, "ReservedConcurrentExecutions": n}
	}
	read := Read{Call{Service: "lambda", Operation: "GetFunctionConcurrency", Parameters: in}, "ReservedConcurrentExecutions"}
	a.Phase, a.Mode, a.Service, a.Operation, a.Parameters = Contain, Auto, "lambda", "PutFunctionConcurrency", with(0)
	a.Title = "Keep the function " + name + " from running"
	a.Verify = []Check{{Read: read, Equals: 0}}
	// Another value than the log's last is somebody's: look before it is lost.
	a.Expect = []Check{{Read: read, Absent: true}}
	a.Rollback = []Call{{Service: "lambda", Operation: "DeleteFunctionConcurrency", Parameters: in}}
	if n := p.concurrency(a.AccountID, a.Region, name); n != nil {
		a.Expect = []Check{{Read: read, Equals: n}}
		a.Rollback = []Call{{Service: "lambda", Operation: "PutFunctionConcurrency", Parameters: with(n)}}
	}
	return a
}

// allUnclearUse says that nothing a credential did is surely the intruder's.
func allUnclearUse(c *lineage.Credential) bool {
	return len(c.Uses) > 0 && !slices.ContainsFunc(c.Uses, func(u lineage.Use) bool { return u.Actor == lineage.Intruder })
}

// concurrency is the reserved concurrency of a function that the log shows last,
// nil for none.
func (p *planner) concurrency(account, region, name string) any {
	var n any
	for _, e := range p.evidence.throttled {
		of, _ := dig(e.request, []string{"functionName"}).(string)
		if e.accountID != account || e.region != region || functionName(of) != name {
			continue
		}
		n = nil
		if e.name == "PutFunctionConcurrency" {
			n = dig(e.request, []string{"reservedConcurrentExecutions"})
		}
	}
	return n
}

// functionName is the name of a function, out of its ARN or a part of it.
func functionName(text string) string {
	if _, name, ok := strings.Cut(text, "function:"); ok {
		text = name
	}
	name, _, _ := strings.Cut(text, ":")
	return name
}

// taskARN is the task of ECS that a session is of, where the call that started
// it is in the case.
func (p *planner) taskARN(c *lineage.Credential) string {
	for _, e := range p.history["ecs:RunTask"] {
		if arn := taskIn(e, c.SessionName); arn != "" {
			return arn
		}
	}
	for _, e := range p.history["ecs:StartTask"] {
		if arn := taskIn(e, c.SessionName); arn != "" {
			return arn
		}
	}
	return ""
}

func taskIn(e *event, id string) string {
	tasks, _ := dig(e.response, []string{"tasks"}).([]any)
	for _, t := range tasks {
		if arn, _ := dig(t, []string{"taskArn"}).(string); strings.HasSuffix(arn, "/"+id) {
			return arn
		}
	}
	return ""
}

// stopTask ends a task of ECS, which does not start again by itself.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
func (p *planner) stopTask(h *holder, c *lineage.Credential) {
	arn := p.taskARN(c)
	in := map[string]any{"Task": arn}
	where, _ := parseARN(arn)
	if parts := strings.Split(where.resource, "/"); len(parts) == 3 {
		in["Cluster"] = parts[1]
	}
	a := p.workloadAction(h, c, "ecs", "StopTask", in)
	a.Title = "Stop the task " + arn
	a.Risk = "Final: a task does not start again, and its storage is lost. A service starts another in its place: scale that to nothing first. " + p.riskOfWorkload(h)
	if a.Mode != Manual {
		if where.region != "" {
			a.Region = where.region
		}
		read := map[string]any{"Tasks": []any{arn}}
		if in["Cluster"] != nil {
			read["Cluster"] = in["Cluster"]
		}
		a.Verify = []Check{{Read: Read{Call{Service: "ecs", Operation: "DescribeTasks", Parameters: read}, "tasks[?desiredStatus!='STOPPED'].taskArn | [0]"}, Absent: true}}
		a.Verify[0].Path = "Tasks[?DesiredStatus!='STOPPED'].TaskArn | [0]"
	}
	p.addAs(a, lastSegment(arn))
}

// stopOthers names compute that the lineage reached and that no one call stops.
func (p *planner) stopOthers(h *holder, sessions []*lineage.Credential) {
	var by, evidence []string
	for _, c := range sessions {
		by = appendNew(by, cmpVia(c)+" (session "+c.SessionName+")")
		evidence = append(evidence, c.IssuedEventID)
		evidence = append(evidence, p.evidence.attempts[c.ID]...)
	}
	slices.Sort(by)
	evidence = slices.DeleteFunc(evidence, func(id string) bool { return id == "" })
	who := &holder{subject: h.subject, arn: h.arn, evidence: unique(evidence)}
	if len(who.evidence) == 0 {
		who.evidence = h.evidence
	}
	p.byHand(who, Contain, "Stop what runs as the role "+h.name+": "+someOf(by),
		"It is given new sessions as long as it runs, so that revoking the role alone does not end that. Stop the job, build, stack or notebook, and what starts it again (schedules, triggers, desired counts), before its role is revoked. "+p.riskOfWorkload(h))
}
