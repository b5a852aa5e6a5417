// Package relay is the operator itself: it says what is to be applied for an object that was seen, and counts. It must not
// know where it runs.
//
// What it keeps while it is unloaded is what the operator in Rust keeps, a line each: `1` (the form), the namespace it watches,
// the one it writes to, how many nonces it has handled, and the last of them, oldest first, with spaces between.
package relay

import (
	"errors"
	"strconv"
	"strings"

	"bench-host/sdk-go/bench"
)

// kind is what is watched and written.
const kind = "TestResource"

// noncesKept is how many of the last nonces are kept.
const noncesKept = 16

// form is the first line of what is kept.
const form = "1"

// Relay is one link of the chain.
type Relay struct {
	// watched and applied are the namespaces it reads and writes.
	watched, applied string
	// count is how many nonces were handled so far, and nonces the last of them, oldest first.
	count  uint64
	nonces []uint64
	// spec is what is written next, kept for its room.
	spec []byte
}

// Start takes the namespaces out of the arguments.
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

// Reconcile applies the nonce of an object that was written to the object of the same name in the next namespace.
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
	// Only what was applied is handled: after an error the same event comes again.
	relay.count++
	if len(relay.nonces) == noncesKept {
		copy(relay.nonces, relay.nonces[1:])
		relay.nonces = relay.nonces[:noncesKept-1]
	}
	relay.nonces = append(relay.nonces, nonce)
	return nil
}

// nonceOf is what a spec has to say. Fields that are not known are nobody's business here.
func nonceOf(spec []byte) (uint64, error) {
	field, err := bench.Field(spec, "nonce")
	if err != nil {
		return 0, err
	}
	nonce, err := strconv.ParseUint(string(field), 10, 64)
	if err != nil {
		return 0, errors.New("it has no nonce")
	}
	return nonce, nil
}

// Suspend gives what is to be kept.
func (relay *Relay) Suspend() []byte {
	nonces := make([]string, len(relay.nonces))
	for index, nonce := range relay.nonces {
		nonces[index] = strconv.FormatUint(nonce, 10)
	}
	count := strconv.FormatUint(relay.count, 10)
	return []byte(strings.Join([]string{form, relay.watched, relay.applied, count, strings.Join(nonces, " ")}, "\n"))
}

// Resume takes up what was kept, unless that is damaged or another version's.
func (relay *Relay) Resume(state []byte) error {
	refused := errors.New("the state is not what an operator of this version keeps")
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

// isNamespace says no to a line break too, which would end its line in what is kept.
func isNamespace(text string) bool {
	return text != "" && !strings.Contains(text, "\n")
}

func namespace(arguments bench.Arguments, name string) (string, error) {
	value, _ := arguments.Get(name)
	if !isNamespace(value) {
		return "", errors.New("the argument `" + name + "` names no namespace")
	}
	return value, nil
}
