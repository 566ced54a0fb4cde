package remediate

import (
	"path/filepath"
	"sync/atomic"
	"testing"

	"trailscan/internal/mototest"
)

// TestMotoFaults undoes an intrusion while AWS throttles, breaks down after a call
// has taken effect, and somebody else has deleted a thing: the end is the same.
func TestMotoFaults(t *testing.T) {
	e, proxy := startEstate(t)
	start := photograph(t.Context(), t, e.Recorder)
	e.intrude(t)
	dir := t.TempDir()
	p := e.planFor(t, dir)
	if _, err := e.Do(t.Context(), home, "lambda:DeleteFunction", object{"FunctionName": "beacon"}); err != nil {
		t.Fatal(err)
	}
	var writes, throttled, broken atomic.Int32
	proxy.Before = func(r mototest.Request) *mototest.Reply {
		if r.Service == "iam" && r.Writes() && writes.Add(1)%9 == 0 && throttled.Load() < 3 {
			throttled.Add(1)
			return mototest.Throttled()
		}
		return nil
	}
	proxy.After = func(r mototest.Request, reply *mototest.Reply) *mototest.Reply {
		if (r.Operation == "DetachUserPolicy" || r.Operation == "UpdateAccessKey") && broken.Add(1) == 1 {
			return mototest.Broken()
		}
		return reply
	}
	x := motoExecutor(t.Context(), t, proxy.URL, filepath.Join(dir, "plan.journal.ndjson"))
	applied(t.Context(), t, x, p)
	applied(t.Context(), t, x, p, reviewed(p)...)
	proxy.Before, proxy.After = nil, nil
	if throttled.Load() < 3 || broken.Load() == 0 {
		t.Errorf("%d calls were throttled, %d could break", throttled.Load(), broken.Load())
	}
	end := photograph(t.Context(), t, e.Recorder)
	key := "access key alice " + e.alice.KeyID
	if end[key] != `["Inactive"]` {
		t.Errorf("the key is %s", end[key])
	}
	end[key] = start[key]
	alike(t, "after the clean-up", start, afterContainment(t, end))
}
