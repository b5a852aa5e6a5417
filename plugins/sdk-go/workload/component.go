//go:build wasip1

package workload

import (
	"math"
	"unsafe"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/internal/abi"
)

// opener opens the sessions of this instance.
var opener Open

func export(describe func() bench.Descriptor, open Open) {
	abi.Describe, opener = describe, open
}

// sessions are those that are open; the number of one, from 1, is what the host's handle stands for.
var sessions []bench.Session

// ended are the results of calls, while the host reads them.
var ended struct {
	opened struct {
		isError uint32
		// first is the handle, or the case of the error.
		first  uint32
		reason abi.List
	}
	iterated struct {
		isError uint64
		// outcome, or the case of the error and its text.
		words [3]uint64
	}
	verified struct {
		isError uint32
		// A list of checks, or the case of the error and its text.
		words [3]uint32
	}
	checks []check
	names  []bench.Check
	text   string
}

// check is the record of the WIT in its memory layout.
type check struct {
	name   abi.List
	passed uint32
	detail abi.List
}

// argument is the record of the WIT in its memory layout.
type argument struct {
	name   abi.List
	which  uint8
	scalar uint64
}

//go:wasmimport [export]bench-host:workload/sessions@0.1.0 [resource-new]session
func newHandle(number uint32) uint32

//go:wasmexport bench-host:workload/sessions@0.1.0#[static]session.open
func open(name unsafe.Pointer, nameBytes uint32, at unsafe.Pointer, length uint32) unsafe.Pointer {
	defer abi.Release()
	scenario := string(unsafe.Slice((*byte)(name), nameBytes))
	session, err := opened(scenario, valuesOf(unsafe.Slice((*argument)(at), length)))
	result := &ended.opened
	if err != nil {
		result.isError = 1
		result.first, result.reason = failure(err)
		return unsafe.Pointer(result)
	}
	sessions = append(sessions, session)
	result.isError, result.first = 0, newHandle(uint32(len(sessions)))
	return unsafe.Pointer(result)
}

// opened opens a scenario that the descriptor has.
func opened(scenario string, arguments bench.Values) (bench.Session, error) {
	for _, known := range abi.Describe().Scenarios {
		if known.Name == scenario {
			return opener(scenario, arguments, host{})
		}
	}
	return nil, bench.UnknownScenarioError{Name: scenario}
}

//go:wasmexport bench-host:workload/sessions@0.1.0#[method]session.iterate
func iterate(number uint32, times uint64) unsafe.Pointer {
	abi.Collect()
	outcome, err := sessions[number-1].Iterate(times)
	result := &ended.iterated
	if err != nil {
		which, reason := failure(err)
		result.isError = 1
		// The text begins in the second half of the first word.
		text := abi.Word(reason)
		result.words = [3]uint64{uint64(which) | text<<32, text >> 32}
		return unsafe.Pointer(result)
	}
	result.isError, result.words = 0, [3]uint64{outcome.Operations, outcome.Bytes, outcome.Checksum}
	return unsafe.Pointer(result)
}

//go:wasmexport bench-host:workload/sessions@0.1.0#[method]session.verify
func verify(number uint32) unsafe.Pointer {
	found, err := sessions[number-1].Verify()
	result := &ended.verified
	if err != nil {
		which, reason := failure(err)
		text := abi.Word(reason)
		result.isError, result.words = 1, [3]uint32{which, uint32(text), uint32(text >> 32)}
		return unsafe.Pointer(result)
	}
	ended.names, ended.checks = found, make([]check, len(found))
	for index, one := range found {
		passed := uint32(0)
		if one.Passed {
			passed = 1
		}
		ended.checks[index] = check{abi.Text(one.Name), passed, abi.Text(one.Detail)}
	}
	list := abi.Word(abi.ListOf(ended.checks))
	result.isError, result.words = 0, [3]uint32{uint32(list), uint32(list >> 32)}
	return unsafe.Pointer(result)
}

//go:wasmexport bench-host:workload/sessions@0.1.0#[dtor]session
func drop(number uint32) {
	sessions[number-1] = nil
}

// failure returns the case of an error and its text, which is kept until the next failure.
func failure(err error) (uint32, abi.List) {
	ended.text = err.Error()
	which := uint32(4)
	switch err := err.(type) {
	case bench.UnknownScenarioError:
		which, ended.text = 0, err.Name
	case bench.InvalidError:
		which = 1
	case bench.DeniedError:
		which = 2
	case bench.UnavailableError:
		which = 3
	}
	return which, abi.Text(ended.text)
}

func valuesOf(arguments []argument) bench.Values {
	values := make(bench.Values, len(arguments))
	for index, argument := range arguments {
		values[index].Name = string(argument.name.Bytes())
		switch argument.which {
		case 0:
			values[index].Value = bench.ValueOf(uint8(argument.scalar) != 0)
		case 1:
			values[index].Value = bench.ValueOf(int64(argument.scalar))
		case 2:
			values[index].Value = bench.ValueOf(math.Float64frombits(argument.scalar))
		default:
			values[index].Value = bench.ValueOf(string(abi.ListAt(argument.scalar).Bytes()))
		}
	}
	return values
}

// host is the host of this instance.
type host struct{}

// series is a handle of the host.
type series uint32

//go:wasmimport bench-host:workload/metrics@0.1.0 [static]series.open
func openSeries(metric string, labels unsafe.Pointer, length uint32, to unsafe.Pointer)

//go:wasmimport bench-host:workload/metrics@0.1.0 [method]series.append
func appendSamples(series uint32, samples unsafe.Pointer, length uint32)

func (host) Series(metric string, labels ...bench.Argument) (bench.Series, error) {
	defer abi.Restore(abi.Used())
	pairs := make([][2]abi.List, len(labels))
	for index, label := range labels {
		pairs[index] = [2]abi.List{abi.Text(label.Name), abi.Text(label.Value)}
	}
	var answer struct {
		isError, first uint32
		reason         abi.List
	}
	openSeries(metric, unsafe.Pointer(unsafe.SliceData(pairs)), uint32(len(pairs)), unsafe.Pointer(&answer))
	if uint8(answer.isError) != 0 {
		return nil, bench.InvalidError{Reason: string(answer.reason.Bytes())}
	}
	return series(answer.first), nil
}

func (series series) Record(samples ...uint64) {
	appendSamples(uint32(series), unsafe.Pointer(unsafe.SliceData(samples)), uint32(len(samples)))
}
