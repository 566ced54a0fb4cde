package lineage

import (
	"regexp"
	"strings"
)

// network is the network that a source address belongs to: the /24 of an IPv4
// address, the /64 of an IPv6 one. It is "" for what is no address: the host
// name of a service, "AWS Internal".
func network(source string) string {
	addr, ok := parseAddress(source)
	if !ok {
		return ""
	}
	bits := 24
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}

var (
	productName = regexp.MustCompile(`^\[?([A-Za-z][A-Za-z0-9._ -]*?)[/ ]`)
	// A distribution stands in md/distrib#kali.2024 or exe/x86_64.kali.2024.
	// The numbers behind it change with every upgrade.
	distribution = regexp.MustCompile(`(?:md/distrib#|exe/[a-z0-9_]+\.)([a-z]+)`)
	environment  = regexp.MustCompile(`exec-env/([A-Za-z_]+?)(?:_?[a-z]*[0-9][0-9.]*)?(?:[\s\]]|$)`)
)

// wrappers are products that stand in front of the one that matters.
var wrappers = []struct{ contains, name string }{
	{"terraform", "terraform"}, {"pulumi", "pulumi"}, {"trufflehog", "trufflehog"}, {"stratus-red-team", "stratus-red-team"},
	{"s3 browser", "s3 browser"}, {"winscp", "winscp"}, {"cyberduck", "cyberduck"}, {"rclone", "rclone"}, {"ansible", "ansible"},
}

// platforms are in the order in which a user agent is searched: a browser on
// Android names Linux too.
var platforms = []struct{ contains, name string }{
	{"android", "android"}, {"iphone", "ios"}, {"ipad", "ios"}, {"darwin", "macos"}, {"macos", "macos"}, {"mac os", "macos"},
	{"macintosh", "macos"}, {"windows", "windows"}, {"linux", "linux"}, {"freebsd", "freebsd"},
}

// browsers are in the order in which a user agent is searched: Edge names
// Chrome too, and Chrome names Safari.
var browsers = []struct{ contains, name string }{
	{"edg/", "edge"}, {"opr/", "opera"}, {"firefox/", "firefox"}, {"chrome/", "chrome"}, {"safari/", "safari"},
}

// family is the part of a user agent that stays when the software is upgraded:
// the product, the operating system with its distribution, and the AWS
// environment that runs it. Versions and the command of the AWS CLI are left
// out.
func family(agent string) string {
	low := strings.ToLower(agent)
	if low == "" {
		return "no user agent"
	}
	product := low
	if m := productName.FindStringSubmatch(low + " "); m != nil {
		product = m[1]
	}
	for _, w := range wrappers {
		if strings.Contains(low, w.contains) {
			product = w.name
			break
		}
	}
	if product == "mozilla" {
		product = "browser"
		for _, b := range browsers {
			if strings.Contains(low, b.contains) {
				product = b.name
				break
			}
		}
	}
	parts := []string{product}
	for _, p := range platforms {
		if strings.Contains(low, p.contains) {
			parts = append(parts, p.name)
			break
		}
	}
	if m := distribution.FindStringSubmatch(low); m != nil {
		parts = append(parts, m[1])
	}
	if m := environment.FindStringSubmatch(agent); m != nil {
		parts = append(parts, m[1])
	}
	return strings.Join(parts, " ")
}

// byService reports whether a service made the call for the caller, so that
// its address says nothing about the caller.
func byService(source, invokedBy string) bool {
	return invokedBy != "" || network(source) == ""
}

// isBrowser reports whether an agent is a browser.
func isBrowser(agent string) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimPrefix(agent, "[")), "mozilla/")
}

var (
	productVersion = regexp.MustCompile(`^\[?[^/\s]+/v?([0-9][0-9A-Za-z.-]*)`)
	systemVersion  = regexp.MustCompile(`(?:\bos/[a-z]+#|\bLinux/|\bDarwin/|\bWindows/|Windows NT |Mac OS X )([0-9][0-9A-Za-z._-]*)`)
	browserVersion = regexp.MustCompile(`(?:Edg|OPR|Firefox|Chrome)/([0-9]+)`)
)

// agentNames are the family and the signature of a user agent.
type agentNames struct{ family, signature string }

// agent names a user agent. A case has many events for each.
func (t *tracer) agent(text string) agentNames {
	names, ok := t.agents[text]
	if !ok {
		names = agentNames{family(text), signature(text)}
		if t.agents == nil {
			t.agents = map[string]agentNames{}
		}
		t.agents[text] = names
	}
	return names
}

// signature is the part of a user agent that stays from call to call of one
// machine: the family with the versions of the product and the system. The
// command of the AWS CLI and the marks of features that vary are left out.
func signature(agent string) string {
	parts := []string{family(agent)}
	for _, version := range []*regexp.Regexp{productVersion, systemVersion, browserVersion} {
		if m := version.FindStringSubmatch(agent); m != nil {
			parts = append(parts, m[1])
		}
	}
	return strings.Join(parts, " ")
}
