package handlers

import (
	"encoding/json"
	"errors"
	"fmt"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/studies"
)

// proofsPage says how many proofs of consent are kept, and shows what was asked for, once.
type proofsPage struct {
	subject
	Count  int
	Next   int64 // when the next one goes, UTC milliseconds; 0 where none is kept
	Opened []openedProof
	Why    string
}

type openedProof struct {
	identities.Proof
	Acts []provenAct
}

type provenAct struct {
	consents.Given
	Version int // of the letter; 0 where it is not there any more
}

// Purposes are why a proof is opened.
func (p proofsPage) Purposes() []choice {
	return worded(asking{p.base}, "proofs.purpose.", identities.ProofPurposes)
}

// proofs is the page and its form. It does not use the form's key: looking again is looking again, and is logged again.
func (s *Server) proofs(v *visit) error {
	p := proofsPage{subject: v.subject("proofs", "proofs.title")}
	p.Here = "settings"
	if v.role == studies.Officer {
		p.Here = "log"
	}
	var err error
	if p.Count, p.Next, err = s.Vault.ProofCount(v.ctx(), v.study.ID); err != nil {
		return err
	}
	if v.form == nil {
		return v.show("staff/proofs", p)
	}
	p.Opened, err = s.openedProofs(v)
	if errors.Is(err, identities.ErrNoProof) {
		err = faultAt(errs.Invalid, "contact", "proofs.none_found")
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/proofs", p)
	}
	if err != nil {
		return err
	}
	p.Why = p.T("proofs.purpose." + v.value("purpose"))
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, v.studyPath("/proofs")))
	return v.show("staff/proofs", p)
}

func (s *Server) openedProofs(v *visit) (opened []openedProof, err error) {
	kept, err := s.Vault.OpenProofs(v.Request.Context(), v.actor(), v.value("purpose"), v.study.ID, v.value("contact"))
	if err != nil {
		return nil, err
	}
	for _, proof := range kept {
		one := openedProof{Proof: proof}
		var acts []consents.Given
		if err := json.Unmarshal(proof.Acts, &acts); err != nil {
			return nil, fmt.Errorf("read proof: %w", err)
		}
		for _, act := range acts {
			letter, err := s.Consents.Letter(v.ctx(), v.study.ID, act.Letter)
			if err != nil && errs.KindOf(err) != errs.NotFound {
				return nil, err
			}
			one.Acts = append(one.Acts, provenAct{act, letter.Version})
		}
		opened = append(opened, one)
	}
	return opened, nil
}
