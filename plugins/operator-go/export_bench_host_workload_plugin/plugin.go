// Package export_bench_host_workload_plugin is where the bindings look for what the component says of itself: the scenario of
// the operator in Rust, in the words of this one. It must not know how the operator works.
package export_bench_host_workload_plugin

import (
	wit "wit_component/bench_host_workload_types"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

// Describe says what can be measured.
func Describe() wit.Descriptor {
	return wit.Descriptor{
		Name:      "operator-go",
		Version:   "0.1.0",
		Summary:   "Operators in Go, each of which applies what it sees to the next.",
		Scenarios: []wit.Scenario{chain()},
	}
}

// chain is a nonce that goes from namespace to namespace.
func chain() wit.Scenario {
	return wit.Scenario{
		Name:    "chain",
		Driver:  "operator",
		Family:  "operators",
		Summary: "A nonce goes through all namespaces, an operator between each two.",
		Limit:   witTypes.None[string](),
		Parameters: []wit.Parameter{
			number("count", "operators, each of which watches one namespace and writes into the next", "", 10, 1, 10_000),
			number("rate", "nonces a second, whether those before have arrived or not; 0 is one after the other", "1/s", 0, 0, 1_000_000),
			number("idle_ms", "for how long an operator has nothing to do before it is unloaded", "ms", 2000, 1, 600_000),
			number("deadline_ms", "after how long a nonce that has not arrived is late", "ms", 10_000, 1, 600_000),
			choice("control_plane", "where objects are kept: in the worker, or by an API server", "embedded", "kube"),
			choice("suspend", "what is kept of an operator: what it says, or an image of its memory", "own", "memory"),
		},
		Metrics: metrics(),
		Requirements: []wit.Requirement{
			{Capability: "clock:own", Purpose: "only its own clock starts and stops with what is measured"},
			{Capability: "arm:wasm,process", Purpose: "is measured in this arm", Optional: true},
		},
	}
}

func number(name, summary, unit string, usual, low, high int64) wit.Parameter {
	bounds := witTypes.Tuple2[wit.Value, wit.Value]{F0: wit.MakeValueInteger(low), F1: wit.MakeValueInteger(high)}
	return wit.Parameter{
		Name:     name,
		Summary:  summary,
		Unit:     unit,
		Defaults: []wit.Value{wit.MakeValueInteger(usual)},
		Domain:   wit.MakeDomainBetween(bounds),
	}
}

// choice is of words, of which the first is usual.
func choice(name, summary string, words ...string) wit.Parameter {
	values := make([]wit.Value, len(words))
	for index, word := range words {
		values[index] = wit.MakeValueText(word)
	}
	return wit.Parameter{Name: name, Summary: summary, Defaults: values[:1], Domain: wit.MakeDomainChoices(values)}
}

// metrics are what the driver records.
func metrics() []wit.Metric {
	lower := func(name, unit, summary string, labels ...string) wit.Metric {
		return wit.Metric{Name: name, Unit: unit, Summary: summary, Direction: wit.DirectionLowerIsBetter, Labels: labels}
	}
	count := func(name, summary string) wit.Metric {
		return wit.Metric{Name: name, Unit: "1", Summary: summary, Direction: wit.DirectionNeutral}
	}
	return []wit.Metric{
		lower("chain", "ns", "from a nonce being meant to be written to it being seen behind the last operator, all of them loaded"),
		lower("hop", "ns", "The time of a chain, divided by its operators."),
		lower("load", "ns", "One operator made, started and watching."),
		lower("load_all", "ns", "All operators made, started and watching."),
		lower("unload", "ns", "One operator suspended and dropped."),
		lower("wake", "ns", "From an event being taken to it being reconciled by an operator that was unloaded."),
		lower("chain_cold", "ns", "From a nonce being written to it being seen behind the last operator, all of them unloaded."),
		lower("state", "By", "What one operator keeps while it is unloaded."),
		lower("memory_pss", "By", "Proportional set size of the worker and of its operators' processes.", "phase"),
		lower("memory_private", "By", "Private memory of the worker and of its operators' processes.", "phase"),
		lower("memory_at", "ns", "When memory was looked at, since the first operator was made.", "phase"),
		count("sent", "Nonces written into the first namespace."),
		count("seen", "Nonces seen behind the last operator in time."),
		count("late", "Nonces seen behind the last operator after the deadline."),
		count("failed", "Nonces not seen behind the last operator."),
		count("retried", "Times that an event was tried again."),
	}
}
