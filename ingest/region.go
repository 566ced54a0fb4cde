package ingest

import (
	"regexp"
	"slices"
)

// regions are AWS's, by partition. There is no API that lists them without a
// permission of its own, and the SDK keeps its list to itself.
//
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var regions = map[string][]string{
	"aws": {
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
		"ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
		"eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	},
	"aws-cn":     {"cn-north-1", "cn-northwest-1"},
	"aws-eusc":   {"eusc-de-east-1"},
	"aws-iso":    {"us-iso-east-1", "us-iso-west-1"},
	"aws-iso-b":  {"us-isob-east-1", "us-isob-west-1"},
	"aws-iso-e":  {"eu-isoe-west-1"},
	"aws-iso-f":  {"us-isof-east-1", "us-isof-south-1"},
	"aws-us-gov": {"us-gov-east-1", "us-gov-west-1"},
}

// KnownRegion says whether AWS has a region of this name, as far as this
// release knows.
func KnownRegion(name string) bool {
	for _, names := range regions {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// Regions are the names of AWS's regions, as far as this release knows, sorted.
func Regions() []string {
	var all []string
	for _, names := range regions {
		all = append(all, names...)
	}
	slices.Sort(all)
	return all
}

var regionShape = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// IsAccountID says whether text is the twelve digits of an AWS account.
func IsAccountID(text string) bool { return len(text) == 12 && isDigits(text) }

func isDigits(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
