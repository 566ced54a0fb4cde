package lineage

import (
	"regexp"
	"strings"
)

// runtime is where a service runs what its customers bring: which services take
// the role of it, and how they name the sessions.
type runtime struct {
	services []string // as their principals are called, without .amazonaws.com; none: any service
	// The session of a run is named prefix and the id of the run. byName: the
	// workload itself is the run.
	prefix string
	byName bool
	names  *regexp.Regexp // of all sessions of the runtime; nil where they follow no rule
	byRole bool           // the ids of runs are not always in the names, so that the role is looked at too
}

// The names were taken from AWS's own examples and from published error messages:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html,
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html,
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup.html,
// https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html
var (
	instance   = &runtime{names: regexp.MustCompile(`^m?i-[0-9a-fA-F]{8,17}$`)}
	function   = &runtime{services: []string{"lambda"}, byName: true}
	task       = &runtime{services: []string{"ecs-tasks"}, names: regexp.MustCompile(`^[0-9a-f]{32}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)}
	build      = &runtime{services: []string{"codebuild"}, prefix: "AWSCodeBuild-", names: regexp.MustCompile(`^AWSCodeBuild-`)}
	automation = &runtime{services: []string{"ssm"}, prefix: "Automation-", names: regexp.MustCompile(`^Automation-`)}
	agentcore  = &runtime{services: []string{"bedrock-agentcore"}, prefix: "BedrockAgentCore-", names: regexp.MustCompile(`^BedrockAgentCore-`), byRole: true}
	glue       = &runtime{services: []string{"glue"}, names: regexp.MustCompile(`^GlueJobRunnerSession$`)}
	sagemaker  = &runtime{services: []string{"sagemaker"}, names: regexp.MustCompile(`^SageMaker$`)}
	stack      = &runtime{services: []string{"cloudformation"}, names: regexp.MustCompile(`^AWSCloudFormation$`)}
	airflow    = &runtime{services: []string{"airflow", "airflow-env"}, names: regexp.MustCompile(`^AmazonMWAA-airflow$`)}
	resolver   = &runtime{services: []string{"appsync"}, names: regexp.MustCompile(`^APPSYNC_ASSUME_ROLE$`)}
	// Theirs follow no rule: the log must show that the service took them.
	machine       = &runtime{services: []string{"states"}}
	apprunner     = &runtime{services: []string{"tasks.apprunner", "build.apprunner"}}
	scheduler     = &runtime{services: []string{"scheduler"}}
	pipe          = &runtime{services: []string{"pipes"}}
	eventRule     = &runtime{services: []string{"events"}}
	topicRule     = &runtime{services: []string{"iot"}}
	pipeline      = &runtime{services: []string{"codepipeline"}}
	deployment    = &runtime{services: []string{"codedeploy"}}
	agent         = &runtime{services: []string{"bedrock"}}
	amplify       = &runtime{services: []string{"amplify", "codebuild"}}
	imagebuilder  = &runtime{services: []string{"imagebuilder"}}
	datapipeline  = &runtime{services: []string{"datapipeline", "elasticmapreduce"}}
	cluster       = &runtime{services: []string{"elasticmapreduce"}}
	emrServerless = &runtime{services: []string{"emr-serverless"}}
	flink         = &runtime{services: []string{"kinesisanalytics"}}
	delivery      = &runtime{services: []string{"firehose"}}
)

// unique says that the id of a run belongs to one run alone, in any region.
func (r *runtime) unique() bool { return !r.byName }

// takes reports whether a service takes roles for the runtime.
func (r *runtime) takes(service string) bool {
	if len(r.services) == 0 {
		return service != ""
	}
	for _, s := range r.services {
		if s == service {
			return true
		}
	}
	return false
}

// of reports whether a session of a role is the runtime's: by its name, and by
// the service that took it, where it is known.
func (r *runtime) of(session, service string) bool {
	switch {
	case r.names == nil:
		return service != "" && r.takes(service)
	case !r.names.MatchString(session):
		return false
	}
	return service == "" || r.takes(service)
}

// shows is of for what the log shows of a session: that a service took it, or
// that it was used, through a service or not.
func (r *runtime) shows(session, service string, taken bool) bool {
	if !taken && r.names != nil {
		service = "" // what was used through another service is still the run's
	}
	return r.of(session, servicePrincipal(service))
}

var regionLabel = regexp.MustCompile(`\.[a-z]{2}(-[a-z]+)+-[0-9]$`)

// servicePrincipal is the name of a service in invokedBy, without the domain and
// the region that some carry.
func servicePrincipal(invokedBy string) string {
	s := strings.TrimSuffix(strings.TrimSuffix(invokedBy, ".cn"), ".amazonaws.com")
	return regionLabel.ReplaceAllString(s, "")
}
