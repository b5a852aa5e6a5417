package main

import "bench-host/sdk-go/bench"

// describe returns the same descriptor as the operator in Rust, for the arms that Go supports.
func describe() bench.Descriptor {
	summary := "Operators in Go, each of which copies what it sees to the next namespace."
	return bench.NewDescriptor("operator-go", "0.1.0", summary, chain())
}

// chain is the scenario: a token that passes from namespace to namespace.
func chain() bench.Scenario {
	count := bench.NewParameter("count", 10, "operators, each of which watches one namespace and writes into the next")
	rate := bench.NewParameter("rate", 0, "open-loop send rate in tokens per second; 0 sends the next token when the last has arrived")
	idle := bench.NewParameter("idle_ms", 2000, "idle time after which an operator is unloaded")
	deadline := bench.NewParameter("deadline_ms", 10_000, "time after which a token counts as late")
	plane := bench.NewParameter("control_plane", "embedded", "where API objects are stored: in the worker (embedded), or in the API server of a kubeconfig (kube)")
	suspend := bench.NewParameter("suspend", "own", "what is kept of an unloaded operator: the state that it exports (own), or an image of its memory (memory)")
	clock := "from when a token is due to be written until it is seen behind the last operator, with all operators loaded"
	return bench.NewScenario("chain", "operators", "A token passes through all namespaces, with one operator between each two.").
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

// measures returns the metrics that the driver records besides the chain.
func measures() []bench.Metric {
	lower := func(name, unit, summary string, labels ...string) bench.Metric {
		return bench.Metric{Name: name, Unit: unit, Summary: summary, Labels: labels}
	}
	count := func(name, summary string) bench.Metric {
		return bench.Metric{Name: name, Unit: bench.Count, Summary: summary, Direction: bench.Neutral}
	}
	return []bench.Metric{
		lower("hop", bench.Nanoseconds, "The time of a chain divided by the number of its operators."),
		lower("load", bench.Nanoseconds, "One operator instantiated, started and watching."),
		lower("load_all", bench.Nanoseconds, "All operators instantiated, started and watching."),
		lower("unload", bench.Nanoseconds, "One operator suspended and dropped."),
		lower("wake", bench.Nanoseconds, "From taking an event until an operator that was unloaded has reconciled it."),
		lower("chain_cold", bench.Nanoseconds, "From writing a token until it is seen behind the last operator, with all operators unloaded."),
		lower("state", bench.Bytes, "Bytes that are kept of one unloaded operator."),
		lower("memory_pss", bench.Bytes, "Proportional set size (PSS) of the worker and its operator processes.", "phase"),
		lower("memory_private", bench.Bytes, "Private memory of the worker and its operator processes.", "phase"),
		lower("memory_at", bench.Nanoseconds, "Time of the memory measurement since the first operator was instantiated.", "phase"),
		count("sent", "Tokens written into the first namespace."),
		count("seen", "Tokens seen behind the last operator in time."),
		count("late", "Tokens seen behind the last operator after the deadline."),
		count("failed", "Tokens not seen behind the last operator."),
		count("retried", "Retries of events."),
	}
}
