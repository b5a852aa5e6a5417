//go:build wasip1

package abi

import (
	"math"
	"unsafe"

	"bench-host/sdk-go/bench"
)

// The records of a descriptor, in their memory layout.
type (
	descriptor struct {
		name, version, summary, scenarios List
	}
	scenario struct {
		name, driver, family, summary     List
		hasLimit                          bool
		limit                             List
		parameters, metrics, requirements List
	}
	parameter struct {
		name, summary, unit, defaults List
		domain                        domain
	}
	// domain holds a list of values, or two values, each of which is two words.
	domain struct {
		which  uint8
		values [4]uint64
	}
	value struct {
		which  uint8
		scalar uint64
	}
	metric struct {
		name, summary, unit List
		direction           uint8
		labels              List
	}
	requirement struct {
		capability, purpose List
		isOptional          bool
	}
)

// The cases of variants.
const (
	valueFlag = iota
	valueInteger
	valueDecimal
	valueText
)

const (
	domainAny = iota
	domainChoices
	domainBetween
)

// described is the descriptor while the host reads it.
var described struct {
	descriptor descriptor
	// holds are the parts of the descriptor, kept alive.
	holds []any
}

//go:wasmexport bench-host:workload/plugin@0.1.0#describe
func describe() unsafe.Pointer {
	Release()
	given := Describe()
	described.descriptor = descriptor{
		name:      hold(given.Name),
		version:   hold(given.Version),
		summary:   hold(given.Summary),
		scenarios: each(given.Scenarios, scenarioOf),
	}
	return unsafe.Pointer(&described.descriptor)
}

//go:wasmexport cabi_post_bench-host:workload/plugin@0.1.0#describe
func describeEnds(unsafe.Pointer) {
	described.holds = nil
}

func scenarioOf(given bench.Scenario) scenario {
	return scenario{
		name:         hold(given.Name),
		driver:       hold(given.Driver),
		family:       hold(given.Family),
		summary:      hold(given.Summary),
		hasLimit:     given.Limit != "",
		limit:        hold(given.Limit),
		parameters:   each(given.Parameters, parameterOf),
		metrics:      each(given.Metrics, metricOf),
		requirements: each(given.Requirements, requirementOf),
	}
}

func parameterOf(given bench.Parameter) parameter {
	return parameter{
		name:     hold(given.Name),
		summary:  hold(given.Summary),
		unit:     hold(given.Unit),
		defaults: each(given.Defaults, valueOf),
		domain:   domainOf(given.Domain),
	}
}

func domainOf(given bench.Domain) domain {
	switch {
	case len(given.Choices) > 0:
		return domain{which: domainChoices, values: [4]uint64{Word(each(given.Choices, valueOf))}}
	case given.Low != nil && given.High != nil:
		low, high := valueOf(*given.Low), valueOf(*given.High)
		return domain{domainBetween, [4]uint64{uint64(low.which), low.scalar, uint64(high.which), high.scalar}}
	default:
		return domain{which: domainAny}
	}
}

func valueOf(given bench.Value) value {
	switch scalar := given.Scalar().(type) {
	case bool:
		if scalar {
			return value{valueFlag, 1}
		}
		return value{valueFlag, 0}
	case int64:
		return value{valueInteger, uint64(scalar)}
	case float64:
		return value{valueDecimal, math.Float64bits(scalar)}
	default:
		return value{valueText, Word(hold(scalar.(string)))}
	}
}

func metricOf(given bench.Metric) metric {
	return metric{
		name:      hold(given.Name),
		summary:   hold(given.Summary),
		unit:      hold(given.Unit),
		direction: uint8(given.Direction),
		labels:    each(given.Labels, hold),
	}
}

func requirementOf(given bench.Requirement) requirement {
	return requirement{hold(given.Capability), hold(given.Purpose), given.Optional}
}

// Word returns a list as one word.
func Word(list List) uint64 {
	return uint64(list.at) | uint64(list.length)<<32
}

// hold returns a text, which is kept until the host has read it.
func hold(words string) List {
	described.holds = append(described.holds, words)
	return Text(words)
}

func each[From, To any](from []From, convert func(From) To) List {
	to := make([]To, len(from))
	for index, item := range from {
		to[index] = convert(item)
	}
	described.holds = append(described.holds, to)
	return ListOf(to)
}
