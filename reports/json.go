package reports

import (
	jsonv1 "encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"trailscan/remediate"
)

// JSON writes a value as an artifact: indented, members in the order of the
// fields, times in RFC 3339, empty lists and not null. An *Incident gives the
// whole report as one object; its schema is that type.
func JSON(w io.Writer, v any) error {
	text, err := marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

func marshal(v any, o ...json.Options) ([]byte, error) {
	text, err := json.Marshal(v, append(o,
		json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true),
		// In a plan null says something (no rollback), so it is written as
		// plan.json has it.
		json.WithMarshalers(json.MarshalFunc(func(p *remediate.Plan) ([]byte, error) { return jsonv1.Marshal(p) })),
	)...)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return escapeDeceptive(text), nil
}

// escapeDeceptive spells the characters that act on a terminal as \u escapes.
// In JSON they stand in strings only, where the escape means the same.
func escapeDeceptive(text []byte) []byte {
	var out []byte
	copied := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r >= 0x7f && deceptive(r) {
			out = append(out, text[copied:i]...)
			if r > 0xffff {
				r -= 0x10000
				out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			} else {
				out = fmt.Appendf(out, `\u%04x`, r)
			}
			copied = i + size
		}
		i += size
	}
	if copied == 0 {
		return text
	}
	return append(out, text[copied:]...)
}
