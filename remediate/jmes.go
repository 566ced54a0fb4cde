package remediate

import (
	"fmt"

	"github.com/jmespath/go-jmespath"
)

// search gives the value at a JMESPath (https://jmespath.org/specification.html)
// of an answer, nil when there is none. An empty path is the answer itself.
func search(path string, answer any) (any, error) {
	if path == "" {
		return answer, nil
	}
	expr, err := jmespath.Compile(path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	v, err := expr.Search(answer)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	return v, nil
}
