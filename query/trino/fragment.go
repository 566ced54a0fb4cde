package trino

import (
	"slices"
	"sort"
	"strings"
)

// mark says that what stands at out in Statement.SQL comes from in of the text.
type mark struct{ out, in int }

// Position is the place in the user's text of a place in the SQL, in bytes.
func (s *Statement) Position(out int) int {
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].out > out }) - 1
	if i < 0 {
		return 0
	}
	at := s.marks[i].in + out - s.marks[i].out
	if i+1 < len(s.marks) {
		at = min(at, max(s.marks[i].in, s.marks[i+1].in))
	}
	return min(at, len(s.Text))
}

// piece is text for DuckDB; pos is where it stands in the source, or -1.
type piece struct {
	text string
	pos  int
}

type fragment []piece

func (f fragment) join() (string, []mark) {
	var b strings.Builder
	var marks []mark
	for _, p := range f {
		if p.pos >= 0 {
			marks = append(marks, mark{b.Len(), p.pos})
		}
		b.WriteString(p.text)
	}
	return b.String(), marks
}

func (f fragment) String() string {
	s, _ := f.join()
	return s
}

// write adds text that the user did not write.
func (f fragment) write(text string) fragment { return append(f, piece{text, -1}) }

// wrap surrounds a fragment with text.
func wrap(before string, f fragment, after string) fragment {
	return append(append(fragment{{before, -1}}, f...), piece{after, -1})
}

// concat joins fragments.
func concat(list ...fragment) fragment { return slices.Concat(list...) }
