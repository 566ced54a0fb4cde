package shell

import (
	"bytes"
	"errors"
	"io"
)

// errPagerLeft says that the person has left the pager: the rest is not wanted.
var errPagerLeft = errors.New("the pager was left")

// ErrNoPager says that the pager could not be run: answers are shown without it.
var ErrNoPager = errors.New("there is no such pager")

// screenBuffer is how much of an answer is made before somebody sees it, so that
// the case is closed again while they read. More than that streams past.
const screenBuffer = 16 << 20

// screen shows text, through the pager where it is longer than the terminal.
type screen struct {
	shell *Shell
	text  bytes.Buffer
	pipe  *io.PipeWriter // to the pager that runs
	ended chan error     // of the pager
}

func (s *Shell) newScreen() *screen { return &screen{shell: s} }

func (p *screen) Write(b []byte) (int, error) {
	if p.shell.Pager == nil {
		return p.shell.Out.Write(b)
	}
	if p.pipe == nil {
		p.text.Write(b)
		if p.text.Len() < screenBuffer {
			return len(b), nil
		}
		p.start()
		return len(b), nil
	}
	n, err := p.pipe.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = errPagerLeft
	}
	return n, err
}

// start runs the pager on what there is, and on what comes.
func (p *screen) start() {
	r, w := io.Pipe()
	p.pipe, p.ended = w, make(chan error, 1)
	go func() {
		err := p.shell.Pager(io.MultiReader(bytes.NewReader(p.text.Bytes()), r))
		r.CloseWithError(io.ErrClosedPipe)
		p.ended <- err
	}()
}

// close shows what there is and waits for the pager to be left.
func (p *screen) close() error {
	if p.shell.Pager == nil {
		return nil
	}
	if p.pipe == nil {
		if bytes.Count(p.text.Bytes(), []byte("\n")) < p.shell.Height() {
			_, err := p.text.WriteTo(p.shell.Out)
			return err
		}
		p.start()
	}
	p.pipe.Close()
	err := <-p.ended
	if errors.Is(err, ErrNoPager) {
		p.shell.Pager = nil
		if _, werr := p.text.WriteTo(p.shell.Out); werr != nil {
			return werr
		}
	}
	return err
}
