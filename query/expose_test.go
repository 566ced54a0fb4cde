package query

import "fmt"

// SetBatch sets how many events are sorted at a time.
func (x *Export) SetBatch(n int64) { x.batch = n }

// WithoutSecrets is SQL that gives an expression of x, the secret that is bound
// last, without secrets, and what is expected of that. The expression stands in
// JSON so many times as text.
func WithoutSecrets(expression string, depth int) string {
	for range depth {
		expression = `CAST(json_object('n', ` + expression + `) AS VARCHAR)`
	}
	return fmt.Sprintf(`WITH v AS (SELECT x, %s AS v FROM (SELECT unnest([?::VARCHAR, '%s']) AS x))
SELECT (SELECT %s FROM v WHERE x <> '%s'), (SELECT v FROM v WHERE x = '%s')`,
		expression, removedSecret, withoutSecrets("v"), removedSecret, removedSecret)
}
