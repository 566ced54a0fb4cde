package rules

import "time"

// Calls of Systems Manager that run something on machines. What a command says
// is hidden in the log of SendCommand, and stands in those of documents and
// associations.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudtrail-logs.html
const (
	ssmCommand = `event_source = 'ssm.amazonaws.com' AND event_name = 'SendCommand'
            AND NOT ` + byService
	ssmSession = `event_source = 'ssm.amazonaws.com' AND event_name IN ('StartSession', 'ResumeSession')`

	// shellDocument names AWS's documents that run any command.
	shellDocument = `regexp_like(coalesce(json_extract_scalar(request_parameters, '$.documentName'), json_extract_scalar(request_parameters, '$.name'), ''),
                '(?:^|/)AWS-(?:RunShellScript|RunPowerShellScript|RunRemoteScript|RunSaltState|RunAnsiblePlaybook|ApplyAnsiblePlaybooks|InstallApplication|RunDocument)$')`

	// downloads is what commands of droppers say: fetch and run, decode and run,
	// a shell on a socket.
	// In the text of a request a line break is \n, which hides a word's beginning.
	downloads = `(?i)(?:(?:\b|\\[nrt])(?:(?:curl|wget|fetch)\b[^|;]{0,300}(?:\|\s*|\\u007c\s*)(?:sudo\s+)?(?:/(?:usr/)?bin/)?(?:(?:ba|z|da|k)?sh|python[0-9.]*|perl|ruby|php|node)\b|(?:curl|wget)\b.{0,300}(?:https?:|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b).{0,300}(?:chmod|/tmp/|/dev/shm/|(?:&&|;|\\n)\s*(?:sudo\s+)?(?:(?:ba|z|da|k)?sh\b|python|perl\b|\./))|(?:(?:(?:ba|z|da|k)?sh|eval|source)\b[^|;]{0,20}|\.\s)(?:<\(|\$\(|\x60)\s*(?:curl|wget)\b|(?:nc|ncat|netcat)\b\s+(?:-[a-z]*e|[^"]{0,80}/bin/)|socat\b|mkfifo\b.{0,200}\b(?:nc|ncat|netcat|openssl|telnet)\b|base64\s+(?:-d|-D|--decode)|(?:python|perl|ruby|php)[0-9.]*\s+-[cer]\b|powershell[^"]{0,80}-e(?:nc|ncodedcommand)?\b|IEX\b|Invoke-(?:Expression|WebRequest)|certutil[^"]{0,80}-urlcache)|/dev/(?:tcp|udp)/|DownloadString|bitsadmin|mshta|regsvr32|xmrig|stratum\+(?:tcp|ssl)|169\.254\.169\.254|169\.254\.170\.2|AWS_CONTAINER_CREDENTIALS)`

	// fetches is what commands say that fetch over an unprotected line or from a
	// bare address, speak to one, or wrap what they hold.
	fetches = `(?i)(?:\b|\\[nrt])(?:(?:curl|wget|fetch|aria2c)\b.{0,300}(?:\bhttp://[^/\s"]*\.[a-z]|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b)|(?:nc|ncat|netcat|telnet)\b\s[^"]{0,80}\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|base64\b)`

	ssmTarget = `coalesce(json_extract_scalar(request_parameters, '$.instanceIds[0]'), json_extract_scalar(request_parameters, '$.targets[0].values[0]'),
                json_extract_scalar(request_parameters, '$.target'))`
)

