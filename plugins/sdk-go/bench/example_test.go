package bench_test

import (
	"fmt"

	"bench-host/sdk-go/bench"
)

// Copier is an operator that copies each object it sees into another namespace.
type Copier struct {
	to string
}

func (copier *Copier) Start(_ bench.Plane, arguments bench.Arguments) ([]bench.Watch, error) {
	from, _ := arguments.Get("watch")
	copier.to, _ = arguments.Get("apply")
	return []bench.Watch{{Kind: "TestResource", Namespace: from}}, nil
}

func (copier *Copier) Reconcile(plane bench.Plane, event bench.Event) error {
	if event.Type == bench.Deleted {
		return nil
	}
	key := event.Object.Key
	key.Namespace = copier.to
	_, err := plane.Apply(key, event.Object.Spec)
	return err
}

func (copier *Copier) Suspend() []byte {
	return []byte(copier.to)
}

func (copier *Copier) Resume(state []byte) error {
	copier.to = string(state)
	return nil
}

// describe says what can be measured: the driver's scenario, with another default and in the arms of a module in Go.
func describe() bench.Descriptor {
	count := bench.NewParameter("count", 20, "")
	chain := bench.Uses("operator", "chain").InArms(bench.Wasm, bench.Process).WithParameters(count)
	return bench.NewDescriptor("copier", "0.1.0", "Copies objects.", chain)
}

// The main package of the plug-in hands both to package export:
//
//	func init() { export.Operator(describe, func() bench.Operator { return new(Copier) }) }
//
//	func main() { export.Main() }
func Example() {
	var operator bench.Operator = new(Copier)
	watches, _ := operator.Start(nil, bench.Arguments{{Name: "watch", Value: "a"}, {Name: "apply", Value: "b"}})
	fmt.Println(describe().Name, watches)
	// Output: copier [{TestResource a}]
}
