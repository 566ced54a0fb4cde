package remediate

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// undoAll writes the steps for each change: first what starts or makes things
// again, then the newest first, so that what depends on something goes before
// it, and what others are in (users, roles, groups, policies) at the end.
func (p *planner) undoAll(standing []*change) {
	ordered := slices.Clone(standing)
	slices.SortStableFunc(ordered, func(a, b *change) int {
		if ra, rb := evictionRank(a), evictionRank(b); ra != rb {
			return ra - rb
		}
		return b.last().time.Compare(a.last().time)
	})
	for _, c := range ordered {
		p.undo(c)
	}
	p.byPhase[Preserve] = recorderInOrder(p.byPhase[Preserve])
	// Logs come first: they must see the rest. None of them waits for a review.
	slices.SortStableFunc(p.byPhase[Preserve], func(a, b *Action) int {
		return cmp.Compare(boolRank(a.Mode != Auto), boolRank(b.Mode != Auto))
	})
}

// recorderInOrder has AWS Config's recorder made before its delivery channel, and
// started after it: AWS refuses the other way round
// (https://docs.aws.amazon.com/config/latest/APIReference/API_PutDeliveryChannel.html).
func recorderInOrder(list []*Action) []*Action {
	order := []string{"PutConfigurationRecorder", "PutDeliveryChannel", "StartConfigurationRecorder"}
	rank := func(a *Action) int {
		if a.Service != "configservice" {
			return -1
		}
		return slices.Index(order, a.Operation)
	}
	var places []int
	var config []*Action
	for i, a := range list {
		if rank(a) >= 0 {
			places, config = append(places, i), append(config, a)
		}
	}
	slices.SortStableFunc(config, func(a, b *Action) int { return rank(a) - rank(b) })
	out := slices.Clone(list)
	for i, a := range config {
		for _, before := range config[:i] {
			if before.AccountID != a.AccountID || before.Region != a.Region || rank(before) == rank(a) || slices.Contains(a.DependsOn, before.ID) {
				continue
			}
			a.DependsOn = append(a.DependsOn, before.ID)
			if before.Mode != Auto && a.Mode == Auto {
				a.Mode = Review
			}
		}
		out[places[i]] = a
	}
	return out
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// recreators begin the calls that bring back, or call, what is removed while
// they stand: deployments and what they deploy to, schedules and events, what
// keeps a number of instances or tasks running, and ways to start functions.
// The outermost come first: a stack set makes stacks, a stack makes rules.
var recreators = [][]string{
	{"cloudformation:CreateStackSet", "cloudformation:CreateStackInstances", "cloudformation:UpdateStackSet"},
	{"cloudformation:", "servicecatalog:", "codepipeline:", "codedeploy:", "codebuild:CreateProject", "codebuild:UpdateProject", "codebuild:CreateWebhook", "amplify:"},
	{"events:", "scheduler:", "pipes:", "states:", "datapipeline:", "glue:CreateTrigger", "glue:StartTrigger", "airflow:", "iot:CreateTopicRule", "iot:ReplaceTopicRule",
		"config:PutConfigRule", "config:PutRemediationConfigurations", "ssm:CreateAssociation", "ssm:UpdateAssociation", "ssm:CreateMaintenanceWindow",
		"ssm:RegisterTaskWithMaintenanceWindow", "s3:PutBucketNotification", "sns:Subscribe", "logs:PutSubscriptionFilter", "cognito-idp:UpdateUserPool"},
	{"autoscaling:", "ec2:CreateFleet", "ec2:RequestSpotFleet", "ec2:RequestSpotInstances", "ec2:CreateLaunchTemplate", "ec2:ModifyLaunchTemplate",
		"ecs:CreateService", "ecs:UpdateService", "batch:", "elasticmapreduce:", "elasticbeanstalk:", "gamelift:", "eks:CreateNodegroup", "eks:CreateFargateProfile"},
	{"lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig", "lambda:AddPermission", "lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping",
		"apigateway:", "appsync:"},
}

// evictionRank is where a change stands in the order of eviction: what brings
// things back, all else, containers of IAM.
func evictionRank(c *change) int {
	for i, calls := range recreators {
		if slices.ContainsFunc(calls, func(prefix string) bool { return strings.HasPrefix(c.undo.call, prefix) }) {
			return i - len(recreators)
		}
	}
	return 1 + slices.Index([]string{"user", "role", "instance profile", "group", "policy", "identity provider"}, c.undo.creates)
}

// urgentFirst puts what runs out at the top of its phase, the most urgent first,
// and before each what it waits for in that phase, which is then as urgent. Logs
// that are switched on again stay above all else.
func (p *planner) urgentFirst() {
	for phase, list := range p.byPhase {
		byID := map[string]*Action{}
		for _, a := range list {
			byID[a.ID] = a
		}
		due := map[string]time.Time{}
		var hurry func(a *Action, at time.Time)
		hurry = func(a *Action, at time.Time) {
			if old, seen := due[a.ID]; seen && !at.Before(old) {
				return
			}
			due[a.ID] = at
			for _, d := range a.DependsOn {
				if before := byID[d]; before != nil {
					hurry(before, at)
				}
			}
		}
		for _, a := range list {
			if a.Deadline != nil {
				hurry(a, *a.Deadline)
			}
		}
		slices.SortStableFunc(list, func(a, b *Action) int {
			if phase == Preserve && (a.Mode == Auto) != (b.Mode == Auto) {
				return cmp.Compare(boolRank(a.Mode != Auto), boolRank(b.Mode != Auto))
			}
			ta, hasA := due[a.ID]
			tb, hasB := due[b.ID]
			if hasA && hasB {
				return ta.Compare(tb)
			}
			return cmp.Compare(boolRank(!hasA), boolRank(!hasB))
		})
	}
}
