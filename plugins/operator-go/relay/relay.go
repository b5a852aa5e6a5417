// Package relay is the operator itself: it says what is to be applied for an object that was seen, and counts. It must not
// know where it runs.
//
// What it keeps while it is unloaded is what the operator in Rust keeps, a line each: `1` (the form), the namespace it watches,
// the one it writes to, how many nonces it has handled, and the last of them, oldest first, with spaces between.
package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kind is what is watched and written.
const Kind = "TestResource"

// noncesKept is how many of the last nonces are kept.
const noncesKept = 16

// form is the first line of what is kept.
const form = "1"

// Relay is one link of the chain.
type Relay struct {
	// Watched and Applied are the namespaces it reads and writes.
	Watched, Applied string
	count            uint64
	nonces           []uint64
}

// Start takes the namespaces out of the arguments.
func (relay *Relay) Start(arguments map[string]string) error {
	for name, namespace := range map[string]*string{"watch": &relay.Watched, "apply": &relay.Applied} {
		if *namespace = arguments[name]; !isNamespace(*namespace) {
			return fmt.Errorf("the argument `%s` names no namespace", name)
		}
	}
	return nil
}

// Spec says which nonce an object has, and what is to be applied for it. Fields that are not known are nobody's business here.
func (relay *Relay) Spec(name, spec string) (nonce uint64, applied string, err error) {
	var seen struct {
		Nonce *uint64 `json:"nonce"`
	}
	if err := json.Unmarshal([]byte(spec), &seen); err != nil {
		return 0, "", fmt.Errorf("%s: %w", name, err)
	}
	if seen.Nonce == nil {
		return 0, "", fmt.Errorf("%s: it has no nonce", name)
	}
	return *seen.Nonce, fmt.Sprintf(`{"nonce":%d,"count":%d}`, *seen.Nonce, relay.count+1), nil
}

// Handled is called once the spec was applied: only then is a nonce handled, since after an error the same event comes again.
func (relay *Relay) Handled(nonce uint64) {
	relay.count++
	if len(relay.nonces) == noncesKept {
		copy(relay.nonces, relay.nonces[1:])
		relay.nonces = relay.nonces[:noncesKept-1]
	}
	relay.nonces = append(relay.nonces, nonce)
}

// Suspend gives what is to be kept.
func (relay *Relay) Suspend() []byte {
	nonces := make([]string, len(relay.nonces))
	for index, nonce := range relay.nonces {
		nonces[index] = strconv.FormatUint(nonce, 10)
	}
	count := strconv.FormatUint(relay.count, 10)
	return []byte(strings.Join([]string{form, relay.Watched, relay.Applied, count, strings.Join(nonces, " ")}, "\n"))
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
	resumed := Relay{Watched: lines[1], Applied: lines[2], count: count}
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
