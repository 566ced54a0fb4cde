package rules

import "time"

// lateralMovement are the rules about going from one identity or account to
// another.
func lateralMovement() []Rule {
	return []Rule{
		{
			ID:             "TS-LM-001",
			Title:          "SSH key pushed to an instance's serial console",
			Severity:       High,
			Tactic:         "lateral-movement",
			Techniques:     []string{"T1021.004"},
			Where:          `event_source = 'ec2-instance-connect.amazonaws.com' AND event_name = 'SendSerialConsoleSSHPublicKey'`,
			Resource:       param("instanceId"),
			Explain:        `A shell past every security group. Switch serial console access off and take the instances' roles for stolen.`,
			FalsePositives: `An administrator who repairs an instance that does not boot.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-serial-console.html",
		},
		{
			// Medium: in many accounts it is how people log in.
			ID:             "TS-LM-001b",
			Title:          "SSH key pushed to an instance",
			Severity:       Medium,
			Tactic:         "lateral-movement",
			Techniques:     []string{"T1021.004"},
			Where:          `event_source = 'ec2-instance-connect.amazonaws.com' AND event_name IN ('SendSSHPublicKey', 'OpenTunnel')`,
			Resource:       param("instanceId"),
			Explain:        `The caller could log in for a minute, and stay. The instance's role and what lies on its disk may be known to them now.`,
			FalsePositives: `Administrators who log in with Instance Connect.`,
			Reference:      "https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html",
		},
		{
			ID:             "TS-LM-001c",
			Title:          "SSH keys pushed to several instances",
			Severity:       High,
			Tactic:         "lateral-movement",
			Techniques:     []string{"T1021.004"},
			Where:          `event_source = 'ec2-instance-connect.amazonaws.com' AND event_name IN ('SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey', 'OpenTunnel')`,
			Resource:       param("instanceId"),
			Explain:        `The caller went from instance to instance. Take the roles of all of them for stolen.`,
			FalsePositives: `Administrators who look after a fleet with Instance Connect.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-linux-inst-eic.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: param("instanceId"), Count: 3, Window: time.Hour},
		},
		{
			ID:         "TS-LM-002",
			Title:      "Disk attached to an instance by somebody who never did",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1578"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'AttachVolume'
            AND ` + byCaller + ` AND NOT ` + byService,
			Resource:       param("volumeId"),
			Explain:        `A disk, or a copy of one, can be read on another machine past all that its own system guards. See where the volume comes from.`,
			FalsePositives: `A new administrator, and the storage driver of a new cluster.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			// Low: clusters attach disks all day.
			ID:         "TS-LM-002b",
			Title:      "Disk attached or detached, or made from a snapshot",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1578"},
			Where: `event_source = 'ec2.amazonaws.com' AND NOT ` + byService + `
            AND (event_name IN ('AttachVolume', 'DetachVolume')
                OR event_name = 'CreateVolume' AND ` + param("snapshotId") + ` LIKE 'snap-%')`,
			Resource:       param("volumeId", "snapshotId"),
			Explain:        `How a disk goes from one machine to another. Follow the volume.`,
			FalsePositives: `Storage drivers of clusters, and backups that are tried.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-attaching-volume.html",
		},
		{
			ID:         "TS-LM-003",
			Title:      "Notifications sent, subscribed to or set up by somebody who never did",
			Severity:   Low,
			Tactic:     "lateral-movement",
			Techniques: []string{"T1534"},
			Where: `event_source = 'sns.amazonaws.com' AND event_name IN ('Subscribe', 'CreateTopic', 'Publish', 'PublishBatch')
            AND ` + byCaller + ` AND NOT ` + byService,
			Needs:          ManagementWrite,
			Resource:       param("topicArn", "phoneNumber", "name"),
			Explain:        `Messages in the company's name, or a copy of every message to an address outside. Look at the endpoint of the subscription.`,
			FalsePositives: `A new program or administrator.`,
			Reference:      "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{actingPrincipal, "event_name", `coalesce(` + param("protocol") + `, '')`},
				Learn: 7 * day,
			},
		},
		{
			ID:         "TS-LM-004",
			Title:      "Role taken in the console, with a web identity or across accounts",
			Severity:   Low,
			Tactic:     "lateral-movement",
			Techniques: []string{"T1550.001"},
			Where: `(event_source = 'signin.amazonaws.com' AND event_name = 'SwitchRole'
                OR event_source = 'sts.amazonaws.com' AND event_name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML')
                OR event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
                    AND identity_account_id <> nullif(regexp_extract(` + assumedRole + `, ':([0-9]{12}):role/', 1), ''))`,
			Resource:       `coalesce(json_extract_scalar(additional_event_data, '$.SwitchTo'), json_extract_scalar(additional_event_data, '$.RedirectTo'), ` + assumedRole + `)`,
			Explain:        `Somebody became another identity. Follow the session: revoking means a deny at the role, not at the key.`,
			FalsePositives: `Single sign-on, pipelines and clusters.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
		},
	}
}
