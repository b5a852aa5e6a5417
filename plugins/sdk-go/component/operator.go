//go:build wasip1

package component

import (
	"unsafe"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/internal/abi"
)

// ended is the result of a call, while the host reads it.
var ended struct {
	// result is a result whose values are lists: its case, and the list.
	result struct {
		isError bool
		value   abi.List
	}
	// plain is a list without a result around it.
	plain abi.List
	// The storage of the list.
	watches []watch
	names   []bench.Watch
	state   []byte
	reason  string
}

// watch is a record of two strings.
type watch struct {
	kind, namespace abi.List
}

// pair is a name and a value.
type pair struct {
	name, value abi.List
}

//go:wasmexport bench-host:operator/operator@0.2.0#start
func start(at unsafe.Pointer, length uint32) unsafe.Pointer {
	defer abi.Release()
	arguments := make(bench.Arguments, length)
	for index, pair := range unsafe.Slice((*pair)(at), length) {
		arguments[index] = bench.Argument{Name: string(pair.name.Bytes()), Value: string(pair.value.Bytes())}
	}
	wanted, err := Operator.Start(plane{}, arguments)
	ended.names, ended.watches = wanted, make([]watch, len(wanted))
	for index, one := range wanted {
		ended.watches[index] = watch{abi.Text(one.Kind), abi.Text(one.Namespace)}
	}
	return end(err, abi.ListOf(ended.watches))
}

//go:wasmexport bench-host:operator/operator@0.2.0#reconcile
func reconcile(
	which uint32, kind unsafe.Pointer, kindBytes uint32, namespace unsafe.Pointer, namespaceBytes uint32,
	name unsafe.Pointer, nameBytes uint32, version uint64, spec unsafe.Pointer, specBytes uint32,
) unsafe.Pointer {
	defer abi.Release()
	abi.Collect()
	event := bench.Event{Type: bench.EventType(which), Object: bench.Object{
		Key: bench.Key{
			Kind:      seen.kind.string(unsafe.Slice((*byte)(kind), kindBytes)),
			Namespace: seen.namespace.string(unsafe.Slice((*byte)(namespace), namespaceBytes)),
			Name:      seen.name.string(unsafe.Slice((*byte)(name), nameBytes)),
		},
		ResourceVersion: version,
	}}
	if event.Type != bench.Deleted {
		event.Object.Spec = unsafe.Slice((*byte)(spec), specBytes)
	}
	return end(Operator.Reconcile(plane{}, event), abi.List{})
}

//go:wasmexport bench-host:operator/operator@0.2.0#suspend
func suspend() unsafe.Pointer {
	abi.Release()
	ended.state = Operator.Suspend()
	ended.plain = abi.ListOf(ended.state)
	return unsafe.Pointer(&ended.plain)
}

//go:wasmexport bench-host:operator/operator@0.2.0#resume
func resume(state *byte, length uint32) unsafe.Pointer {
	defer abi.Release()
	return end(Operator.Resume(unsafe.Slice(state, length)), abi.List{})
}

// end makes the result of a call for the host.
func end(err error, value abi.List) unsafe.Pointer {
	ended.result.isError, ended.result.value = err != nil, value
	if err != nil {
		ended.reason = err.Error()
		ended.result.value = abi.Text(ended.reason)
	}
	return unsafe.Pointer(&ended.result)
}

// seen caches the last strings of keys, so that repeated ones are not allocated again.
var seen struct {
	kind, namespace, name last
}

type last struct {
	words string
}

// string returns the bytes as a Go string.
func (last *last) string(bytes []byte) string {
	if last.words != string(bytes) {
		last.words = string(bytes)
	}
	return last.words
}
