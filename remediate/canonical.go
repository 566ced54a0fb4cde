package remediate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrDigest says that a plan is not the one that was reviewed.
var ErrDigest = errors.New("the plan's digest does not match its content")

// ComputeDigest gives the SHA-256, in hex, over the RFC 8785 canonical JSON of
// the plan without digest and generated_at.
func (p *Plan) ComputeDigest() (string, error) {
	text, err := json.Marshal(p.filled())
	if err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	return digest(text)
}

// digest works on the text of a plan, so that members that Plan does not know
// count too.
func digest(text []byte) (string, error) {
	v := jsontext.Value(bytes.Clone(text))
	// Canonicalize refuses duplicate names, of which readers may take either.
	if err := v.Canonicalize(); err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(v, &members); err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	delete(members, "digest")
	delete(members, "generated_at")
	rest, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	v = rest
	if err := v.Canonicalize(); err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	sum := sha256.Sum256(v)
	return hex.EncodeToString(sum[:]), nil
}

// ReadPlan reads a plan and checks that it is whole, that its digest matches
// (ErrDigest) and that it is a plan that can be carried out (Validate).
func ReadPlan(r io.Reader) (*Plan, error) {
	p, sealed, err := ReadDraft(r)
	switch {
	case err != nil:
		return nil, err
	case !sealed:
		return nil, fmt.Errorf("read plan: %w: it was changed after it was written; make it anew with `trailscan plan` and choose actions with --only", ErrDigest)
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

// ReadDraft reads a plan that is to be looked at and not to be carried out: it may
// have been changed after it was made. sealed says that it was not.
func ReadDraft(r io.Reader) (p *Plan, sealed bool, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, false, fmt.Errorf("read plan: %w", err)
	}
	var head struct {
		Version *int   `json:"version"`
		Digest  string `json:"digest"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		var other *json.UnmarshalTypeError
		switch {
		case errors.As(err, &other) && other.Field == "":
			return nil, false, fmt.Errorf("read plan: not a plan.json: it is an %s and no object", other.Value)
		case other != nil:
			return nil, false, fmt.Errorf("read plan: not a plan.json: its %s is a %s", other.Field, other.Value)
		}
		return nil, false, fmt.Errorf("read plan: not a plan.json, or cut short: %w", err)
	}
	switch {
	case head.Version == nil:
		return nil, false, errors.New("read plan: not a plan.json: it has no version")
	case *head.Version != PlanVersion:
		return nil, false, fmt.Errorf("read plan: it has version %d and this trailscan reads %d: make the plan anew", *head.Version, PlanVersion)
	}
	want, err := digest(text)
	if err != nil {
		return nil, false, fmt.Errorf("read plan: %w", err)
	}
	p = &Plan{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, false, fmt.Errorf("read plan: %w", err)
	}
	return p, head.Digest == want, nil
}

// Write writes the plan as indented JSON. The same plan gives the same bytes.
func (p *Plan) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p.filled()); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// filled is the plan with empty lists in place of nil ones, as a reader of JSON
// expects; only a nil rollback has a meaning of its own.
func (p *Plan) filled() *Plan {
	q := *p
	fill(&q.Keys)
	fill(&q.AccountIDs)
	fill(&q.Lineage.AccessKeyIDs)
	fill(&q.Lineage.PrincipalIDs)
	fill(&q.Lineage.ARNs)
	q.Actions = make([]Action, len(p.Actions))
	for i, a := range p.Actions {
		fill(&a.Evidence)
		fill(&a.DependsOn)
		fill(&a.Expect)
		fill(&a.Verify)
		fill(&a.Fallbacks)
		if a.Parameters == nil {
			a.Parameters = map[string]any{}
		}
		q.Actions[i] = a
	}
	return &q
}

func fill[T any](s *[]T) {
	if *s == nil {
		*s = []T{}
	}
}
