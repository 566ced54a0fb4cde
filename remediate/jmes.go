package remediate

import (
	"fmt"

	"github.com/jmespath/go-jmespath"
)

// search gives the value at a JMESPath (https://jmespath.org/specification.html)
// of an answer, nil when there is none. An empty path is the answer itself.
func search(path string, answer any) (v any, err error) {
	if path == "" {
		return answer, nil
	}
	// The library compiles some paths that are wrong, and panics when it searches.
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("path %q is no JMESPath that can be searched: %v", path, p)
		}
	}()
	expr, err := jmespath.Compile(path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	v, err = expr.Search(answer)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	return v, nil
}
