package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"trailscan/query"
)

// answerTable writes aligned columns. On a terminal it fits them into its width:
// the widest are cut first, and columns that even so do not fit are left out,
// which the last line says.
type answerTable struct {
	w       io.Writer
	columns []query.AnswerColumn
	look    AnswerLook
	held    [][]string
	widths  []int // of the columns that are shown, once that is settled
	open    bool
}

const (
	// columnGap is the room between columns.
	columnGap = 2
	// narrowest is the least width that a column is cut to.
	narrowest = 8
)

func (e *answerTable) encode(r record) error {
	cells := make([]string, len(r.values))
	for i := range cells {
		cells[i] = Terminal(r.shown(i, e.look.Zone))
	}
	if e.open {
		return e.line(cells)
	}
	e.held = append(e.held, cells)
	if len(e.held) < tableRows {
		return nil
	}
	return e.layout()
}

func (e *answerTable) close() error {
	if !e.open && len(e.columns) > 0 {
		if err := e.layout(); err != nil {
			return err
		}
	}
	if n := len(e.columns) - len(e.widths); n > 0 {
		_, err := fmt.Fprintf(e.w, "(%d more columns do not fit: vertical shows all)\n", n)
		return err
	}
	return nil
}

// layout sets the widths by the rows held so far and writes them.
func (e *answerTable) layout() error {
	head := make([]string, len(e.columns))
	for i, c := range e.columns {
		head[i] = Terminal(c.Name)
	}
	rows := append([][]string{head}, e.held...)
	widths := make([]int, len(e.columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	if e.look.Width > 0 {
		widths = fitWidths(widths, e.look.Width)
	}
	e.widths, e.open, e.held = widths, true, nil
	for _, row := range rows {
		if err := e.line(row); err != nil {
			return err
		}
	}
	return nil
}

// fitWidths cuts the widest columns until all fit, and then the last ones away.
func fitWidths(widths []int, room int) []int {
	need := func(limit int) int {
		sum := -columnGap
		for _, w := range widths {
			sum += min(w, limit) + columnGap
		}
		return sum
	}
	limit := narrowest
	for limit < room && need(limit+1) <= room {
		limit++
	}
	for len(widths) > 1 && need(limit) > room {
		widths = widths[:len(widths)-1]
	}
	out := make([]int, len(widths))
	left := room - need(limit) // what cutting all alike leaves goes to the first
	for i, w := range widths {
		out[i] = min(w, limit)
		if more := min(w-out[i], max(0, left)); more > 0 {
			out[i] += more
			left -= more
		}
	}
	return out
}

func (e *answerTable) line(cells []string) error {
	var b strings.Builder
	for i, width := range e.widths {
		cell := cells[i]
		if e.look.Width > 0 && displayWidth(cell) > width {
			cell = cutMiddle(cell, width)
		}
		last := i == len(e.widths)-1
		switch right := numeric(e.columns[i]); {
		case last && !right:
			b.WriteString(cell)
		default:
			b.WriteString(padTo(cell, width, right))
		}
		if !last {
			b.WriteString(strings.Repeat(" ", columnGap))
		}
	}
	_, err := io.WriteString(e.w, strings.TrimRight(b.String(), " ")+"\n")
	return err
}

// displayWidth is how many columns of a terminal a text takes.
func displayWidth(s string) int { return runewidth.StringWidth(s) }

// padTo fills text with blanks to a width.
func padTo(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(0, width-displayWidth(s)))
	if right {
		return fill + s
	}
	return s + fill
}

// cutMiddle shortens text to a width and keeps both ends.
func cutMiddle(s string, width int) string {
	head := (width - 1) / 2
	end := []rune(s)
	tail := ""
	for i, w := len(end)-1, 0; i >= 0; i-- {
		if w += runewidth.RuneWidth(end[i]); w > width-1-head {
			break
		}
		tail = string(end[i:])
	}
	return runewidth.Truncate(s, head, "") + "…" + tail
}
