package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

// A proof is what is kept of an erased person's consent for as long as it may be disputed: who they were and what they did, one
// sealed value under a data key of its own. Its end is the end of that key.

// ErrNoProof is a NotFound: in this study there is no proof for that address or number, or not any more.
var ErrNoProof = errs.New(errs.NotFound, "identities.no_proof")

// ProofPurposes are why a proof may be opened.
var ProofPurposes = []string{"dispute", "complaint", "own_request"}

// Proof is what a kept proof says.
type Proof struct {
	Name  string          `json:"name"`
	Email string          `json:"email,omitempty"`
	Phone string          `json:"phone,omitempty"`
	Acts  json.RawMessage `json:"acts"` // as whoever kept it wrote them

	ExpiresAt int64 `json:"-"` // UTC milliseconds
}

// proofKey is the data key of a proof: it is kept like a person's.
func proofKey(proof id.Proof) id.Person { return id.Person(proof) }

func proofPlace(study id.Study, proof id.Proof) keys.Place {
	return keys.Place{Study: study, Person: proofKey(proof), Field: "proof", Version: 1}
}

// KeepProof keeps what a person did, until a time. It has to come before their key is destroyed: after that, and for somebody
// whom neither an address nor a number would find again, it does nothing. Doing it twice is doing it once.
func (v *Vault) KeepProof(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, proof id.Proof, until time.Time, acts any) error {
	row, err := v.read(ctx, study, person)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "proof.kept", Study: study, Person: person}); err != nil {
		return fmt.Errorf("keep proof: %w", err)
	}
	who, err := v.unseal(ctx, row)
	if errors.Is(err, keys.ErrErased) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep proof: %w", err)
	}
	text, err := encodeProof(who, acts)
	if err != nil {
		return err
	}
	hashes := v.proofHashes(who)
	if len(hashes) == 0 {
		return nil
	}
	return v.writeProof(ctx, study, proof, until, hashes, text)
}

func encodeProof(who Identity, acts any) ([]byte, error) {
	raw, err := json.Marshal(acts)
	if err != nil {
		return nil, fmt.Errorf("encode proof: %w", err)
	}
	return json.Marshal(Proof{Name: who.Name, Email: who.Email, Phone: who.Phone, Acts: raw})
}

// writeProof writes the row before the key, and the sealed value last: a key that belongs to nothing would stay.
func (v *Vault) writeProof(ctx context.Context, study id.Study, proof id.Proof, until time.Time, hashes []string, text []byte) error {
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into proof (id, study_id, expires_at, sealed) values ($1, $2, $3, $4) on conflict do nothing",
			proof, study, until.UnixMilli(), []byte{})
		for _, hash := range hashes {
			if err != nil {
				break
			}
			_, err = tx.Exec(ctx, "insert into proof_lookup (study_id, hash, proof_id) values ($1, $2, $3) on conflict do nothing", study, hash, proof)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep proof: %w", err)
	}
	crash.Point("proof.row")
	err = v.keys.Create(ctx, proofKey(proof))
	if errors.Is(err, keys.ErrErased) {
		return v.dropProof(ctx, proof) // so late that its time is over already
	}
	if err != nil {
		return fmt.Errorf("keep proof: %w", err)
	}
	crash.Point("proof.key")
	sealed, err := v.keys.Seal(ctx, proofPlace(study, proof), text)
	if err != nil {
		return fmt.Errorf("seal proof: %w", err)
	}
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update proof set sealed = $2 where id = $1", proof, sealed)
		return err
	})
}

// proofHashes are by what a proof is found: others than those that tell duplicates or refusals, so that the tables cannot be
// joined.
func (v *Vault) proofHashes(who Identity) []string {
	email, okEmail := address(who.Email)
	phone, okPhone := number(who.Phone)
	return v.blind("proof ", email, okEmail, phone, okPhone)
}

