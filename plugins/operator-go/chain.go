package main

import "bench-host/sdk-go/bench"

// describe says what can be measured: what the operator in Rust says, for the arms that Go has.
func describe() bench.Descriptor {
	summary := "Operators in Go, each of which applies what it sees to the next."
	return bench.NewDescriptor("operator-go", "0.1.0", summary, chain())
}

// chain is a nonce that goes from namespace to namespace.
func chain() bench.Scenario {
	count := bench.NewParameter("count", 10, "operators, each of which watches one namespace and writes into the next")
	rate := bench.NewParameter("rate", 0, "nonces a second, whether those before have arrived or not; 0 is one after the other")
	idle := bench.NewParameter("idle_ms", 2000, "for how long an operator has nothing to do before it is unloaded")
	deadline := bench.NewParameter("deadline_ms", 10_000, "after how long a nonce that has not arrived is late")
	plane := bench.NewParameter("control_plane", "embedded", "where objects are kept: in the worker, or by an API server")
	suspend := bench.NewParameter("suspend", "own", "what is kept of an operator: what it says, or an image of its memory")
	clock := "from a nonce being meant to be written to it being seen behind the last operator, all of them loaded"
	return bench.NewScenario("chain", "operators", "A nonce goes through all namespaces, an operator between each two.").
		InArms(bench.Wasm, bench.Process).
		TimesItself(bench.Nanoseconds, clock).
		WithParameters(
			count.Between(1, 10_000),
			rate.In("1/s").Between(0, 1_000_000),
			idle.In("ms").Between(1, 600_000),
			deadline.In("ms").Between(1, 600_000),
			plane.OneOf("embedded", "kube"),
			suspend.OneOf("own", "memory"),
		).
		WithMetrics(measures()...)
}

// measures are what the driver records beside the chain.
func measures() []bench.Metric {
	lower := func(name, unit, summary string, labels ...string) bench.Metric {
		return bench.Metric{Name: name, Unit: unit, Summary: summary, Labels: labels}
	}
	count := func(name, summary string) bench.Metric {
		return bench.Metric{Name: name, Unit: bench.Count, Summary: summary, Direction: bench.Neutral}
	}
	return []bench.Metric{
		lower("hop", bench.Nanoseconds, "The time of a chain, divided by its operators."),
		lower("load", bench.Nanoseconds, "One operator made, started and watching."),
		lower("load_all", bench.Nanoseconds, "All operators made, started and watching."),
		lower("unload", bench.Nanoseconds, "One operator suspended and dropped."),
		lower("wake", bench.Nanoseconds, "From an event being taken to it being reconciled by an operator that was unloaded."),
		lower("chain_cold", bench.Nanoseconds, "From a nonce being written to it being seen behind the last operator, all of them unloaded."),
		lower("state", bench.Bytes, "What one operator keeps while it is unloaded."),
		lower("memory_pss", bench.Bytes, "Proportional set size of the worker and of its operators' processes.", "phase"),
		lower("memory_private", bench.Bytes, "Private memory of the worker and of its operators' processes.", "phase"),
		lower("memory_at", bench.Nanoseconds, "When memory was looked at, since the first operator was made.", "phase"),
		count("sent", "Nonces written into the first namespace."),
		count("seen", "Nonces seen behind the last operator in time."),
		count("late", "Nonces seen behind the last operator after the deadline."),
		count("failed", "Nonces not seen behind the last operator."),
		count("retried", "Times that an event was tried again."),
	}
}
