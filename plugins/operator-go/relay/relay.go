// Package relay is the operator: it copies the token of each object that it sees to the next namespace, and counts them.
//
// Its state while it is unloaded has the format of the operator in Rust, a line each: `1` (the version), the namespace that it
// watches, the one that it writes to, the number of tokens, and the last tokens, oldest first, separated by spaces.
package relay

import (
	"errors"
	"strconv"
	"strings"

	"bench-host/sdk-go/bench"
)

// kind is the kind of objects that it watches and writes.
const kind = "TestResource"

// noncesKept is how many of the last tokens are kept.
const noncesKept = 16

// form is the first line of the state, its version.
const form = "1"

// Relay is one link of the chain.
type Relay struct {
	// watched and applied are the namespaces that it reads and writes.
	watched, applied string
	// count is the number of tokens handled so far, and nonces are the last of them, oldest first.
	count  uint64
	nonces []uint64
	// spec is the spec that is written next, kept to reuse its allocation.
	spec []byte
}

// Start reads the namespaces from the arguments.
func (relay *Relay) Start(_ bench.Plane, arguments bench.Arguments) ([]bench.Watch, error) {
	var err error
	if relay.watched, err = namespace(arguments, "watch"); err != nil {
		return nil, err
	}
	if relay.applied, err = namespace(arguments, "apply"); err != nil {
		return nil, err
	}
	return []bench.Watch{{Kind: kind, Namespace: relay.watched}}, nil
}

// Reconcile copies the token of an object to the object of the same name in the next namespace.
func (relay *Relay) Reconcile(plane bench.Plane, event bench.Event) error {
	if event.Type == bench.Deleted {
		return nil
	}
	name := event.Object.Key.Name
	nonce, err := nonceOf(event.Object.Spec)
	if err != nil {
		return errors.New(name + ": " + err.Error())
	}
	relay.spec = append(relay.spec[:0], `{"nonce":`...)
	relay.spec = strconv.AppendUint(relay.spec, nonce, 10)
	relay.spec = append(relay.spec, `,"count":`...)
	relay.spec = strconv.AppendUint(relay.spec, relay.count+1, 10)
	relay.spec = append(relay.spec, '}')
	if _, err := plane.Apply(bench.Key{Kind: kind, Namespace: relay.applied, Name: name}, relay.spec); err != nil {
		return errors.New(relay.applied + "/" + name + ": " + err.Error())
	}
	// Counts only after the write: after an error the same event is delivered again.
	relay.count++
	if len(relay.nonces) == noncesKept {
		copy(relay.nonces, relay.nonces[1:])
		relay.nonces = relay.nonces[:noncesKept-1]
	}
	relay.nonces = append(relay.nonces, nonce)
	return nil
}

// nonceOf reads the token of a spec. Unknown fields are ignored.
func nonceOf(spec []byte) (uint64, error) {
	field, err := bench.Field(spec, "nonce")
	if err != nil {
		return 0, err
	}
	nonce, err := strconv.ParseUint(string(field), 10, 64)
	if err != nil {
		return 0, errors.New("the spec has no `nonce`")
	}
	return nonce, nil
}

// Suspend returns the state.
func (relay *Relay) Suspend() []byte {
	nonces := make([]string, len(relay.nonces))
	for index, nonce := range relay.nonces {
		nonces[index] = strconv.FormatUint(nonce, 10)
	}
	count := strconv.FormatUint(relay.count, 10)
	return []byte(strings.Join([]string{form, relay.watched, relay.applied, count, strings.Join(nonces, " ")}, "\n"))
}

// Resume restores a state; it fails if the state is damaged or of another version.
func (relay *Relay) Resume(state []byte) error {
	refused := errors.New("the state is damaged or of another version")
	lines := strings.Split(string(state), "\n")
	if len(lines) != 5 || lines[0] != form || !isNamespace(lines[1]) || !isNamespace(lines[2]) {
		return refused
	}
	count, err := strconv.ParseUint(lines[3], 10, 64)
	if err != nil {
		return refused
	}
	resumed := Relay{watched: lines[1], applied: lines[2], count: count}
	for _, field := range strings.Fields(lines[4]) {
		nonce, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return refused
		}
		resumed.nonces = append(resumed.nonces, nonce)
	}
	if uint64(len(resumed.nonces)) != min(count, noncesKept) {
		return refused
	}
	*relay = resumed
	return nil
}

// isNamespace refuses line breaks too, because they would end the line in the state.
func isNamespace(text string) bool {
	return text != "" && !strings.Contains(text, "\n")
}

func namespace(arguments bench.Arguments, name string) (string, error) {
	value, _ := arguments.Get(name)
	if !isNamespace(value) {
		return "", errors.New("the argument `" + name + "` is not a valid namespace")
	}
	return value, nil
}
