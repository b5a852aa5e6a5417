// Package export_bench_host_operator_operator is where the bindings look for what the component exports: the operator, which
// the instance is. It must not know what the operator keeps.
package export_bench_host_operator_operator

import (
	"fmt"

	"wit_component/bench_host_operator_control_plane"
	"wit_component/bench_host_operator_operator"
	"wit_component/bench_host_operator_types"
	"wit_component/relay"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

// operator is this instance.
var operator relay.Relay

// Start begins with the namespaces that the arguments name.
func Start(arguments []witTypes.Tuple2[string, string]) witTypes.Result[[]bench_host_operator_operator.Watch, string] {
	named := make(map[string]string, len(arguments))
	for _, argument := range arguments {
		named[argument.F0] = argument.F1
	}
	if err := operator.Start(named); err != nil {
		return witTypes.Err[[]bench_host_operator_operator.Watch, string](err.Error())
	}
	watches := []bench_host_operator_operator.Watch{{Kind: relay.Kind, Namespace: operator.Watched}}
	return witTypes.Ok[[]bench_host_operator_operator.Watch, string](watches)
}

// Reconcile applies the nonce of an object that was written to the object of the same name in the next namespace.
func Reconcile(event bench_host_operator_types.Event) witTypes.Result[witTypes.Unit, string] {
	var object bench_host_operator_types.Object
	switch event.Tag() {
	case bench_host_operator_types.EventAdded:
		object = event.Added()
	case bench_host_operator_types.EventModified:
		object = event.Modified()
	default:
		return done(nil)
	}
	nonce, spec, err := operator.Spec(object.Key.Name, object.Spec)
	if err != nil {
		return done(err)
	}
	key := bench_host_operator_types.Key{Kind: relay.Kind, Namespace: operator.Applied, Name: object.Key.Name}
	if applied := bench_host_operator_control_plane.Apply(key, spec); applied.IsErr() {
		return done(fmt.Errorf("%s/%s: %s", key.Namespace, key.Name, reason(applied.Err())))
	}
	operator.Handled(nonce)
	return done(nil)
}

// Suspend gives what is kept while there is no instance.
func Suspend() []uint8 {
	return operator.Suspend()
}

// Resume takes it up.
func Resume(state []uint8) witTypes.Result[witTypes.Unit, string] {
	return done(operator.Resume(state))
}

func done(err error) witTypes.Result[witTypes.Unit, string] {
	if err != nil {
		return witTypes.Err[witTypes.Unit, string](err.Error())
	}
	return witTypes.Ok[witTypes.Unit, string](witTypes.Unit{})
}

func reason(err bench_host_operator_types.Error) string {
	switch err.Tag() {
	case bench_host_operator_types.ErrorNotFound:
		return "there is no such object"
	case bench_host_operator_types.ErrorConflict:
		return fmt.Sprintf("conflict with version %d: read it again", err.Conflict())
	case bench_host_operator_types.ErrorInvalid:
		return err.Invalid()
	default:
		return err.Unavailable()
	}
}
