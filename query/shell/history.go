package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trailscan/query"
)

// maxHistory is how many statements are kept.
const maxHistory = 1000

// History is what was typed, in a file of which only its owner reads. What may
// hold a secret is not written, nor what begins with a blank.
type History struct {
	path  string
	items []string
}

// HistoryFile is where the history lies: $XDG_STATE_HOME/trailscan/history, or
// below ~/.local/state. Facts:
// https://specifications.freedesktop.org/basedir-spec/latest/
func HistoryFile() string {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "trailscan", "history")
}

// OpenHistory reads the history in a file, which need not exist. Without a path
// nothing is kept.
func OpenHistory(path string) (*History, error) {
	h := &History{path: path}
	if path == "" {
		return h, nil
	}
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return h, fmt.Errorf("read history: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			h.items = append(h.items, line)
		}
	}
	if n := len(h.items); n > 2*maxHistory {
		h.items = h.items[n-maxHistory:]
		if err := os.WriteFile(path, []byte(strings.Join(h.items, "\n")+"\n"), 0o600); err != nil {
			return h, fmt.Errorf("shorten history: %w", err)
		}
	}
	return h, nil
}

// Items are the statements, the last typed last.
func (h *History) Items() []string { return h.items[max(0, len(h.items)-maxHistory):] }

// Add keeps a statement. A history that cannot be written keeps nobody from
// asking, so that is no error.
func (h *History) Add(statement string) {
	if strings.HasPrefix(statement, " ") || query.HoldsSecret(statement) || strings.ContainsAny(statement, "\n\r") {
		return
	}
	if n := len(h.items); n > 0 && h.items[n-1] == statement {
		return
	}
	h.items = append(h.items, statement)
	if h.path == "" || os.MkdirAll(filepath.Dir(h.path), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(0o600) // made by another hand
	}
	_, _ = f.WriteString(statement + "\n")
}
