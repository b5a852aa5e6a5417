package bench_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"bench-host/sdk-go/bench"
)

// Copier is an operator of the scenario `chain`: it copies each object it sees into another namespace.
type Copier struct {
	to string
	// count is the number of objects that were copied.
	count uint64
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
	nonce, err := bench.Field(event.Object.Spec, "nonce")
	if err != nil {
		return err
	}
	if nonce == nil {
		return errors.New("the spec has no `nonce`")
	}
	spec := `{"nonce":` + string(nonce) + `,"count":` + strconv.FormatUint(copier.count+1, 10) + `}`
	key := event.Object.Key
	key.Namespace = copier.to
	if _, err := plane.Apply(key, []byte(spec)); err != nil {
		return err
	}
	copier.count++
	return nil
}

func (copier *Copier) Suspend() []byte {
	return []byte(strconv.FormatUint(copier.count, 10) + " " + copier.to)
}

func (copier *Copier) Resume(state []byte) error {
	count, to, _ := strings.Cut(string(state), " ")
	number, err := strconv.ParseUint(count, 10, 64)
	if err != nil {
		return errors.New("the state is of another version")
	}
	copier.to, copier.count = to, number
	return nil
}

// printer is a control plane that prints what is applied.
type printer struct{ bench.Plane }

func (printer) Apply(key bench.Key, spec []byte) (uint64, error) {
	fmt.Printf("%s/%s/%s %s\n", key.Kind, key.Namespace, key.Name, spec)
	return 1, nil
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
	seen := func(name, spec string) {
		key := bench.Key{Kind: "TestResource", Namespace: "a", Name: name}
		event := bench.Event{Type: bench.Added, Object: bench.Object{Key: key, ResourceVersion: 1, Spec: []byte(spec)}}
		if err := operator.Reconcile(printer{}, event); err != nil {
			fmt.Println(err)
		}
	}
	seen("x", `{"nonce":7}`)
	// Another instance takes over.
	state := operator.Suspend()
	operator = new(Copier)
	if err := operator.Resume(state); err != nil {
		fmt.Println(err)
	}
	seen("y", `{"nonce":8,"count":1}`)
	seen("z", `{}`)
	// Output:
	// copier [{TestResource a}]
	// TestResource/b/x {"nonce":7,"count":1}
	// TestResource/b/y {"nonce":8,"count":2}
	// the spec has no `nonce`
}