// systemsManager are about commands, sessions and documents of Systems Manager.
func systemsManager() []Rule {
	return []Rule{
		{
			ID:             "TS-EX-001",
			Title:          "Shell command sent to instances with Systems Manager",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1651"},
			Where:          ssmCommand + "\n            AND " + shellDocument,
			Resource:       ssmTarget,
			Explain:        `Commands ran as root on the instances. The log hides what they said: get the command's output and the instance's history, and treat the instance's role as known to the caller.`,
			FalsePositives: `Administrators and deployment tools that run scripts on instances.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
		},
		{
			// Low: patching and inventory go this way.
			ID:         "TS-EX-001b",
			Title:      "Command or association sent to instances with Systems Manager",
			Severity:   Low,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com'
            AND event_name IN ('SendCommand', 'CreateAssociation', 'CreateAssociationBatch', 'UpdateAssociation', 'StartAutomationExecution')
            AND NOT ` + byService,
			Resource:       `coalesce(` + ssmTarget + `, ` + param("documentName", "name") + `)`,
			Explain:        `Something runs on managed instances, an association again and again. Look at the document.`,
			FalsePositives: `Patching, inventory and agents' updates.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html",
		},
		{
			ID:         "TS-EX-002",
			Title:      "Command that downloads and runs, in a Systems Manager document or command",
			Severity:   High,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com'
            AND event_name IN ('SendCommand', 'CreateAssociation', 'UpdateAssociation', 'CreateDocument', 'UpdateDocument', 'StartAutomationExecution')
            AND regexp_like(coalesce(request_parameters, ''), '` + downloads + `')`,
			Resource:       `coalesce(` + ssmTarget + `, ` + param("documentName", "name") + `)`,
			Explain:        `The text fetches something and runs it, opens a shell to elsewhere or asks for credentials. Isolate the instances that ran it before you stop them.`,
			FalsePositives: `Documents that install an agent with a vendor's one-line installer.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html",
		},
		{
			ID:         "TS-EX-002b",
			Title:      "Command that fetches or unwraps something, in a Systems Manager document or command",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com'
            AND event_name IN ('SendCommand', 'CreateAssociation', 'UpdateAssociation', 'CreateDocument', 'UpdateDocument', 'StartAutomationExecution')
            AND regexp_like(coalesce(request_parameters, ''), '` + fetches + `')`,
			Resource:       `coalesce(` + ssmTarget + `, ` + param("documentName", "name") + `)`,
			Explain:        `Programs come over protected lines from names; here something comes from a bare address or in a wrapping. Read the whole text and look at what was fetched.`,
			FalsePositives: `Documents that fetch from a mirror within the network or pass settings in Base64.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html",
		},
		{
			ID:             "TS-EX-003",
			Title:          "One command sent to many instances",
			Severity:       High,
			Tactic:         "execution",
			Techniques:     []string{"T1651"},
			Where:          ssmCommand + "\n            AND regexp_like(request_parameters, '\"instanceIds\":\\[(?:\"[^\"]*\",){2,}\"|\"values\":\\[(?:\"[^\"]*\",){2,}\"|\"key\":\"InstanceIds\",\"values\":\\[\"\\*\"|\"values\":\\[\"\\*\"\\],\"key\":\"InstanceIds\"')",
			Resource:       ssmTarget,
			Explain:        `Three or more instances, or all of them, ran the same command. Each instance's role may be known to the caller now.`,
			FalsePositives: `Administrators who patch or configure a fleet by hand.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html",
		},
		{
			ID:             "TS-EX-003b",
			Title:          "Commands sent to one instance after another",
			Severity:       High,
			Tactic:         "execution",
			Techniques:     []string{"T1651"},
			Where:          ssmCommand,
			Resource:       ssmTarget,
			Explain:        `The caller went from instance to instance. Each instance's role may be known to them now.`,
			FalsePositives: `Scripts of administrators that loop over a fleet.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: ssmTarget, Count: 3, Window: time.Hour},
		},
		{
			ID:             "TS-EX-004",
			Title:          "Shell opened with Session Manager by somebody who never did",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1651", "T1021.007"},
			Where:          ssmSession,
			Resource:       param("target", "sessionId"),
			Explain:        `A shell on the instance without a key or an open port, with its role's credentials in reach. Session logs, where they are kept, show what was typed.`,
			FalsePositives: `A colleague's first session.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			ID:             "TS-EX-004b",
			Title:          "Shells opened on several instances with Session Manager",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1651", "T1021.007"},
			Where:          `event_source = 'ssm.amazonaws.com' AND event_name = 'StartSession'`,
			Resource:       param("target"),
			Explain:        `Several instances within half an hour: a search through the fleet, or an incident of another kind. Ask the caller.`,
			FalsePositives: `Administrators who look for a fault on several machines.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: param("target"), Count: 3, Window: 30 * time.Minute},
		},
		{
			// Low: how administrators log in.
			ID:             "TS-EX-004c",
			Title:          "Session Manager session started, resumed or ended",
			Severity:       Low,
			Tactic:         "execution",
			Techniques:     []string{"T1651", "T1021.007"},
			Where:          `event_source = 'ssm.amazonaws.com' AND event_name IN ('StartSession', 'ResumeSession', 'TerminateSession')`,
			Resource:       param("target", "sessionId"),
			Explain:        `A shell or a tunnel to an instance. With the document AWS-StartPortForwardingSessionToRemoteHost it leads further into the network.`,
			FalsePositives: `Administrators at work.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html",
		},
		{
			ID:         "TS-EX-005",
			Title:      "Systems Manager document made public",
			Severity:   High,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com' AND event_name = 'ModifyDocumentPermission'
            AND regexp_like(coalesce(request_parameters, ''), '(?i)"accountIdsToAdd":(?:\[[^\]]*)?"all"')`,
			Resource:       param("name"),
			Explain:        `Anybody can read the document, with the names, addresses and secrets that stand in it. Take the permission back.`,
			FalsePositives: `Vendors who publish documents on purpose.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html",
		},
		{
			ID:         "TS-EX-005b",
			Title:      "Systems Manager document shared with another account",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com' AND event_name = 'ModifyDocumentPermission'
            AND regexp_like(` + withoutOurs(`request_parameters`) + `, '"accountIdsToAdd":(?:\[[^\]]*)?"[0-9]{12}"')`,
			Resource:       param("name"),
			Explain:        `The accounts named can read and run the document. Check that they are yours.`,
			FalsePositives: `Documents shared within an organization.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html",
		},
		{
			ID:         "TS-EX-005c",
			Title:      "Systems Manager document written by somebody who never did",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com' AND event_name IN ('CreateDocument', 'UpdateDocument', 'UpdateDocumentDefaultVersion')
            AND NOT ` + byService,
			Resource:       param("name"),
			Explain:        `Documents say what runs on managed instances; a changed one runs wherever it is used already. Read its text.`,
			FalsePositives: `A new pipeline or administrator.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			// Low: infrastructure as code keeps documents.
			ID:         "TS-EX-005d",
			Title:      "Systems Manager document written",
			Severity:   Low,
			Tactic:     "execution",
			Techniques: []string{"T1651"},
			Where: `event_source = 'ssm.amazonaws.com' AND event_name IN ('CreateDocument', 'UpdateDocument', 'UpdateDocumentDefaultVersion')
            AND NOT ` + byService,
			Resource:       param("name"),
			Explain:        `Documents say what runs on managed instances; a changed one runs wherever it is used already. Read its text.`,
			FalsePositives: `Infrastructure as code.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html",
		},
		{
			ID:         "TS-EX-006",
			Title:      "Machine registered with Systems Manager from an instance's credentials",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1651"},
			Where: `event_source = 'ssm.amazonaws.com' AND event_name = 'RegisterManagedInstance'
            AND ` + instanceSession,
			Resource:       `coalesce(` + response("instanceId") + `, ` + param("activationId") + `, identity_arn)`,
			Explain:        `Instances register by themselves; doing it as a hybrid machine hands the agent on it to whoever holds the activation. Deregister the machine and look at the activation's owner.`,
			FalsePositives: `Images that were made from a hybrid machine.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-ssm-agent-install-linux.html",
		},
		{
			ID:         "TS-EX-007",
			Title:      "Systems Manager's inventory read by somebody who never did",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1526"},
			Where: `event_source = 'ssm.amazonaws.com'
            AND event_name IN ('GetInventory', 'GetInventorySchema', 'ListInventoryEntries', 'DescribeInstanceInformation',
                'DescribeInstancePatches', 'DescribeInstancePatchStates', 'ListCommands', 'ListCommandInvocations')
            AND NOT ` + byService,
			Resource:       `event_name`,
			Explain:        `Which machines take commands, what runs on them and what is not patched: what comes before a command or a session.`,
			FalsePositives: `New monitoring, or a colleague who opens Fleet Manager for the first time.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-inventory.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
	}
}
