package rules

import "time"

// Calls that start machines.
const (
	launches = `event_source IN ('ec2.amazonaws.com', 'autoscaling.amazonaws.com')
            AND event_name IN ('RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet', 'CreateAutoScalingGroup', 'UpdateAutoScalingGroup')`

	instanceType = `lower(coalesce(json_extract_scalar(request_parameters, '$.instanceType'), json_extract_scalar(request_parameters, '$.instanceType.value'),
                json_extract_scalar(request_parameters, '$.launchSpecification.instanceType'),
                json_extract_scalar(response_elements, '$.instancesSet.items[0].instanceType'),
                nullif(regexp_extract(request_parameters, '"[iI]nstanceType":"([^"]+)"', 1), '')))`

	imageID = `coalesce(json_extract_scalar(request_parameters, '$.instancesSet.items[0].imageId'), json_extract_scalar(request_parameters, '$.launchSpecification.imageId'),
                json_extract_scalar(response_elements, '$.instancesSet.items[0].imageId'))`

	startedInstance = `coalesce(json_extract_scalar(response_elements, '$.instancesSet.items[0].instanceId'), json_extract_scalar(request_parameters, '$.instanceId'),
                json_extract_scalar(request_parameters, '$.instancesSet.items[0].instanceId'), json_extract_scalar(request_parameters, '$.autoScalingGroupName'),
                ` + instanceType + `)`

	// coreCount is about how many virtual CPUs a call asks for. A size of N xlarge has
	// four times N, metal all of a host; smaller ones have one or two.
	// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cpu-options-supported-instances-values.html
	coreCount = `try(CAST(coalesce(json_extract_scalar(request_parameters, '$.instancesSet.items[0].maxCount'), json_extract_scalar(request_parameters, '$.instanceCount'),
                json_extract_scalar(request_parameters, '$.CreateFleetRequest.TargetCapacitySpecification.TotalTargetCapacity'),
                json_extract_scalar(request_parameters, '$.spotFleetRequestConfig.targetCapacity'),
                json_extract_scalar(request_parameters, '$.desiredCapacity'), json_extract_scalar(request_parameters, '$.minSize'), '1') AS DOUBLE))
                * CASE WHEN regexp_like(` + instanceType + `, '\.(?:metal-)?[0-9]+xl')
                        THEN 4 * try(CAST(regexp_extract(` + instanceType + `, '\.(?:metal-)?([0-9]+)xl', 1) AS DOUBLE))
                    WHEN ` + instanceType + ` LIKE '%.metal' THEN 96
                    WHEN ` + instanceType + ` LIKE '%.xlarge' THEN 4
                    ELSE 2 END`

	userDataChange = `event_source = 'ec2.amazonaws.com' AND event_name = 'ModifyInstanceAttribute'
            AND (json_extract_scalar(request_parameters, '$.userData') IS NOT NULL
                OR json_format(json_extract(request_parameters, '$.userData')) <> 'null'
                OR json_extract_scalar(request_parameters, '$.attribute') = 'userData')`

	oneInstance = `coalesce(json_extract_scalar(request_parameters, '$.instanceId'), json_extract_scalar(request_parameters, '$.instancesSet.items[0].instanceId'))`
)

