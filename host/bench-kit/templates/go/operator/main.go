// An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links
// operators of this kind into a chain, and times an object on its way through them.
package main

import (
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
}

// Start is given the namespace to watch, and the one to write to.
func (link *link) Start(_ bench.Plane, arguments bench.Arguments) ([]bench.Watch, error) {
	from, _ := arguments.Get("watch")
	link.to, _ = arguments.Get("apply")
	return []bench.Watch{{Kind: "TestResource", Namespace: from}}, nil
}

// Reconcile copies the object; what fails is tried again by the host. The spec has a field `nonce`, by which the host knows the object.
func (link *link) Reconcile(plane bench.Plane, event bench.Event) error {
	if event.Type == bench.Deleted || link.to == "" {
		return nil
	}
	key := event.Object.Key
	key.Namespace = link.to
	_, err := plane.Apply(key, event.Object.Spec)
	return err
}

// Suspend returns the state that is kept while the operator is unloaded.
func (link *link) Suspend() []byte {
	return []byte(link.to)
}

// Resume takes the state from Suspend.
func (link *link) Resume(state []byte) error {
	link.to = string(state)
	return nil
}

func init() { export.Operator(describe, func() bench.Operator { return new(link) }) }

func main() { export.Main() }
