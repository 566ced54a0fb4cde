package scenario

import (
	"fmt"
	"strconv"
	"time"
)

// VolumeKey is the access key of a volume with Leaked credentials.
const VolumeKey = "AKIAIOSFODNN7EXAMPLE"

const (
	// leakedChain is how many role sessions are taken one from the other, and
	// chains is how many such chains a file of the leak holds.
	leakedChain = 20
	leakedUse   = 10 // calls of each session
	chainsAFile = 25
)

// leakFiles is how many more files the leak takes: one of what the owner did
// before, then those of the misuse.
func (v Volume) leakFiles() int {
	if v.Leaked < 1 {
		return 0
	}
	return 1 + (v.Leaked+leakedChain*chainsAFile-1)/(leakedChain*chainsAFile)
}

// appendLeak appends the records of file i of the leak: for twenty days the
// key's owner works; then somebody else takes role sessions with it, from each
// the next, with which calls are made, while the owner works on.
func (v Volume) appendLeak(out []byte, i int, forms *forms, divider byte) []byte {
	d := newDice(v.Seed, "leak", strconv.Itoa(i))
	first := len(out)
	add := func(f form, at time.Time, s *session) {
		if len(out) > first {
			out = append(out, divider)
		}
		out = f.append(out, d, at.Format(timeLayout), leakRegion, s)
	}
	call := func() form { return forms.calls[d.IntN(len(forms.calls))] }
	user := fmt.Appendf(nil, `{"type":"IAMUser","principalId":"AIDALEAKED","arn":"arn:aws:iam::%s:user/leaked","accountId":"%s","accessKeyId":"%s","userName":"leaked"}`,
		volumeAccount, volumeAccount, VolumeKey)
	owner := &session{identity: user, agent: volumeAgents[1], address: "192.0.2.10"}
	_, from, length := v.leakSlot(i)
	if i == 0 {
		const calls = 2000
		for k := range calls {
			add(call(), from.Add(length*time.Duration(k)/calls), owner)
		}
		return out
	}
	taken := (i - 1) * leakedChain * chainsAFile
	n := min(v.Leaked-taken, leakedChain*chainsAFile)
	step := length / time.Duration(n*(leakedUse+1)+1)
	at := from
	var last session
	for k := range n {
		if k%leakedChain == 0 {
			add(call(), at, owner)
			last = session{identity: user}
		}
		at = at.Add(step)
		s := v.session(d, at.Format(timeLayout), at, taskOf)
		s.issuer, s.agent, s.address = last.identity, volumeAgents[2], "198.51.100."+strconv.Itoa(23+taken%7)
		add(forms.chain, at, &s)
		for range leakedUse {
			at = at.Add(step)
			add(call(), at, &s)
		}
		last = s
	}
	return out
}

const leakRegion = "ap-southeast-2"

// leakSlot is the time that file i of the leak holds.
func (v Volume) leakSlot(i int) (region string, from time.Time, length time.Duration) {
	const history, misuse = 20 * 24 * time.Hour, 9 * 24 * time.Hour
	if i == 0 {
		return leakRegion, volumeStart, history
	}
	length = misuse / time.Duration(v.leakFiles()-1)
	return leakRegion, volumeStart.Add(history + time.Duration(i-1)*length).Truncate(time.Second), length
}