// instances are about virtual machines: what runs at their start, and which are
// started.
func instances() []Rule {
	return []Rule{
		{
			ID:             "TS-EX-008",
			Title:          "Start-up script of an instance changed",
			Severity:       High,
			Tactic:         "execution",
			Techniques:     []string{"T1059"},
			Where:          userDataChange,
			Resource:       param("instanceId"),
			Explain:        `What stands in the user data runs as root at a start of the instance. The log hides it: read it with DescribeInstanceAttribute before it is changed again.`,
			FalsePositives: `Infrastructure as code that edits user data in place.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
		},
		{
			ID:             "TS-EX-009",
			Title:          "Instance stopped, given another start-up script and started",
			Severity:       High,
			Tactic:         "execution",
			Techniques:     []string{"T1059"},
			Where:          `event_source = 'ec2.amazonaws.com' AND outcome = 'success'`,
			Resource:       oneInstance,
			Explain:        `The new script has run as root. Take the instance's role for stolen and look at what it did since the start.`,
			FalsePositives: `Infrastructure as code that replaces user data without replacing the instance.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'StopInstances'`, On: oneInstance},
					{Where: userDataChange, On: oneInstance},
					{Where: `event_name = 'StartInstances'`, On: oneInstance},
				},
				Within: 2 * time.Hour,
			},
		},
		{
			// Info: nights and weekends do the same.
			ID:             "TS-EX-009b",
			Title:          "Instance stopped",
			Severity:       Info,
			Tactic:         "impact",
			Techniques:     []string{"T1489"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name = 'StopInstances' AND NOT ` + byService,
			Resource:       oneInstance,
			Explain:        `For the record: an instance must stand still before its start-up script can be changed or its disk taken elsewhere.`,
			FalsePositives: `Schedules that save money, and maintenance.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html",
		},
		{
			ID:             "TS-EX-020",
			Title:          "Instances started by somebody who never did",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1578.002"},
			Where:          launches + "\n            AND invoked_by IS NULL AND NOT " + byService,
			Resource:       startedInstance,
			Explain:        `Machines of the caller's choice in this account. Look at image, size, user data and instance profile, and at the other regions.`,
			FalsePositives: `A new administrator or pipeline.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			ID:         "TS-EX-020b",
			Title:      "Very large, bare-metal or GPU instance started",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496.001", "T1578.002"},
			Where: launches + `
            AND invoked_by IS NULL AND NOT ` + byService + `
            AND regexp_like(` + instanceType + `, '^(?:p[0-9]|g[0-9]|trn|inf|dl[0-9]|vt|f[0-9]|hpc|u-|u[0-9]|x[0-9])|\.metal|\.(?:1[2-9]|[2-9][0-9]|[0-9]{3})xlarge$')`,
			Resource:       startedInstance,
			Explain:        `What miners and model thieves take. The bill runs by the second: stop the instance after you kept its disk, and look at all regions.`,
			FalsePositives: `Teams that train models or compute at scale.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-types.html",
		},
		{
			// Low: teams try new types all the time.
			ID:             "TS-EX-020c",
			Title:          "Instance of a type or an image that the account never used",
			Severity:       Low,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1578.002"},
			Where:          launches + "\n            AND invoked_by IS NULL AND NOT " + byService,
			Resource:       startedInstance,
			Explain:        `Neither size nor image is what runs here. An image of an unknown owner brings its own programs.`,
			FalsePositives: `New images at every deployment, where a build makes them.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{instanceType, imageID}, Learn: 7 * day},
		},
		{
			// Low: web servers and developers' machines have one.
			ID:         "TS-EX-020e",
			Title:      "Instance started with a public address",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1578.002"},
			Where: launches + `
            AND invoked_by IS NULL AND NOT ` + byService + `
            AND regexp_like(coalesce(request_parameters, ''), '(?i)"associatePublicIpAddress":"?true')`,
			Resource:       startedInstance,
			Explain:        `The machine can be reached from the internet as far as its security groups allow. Look at those, and at what runs there.`,
			FalsePositives: `Machines that serve the internet.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
		},
		{
			// Info: the daily life of a fleet.
			ID:         "TS-EX-020d",
			Title:      "Instances started, changed or ended",
			Severity:   Info,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1578"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('RunInstances', 'StartInstances', 'StopInstances', 'TerminateInstances', 'RebootInstances', 'ModifyInstanceAttribute',
                'RequestSpotInstances', 'CreateFleet', 'CreateImage', 'CreateVolume', 'AttachVolume', 'DetachVolume', 'DeleteVolume')
            AND invoked_by IS NULL AND NOT ` + byService,
			Resource:       `coalesce(` + oneInstance + `, ` + startedInstance + `)`,
			Explain:        `Every change of virtual machines by people and pipelines, for the record.`,
			FalsePositives: `Everyday operation.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
		},
		{
			ID:             "TS-EX-021",
			Title:          "Hundreds of cores started within hours",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1496.001"},
			Where:          launches + "\n            AND outcome = 'success' AND NOT " + byService + " AND NOT " + byStack,
			Resource:       startedInstance,
			Explain:        `Computing at this scale by one caller is how coins are mined on a stolen key. Stop the machines in every region and set a service quota.`,
			FalsePositives: `Batch computing and load tests.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html",
			Threshold:      &Threshold{By: []string{"account_id", actingPrincipal}, Sum: coreCount, Count: 800, Window: 8 * time.Hour},
		},
		{
			ID:             "TS-EX-021b",
			Title:          "Instances started in several regions within an hour",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1496.001"},
			Where:          launches + "\n            AND invoked_by IS NULL AND NOT " + byService,
			Resource:       startedInstance,
			Explain:        `One caller tries region after region, as far as the quotas go. Look at all of them, and switch off those that nobody uses.`,
			FalsePositives: `Deployments that serve the whole world.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
			Threshold:      &Threshold{By: []string{"account_id", actingPrincipal}, Distinct: "aws_region", Count: 4, Window: time.Hour},
		},
		{
			ID:             "TS-EX-022",
			Title:          "Attempt to start instances denied",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1059.009", "T1578.002"},
			Where:          launches + "\n            AND NOT " + byService,
			Resource:       instanceType,
			Explain:        `Somebody tried to start machines and was not allowed to. A leaked key is often tried so first: see what else the caller did.`,
			FalsePositives: `A pipeline whose role lacks a right.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
			Outcomes:       []Outcome{Denied},
		},
	}
}

// batchOverride is a job that does something else than its definition says.
const batchOverride = `event_source = 'batch.amazonaws.com' AND event_name = 'SubmitJob' AND NOT ` + byService + `
            AND regexp_like(coalesce(request_parameters, ''), '"(?:containerOverrides|nodeOverrides|eksPropertiesOverride|ecsPropertiesOverride)":\{')`

// containers are about tasks and jobs.
func containers() []Rule {
	return []Rule{
		{
			ID:             "TS-EX-018",
			Title:          "Batch job with a command of its own submitted by somebody who never did",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1610"},
			Where:          batchOverride,
			Resource:       param("jobDefinition", "jobName"),
			Explain:        `The job runs the caller's command with the definition's role. Read the override and look at what the role did.`,
			FalsePositives: `A new user of Batch.`,
			Reference:      "https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			// Info: what pipelines of jobs do all day.
			ID:         "TS-EX-018b",
			Title:      "Batch job with a command of its own submitted",
			Severity:   Info,
			Tactic:     "execution",
			Techniques: []string{"T1610"},
			Where: batchOverride + `
            AND invoked_by IS NULL`,
			Resource:       param("jobDefinition", "jobName"),
			Explain:        `For the record: the job runs the caller's command or settings with the definition's role.`,
			FalsePositives: `Pipelines of jobs.`,
			Reference:      "https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html",
		},
		{
			ID:         "TS-EX-019",
			Title:      "Container task run by somebody who never did",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1610"},
			Where: `event_source = 'ecs.amazonaws.com' AND event_name IN ('RunTask', 'StartTask', 'CreateService')
            AND invoked_by IS NULL AND NOT ` + byService,
			Resource:       param("taskDefinition", "serviceName"),
			Explain:        `Containers run under the task's role. Look at the image, the command and the role of the definition.`,
			FalsePositives: `A new pipeline or scheduler.`,
			Reference:      "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			// Info: how applications are deployed and scheduled.
			ID:         "TS-EX-019c",
			Title:      "Container task or service run",
			Severity:   Info,
			Tactic:     "execution",
			Techniques: []string{"T1610"},
			Where: `event_source = 'ecs.amazonaws.com' AND event_name IN ('RunTask', 'StartTask', 'CreateService', 'RegisterTaskDefinition')
            AND invoked_by IS NULL AND NOT ` + byService,
			Resource:       param("taskDefinition", "serviceName", "family"),
			Explain:        `For the record: containers run under the task's role.`,
			FalsePositives: `Deployments and schedules.`,
			Reference:      "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html",
		},
		{
			ID:         "TS-EX-019b",
			Title:      "Container defined to mine, to steal credentials or to fetch programs",
			Severity:   High,
			Tactic:     "execution",
			Techniques: []string{"T1610", "T1552.005"},
			Where: `event_source IN ('ecs.amazonaws.com', 'batch.amazonaws.com')
            AND event_name IN ('RegisterTaskDefinition', 'RunTask', 'StartTask', 'RegisterJobDefinition', 'SubmitJob')
            AND regexp_like(coalesce(request_parameters, ''), '` + downloads + `|(?i)xmr|monero|minerd|cpuminer|nicehash|ethminer|cryptonight')`,
			Resource:       param("family", "taskDefinition", "jobDefinitionName", "jobDefinition"),
			Explain:        `The command or the image says so. Deregister the definition, stop its tasks and take the task role for stolen.`,
			FalsePositives: `Images whose command fetches its own configuration.`,
			Reference:      "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html",
		},
	}
}
