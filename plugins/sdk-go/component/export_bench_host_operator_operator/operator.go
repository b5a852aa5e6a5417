//go:build wasip1

// Package export_bench_host_operator_operator is where the bindings look for the operator that the component exports.
package export_bench_host_operator_operator

import (
	"bench-host/bindings/bench_host_operator_operator"
	"bench-host/bindings/bench_host_operator_types"
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/component"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

// Start starts the operator.
func Start(arguments []witTypes.Tuple2[string, string]) witTypes.Result[[]bench_host_operator_operator.Watch, string] {
	given := make(bench.Arguments, len(arguments))
	for index, argument := range arguments {
		given[index] = bench.Argument{Name: argument.F0, Value: argument.F1}
	}
	wanted, err := component.Operator.Start(plane{}, given)
	if err != nil {
		return witTypes.Err[[]bench_host_operator_operator.Watch, string](err.Error())
	}
	watches := make([]bench_host_operator_operator.Watch, len(wanted))
	for index, watch := range wanted {
		watches[index] = bench_host_operator_operator.Watch(watch)
	}
	return witTypes.Ok[[]bench_host_operator_operator.Watch, string](watches)
}

// Reconcile hands an event on.
func Reconcile(event bench_host_operator_types.Event) witTypes.Result[witTypes.Unit, string] {
	component.Collect()
	given := bench.Event{}
	switch event.Tag() {
	case bench_host_operator_types.EventAdded:
		given = bench.Event{Type: bench.Added, Object: object(event.Added())}
	case bench_host_operator_types.EventModified:
		given = bench.Event{Type: bench.Modified, Object: object(event.Modified())}
	default:
		deleted := event.Deleted()
		given = bench.Event{Type: bench.Deleted, Object: bench.Object{Key: bench.Key(deleted.F0), ResourceVersion: deleted.F1}}
	}
	return done(component.Operator.Reconcile(plane{}, given))
}

// Suspend gives what the operator keeps.
func Suspend() []uint8 {
	return component.Operator.Suspend()
}

// Resume gives it back.
func Resume(state []uint8) witTypes.Result[witTypes.Unit, string] {
	return done(component.Operator.Resume(state))
}

func done(err error) witTypes.Result[witTypes.Unit, string] {
	if err != nil {
		return witTypes.Err[witTypes.Unit, string](err.Error())
	}
	return witTypes.Ok[witTypes.Unit, string](witTypes.Unit{})
}