// OpenProofs returns the proofs that a study keeps of whoever had an address or a number, typed as one text. That somebody looks,
// and why, is on disk before anything is looked for; that something is opened, before it is. ErrNoProof where there is none.
func (v *Vault) OpenProofs(ctx context.Context, actor audit.Actor, purpose string, study id.Study, contact string) ([]Proof, error) {
	if err := checkProofSearch(purpose, contact); err != nil {
		return nil, err
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "proof.sought", Study: study, Detail: purpose}); err != nil {
		return nil, fmt.Errorf("look for proof: %w", err)
	}
	hashes := append(v.proofHashes(Identity{Email: contact}), v.proofHashes(Identity{Phone: contact})...)
	if len(hashes) == 0 {
		return nil, ErrNoProof
	}
	list, args := database.In(hashes, study, v.now().UnixMilli())
	rows, err := database.All(ctx, v.db, func(row database.Scanner) (p sealedProof, err error) {
		err = row.Scan(&p.id, &p.expires, &p.bytes)
		return p, err
	}, `select id, expires_at, sealed from proof where study_id = $1 and expires_at > $2 and id in
		(select proof_id from proof_lookup where study_id = $1 and hash in `+list+") order by expires_at, id", args...)
	if err != nil {
		return nil, fmt.Errorf("look for proof: %w", err)
	}
	return v.openProofs(ctx, actor, purpose, study, rows)
}

type sealedProof struct {
	id      id.Proof
	expires int64
	bytes   []byte
}

func checkProofSearch(purpose, contact string) error {
	var check errs.Check
	check.Require("contact", contact, mostEmail)
	switch {
	case purpose == "":
		check.Add("purpose", "required")
	case !slices.Contains(ProofPurposes, purpose):
		check.Add("purpose", "identities.choose")
	}
	return check.Err()
}

func (v *Vault) openProofs(ctx context.Context, actor audit.Actor, purpose string, study id.Study, rows []sealedProof) (proofs []Proof, err error) {
	if len(rows) == 0 {
		return nil, ErrNoProof
	}
	entries := make([]audit.Entry, len(rows))
	for i := range rows {
		entries[i] = audit.Entry{Actor: actor, Action: "proof.opened", Study: study, Detail: purpose}
	}
	if err := v.log.Record(ctx, entries...); err != nil {
		return nil, fmt.Errorf("open proof: %w", err)
	}
	for _, row := range rows {
		text, err := v.keys.Open(ctx, proofPlace(study, row.id), row.bytes)
		if errors.Is(err, keys.ErrErased) || len(row.bytes) == 0 {
			continue // its time is over, or it is being kept at this moment
		}
		if err != nil {
			return nil, fmt.Errorf("open proof: %w", err)
		}
		p := Proof{ExpiresAt: row.expires}
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, fmt.Errorf("open proof: %w", err)
		}
		proofs = append(proofs, p)
	}
	if len(proofs) == 0 {
		return nil, ErrNoProof
	}
	return proofs, nil
}

// ProofCount says how many proofs a study keeps, and when the next one goes, in UTC milliseconds; 0 where there is none.
func (v *Vault) ProofCount(ctx context.Context, study id.Study) (n int, next int64, err error) {
	err = v.db.QueryRow(ctx, "select count(*), coalesce(min(expires_at), 0) from proof where study_id = $1 and expires_at > $2",
		study, v.now().UnixMilli()).Scan(&n, &next)
	if err != nil {
		return 0, 0, fmt.Errorf("count proofs: %w", err)
	}
	return n, next, nil
}

// Proofs lists all proofs, whatever their time.
func (v *Vault) Proofs(ctx context.Context) ([]id.Proof, error) {
	return database.Values[id.Proof](ctx, v.db, "select id from proof order by id")
}

// SweepProofs ends what has served its time: the key first, so that nothing opens it any more whatever happens then. What a crash
// leaves is found again by the row.
func (v *Vault) SweepProofs(ctx context.Context) error {
	over, err := database.Values[id.Proof](ctx, v.db, "select id from proof where expires_at <= $1 order by id", v.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("sweep proofs: %w", err)
	}
	for _, proof := range over {
		if err := v.keys.Destroy(ctx, proofKey(proof)); err != nil {
			return err
		}
		crash.Point("proof.swept")
		if err := v.dropProof(ctx, proof); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) dropProof(ctx context.Context, proof id.Proof) error {
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		for _, statement := range []string{"delete from proof_lookup where proof_id = $1", "delete from proof where id = $1"} {
			if _, err := tx.Exec(ctx, statement, proof); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop proof: %w", err)
	}
	return v.db.Scrub(ctx, "proof_lookup", "proof")
}
