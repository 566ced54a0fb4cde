package rules

import (
	"fmt"
	"strings"
)

// Severity says how bad a finding is if it is what it looks like. Its text is
// critical, high, medium, low or info.
type Severity int

// Severities, from the least.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{Info: "info", Low: "low", Medium: "medium", High: "high", Critical: "critical"}

// ParseSeverity reads a severity's text, in upper or lower case.
func ParseSeverity(s string) (Severity, error) {
	for i, name := range severityNames {
		if strings.EqualFold(s, name) {
			return Severity(i), nil
		}
	}
	return Info, fmt.Errorf("unknown severity %q: use critical, high, medium, low or info", s)
}

// String returns the severity's text.
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// MarshalText makes the severity its text in JSON.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Info || s > Critical {
		return nil, fmt.Errorf("no severity has the number %d", int(s))
	}
	return []byte(severityNames[s]), nil
}

// UnmarshalText is ParseSeverity.
func (s *Severity) UnmarshalText(text []byte) error {
	v, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// lower is the next severity below; info stays.
func (s Severity) lower() Severity { return max(s-1, Info) }
