// An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links
// operators of this kind into a chain, and times an object on its way through them.
package main

import (
	"errors"
	"strconv"
	"strings"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/export"
)

func describe() bench.Descriptor {
	chain := bench.Uses("operator", "chain").InArms(bench.Wasm)
	return bench.NewDescriptor("{{name}}", "0.1.0", "Copies what it sees to the next namespace.", chain)
}

// link is one operator of the chain.
type link struct {
	to string
	// count is the number of objects that were copied.
	count uint64
}

// Start is given the namespace to watch, and the one to write to.
func (link *link) Start(_ bench.Plane, arguments bench.Arguments) ([]bench.Watch, error) {
	from, _ := arguments.Get("watch")
	link.to, _ = arguments.Get("apply")
	return []bench.Watch{{Kind: "TestResource", Namespace: from}}, nil
}

// Reconcile copies the object's `nonce`, by which the host knows it, and says how many there were. What fails is tried again by the
// host.
func (link *link) Reconcile(plane bench.Plane, event bench.Event) error {
	if event.Type == bench.Deleted {
		return nil
	}
	nonce, err := bench.Field(event.Object.Spec, "nonce")
	if err != nil {
		return err
	}
	if nonce == nil {
		return errors.New("the spec has no `nonce`")
	}
	spec := `{"nonce":` + string(nonce) + `,"count":` + strconv.FormatUint(link.count+1, 10) + `}`
	key := event.Object.Key
	key.Namespace = link.to
	if _, err := plane.Apply(key, []byte(spec)); err != nil {
		return err
	}
	link.count++
	return nil
}

// Suspend returns the state that is kept while the operator is unloaded.
func (link *link) Suspend() []byte {
	return []byte(strconv.FormatUint(link.count, 10) + " " + link.to)
}

// Resume takes the state from Suspend.
func (link *link) Resume(state []byte) error {
	count, to, _ := strings.Cut(string(state), " ")
	number, err := strconv.ParseUint(count, 10, 64)
	if err != nil {
		return errors.New("the state is of another version")
	}
	link.to, link.count = to, number
	return nil
}

func init() { export.Operator(describe, func() bench.Operator { return new(link) }) }

func main() { export.Main() }
