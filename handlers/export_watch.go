package handlers

import (
	"context"
	"io"
	"time"

	"example.org/feltbok/exports"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// errLeft is a Conflict: somebody left the study, or took a consent back, while a file of it was being made.
var errLeft = errs.New(errs.Conflict, "exports.left")

// leavingWatch ends an export that would hold somebody who has left since it began. It asks the chain, where every replica notes
// it, and not the process: the command line exports beside a server.
type leavingWatch struct {
	server *Server
	ctx    context.Context
	study  id.Study
	seen   int64     // the newest leaving when it began
	asked  time.Time // last
}

func (s *Server) watchLeaving(ctx context.Context, study id.Study) (*leavingWatch, error) {
	seen, err := s.Audit.LastLeaving(ctx, study)
	return &leavingWatch{server: s, ctx: ctx, study: study, seen: seen, asked: time.Now()}, err
}

// check is errLeft once somebody has left.
func (w *leavingWatch) check() error {
	w.asked = time.Now()
	now, err := w.server.Audit.LastLeaving(w.ctx, w.study)
	if err == nil && now != w.seen {
		err = errLeft
	}
	return err
}

// askAgain is how long an answer is good for while rows are read and bytes leave.
const askAgain = time.Second

func (w *leavingWatch) often() error {
	if time.Since(w.asked) < askAgain {
		return nil
	}
	return w.check()
}

// workbook writes a workbook as long as nobody leaves. It asks while it reads, before the first byte, while bytes leave, and before
// the last.
func (w *leavingWatch) workbook(out io.Writer, src exports.Source) error {
	if src.Survey != nil {
		survey, all := *src.Survey, src.Survey.Answers
		survey.Answers = func(yield func(exports.Answer, error) bool) {
			for a, err := range all {
				if err == nil {
					err = w.often()
				}
				if !yield(a, err) {
					return
				}
			}
		}
		src.Survey = &survey
	}
	held := &heldBack{out: out, watch: w}
	if err := exports.Workbook(w.ctx, held, src); err != nil {
		return err
	}
	return held.finish()
}

// heldBack keeps the latest piece until the next one comes, so that the end of a file does not leave before the last question.
type heldBack struct {
	out   io.Writer
	watch *leavingWatch
	piece []byte
	begun bool
}

func (h *heldBack) Write(p []byte) (int, error) {
	ask := h.watch.often
	if !h.begun {
		h.begun, ask = true, h.watch.check
	}
	if err := ask(); err != nil {
		return 0, err
	}
	if _, err := h.out.Write(h.piece); err != nil {
		return 0, err
	}
	h.piece = append(h.piece[:0], p...)
	return len(p), nil
}

func (h *heldBack) finish() error {
	if err := h.watch.check(); err != nil {
		return err
	}
	_, err := h.out.Write(h.piece)
	return err
}
