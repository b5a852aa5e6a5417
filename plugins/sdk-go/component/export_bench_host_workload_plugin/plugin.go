//go:build wasip1

// Package export_bench_host_workload_plugin is where the bindings look for what the component says of itself.
package export_bench_host_workload_plugin

import (
	wit "bench-host/bindings/bench_host_workload_types"
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/component"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

// Describe says what can be measured.
func Describe() wit.Descriptor {
	descriptor := component.Describe()
	return wit.Descriptor{
		Name:      descriptor.Name,
		Version:   descriptor.Version,
		Summary:   descriptor.Summary,
		Scenarios: each(descriptor.Scenarios, scenario),
	}
}

func scenario(scenario bench.Scenario) wit.Scenario {
	limit := witTypes.None[string]()
	if scenario.Limit != "" {
		limit = witTypes.Some(scenario.Limit)
	}
	return wit.Scenario{
		Name:         scenario.Name,
		Driver:       scenario.Driver,
		Family:       scenario.Family,
		Summary:      scenario.Summary,
		Limit:        limit,
		Parameters:   each(scenario.Parameters, parameter),
		Metrics:      each(scenario.Metrics, metric),
		Requirements: each(scenario.Requirements, requirement),
	}
}

func parameter(parameter bench.Parameter) wit.Parameter {
	return wit.Parameter{
		Name:     parameter.Name,
		Summary:  parameter.Summary,
		Unit:     parameter.Unit,
		Defaults: each(parameter.Defaults, value),
		Domain:   domain(parameter.Domain),
	}
}

func domain(domain bench.Domain) wit.Domain {
	switch {
	case len(domain.Choices) > 0:
		return wit.MakeDomainChoices(each(domain.Choices, value))
	case domain.Low != nil && domain.High != nil:
		return wit.MakeDomainBetween(witTypes.Tuple2[wit.Value, wit.Value]{F0: value(*domain.Low), F1: value(*domain.High)})
	default:
		return wit.MakeDomainAny()
	}
}

func value(value bench.Value) wit.Value {
	switch scalar := value.Scalar().(type) {
	case bool:
		return wit.MakeValueFlag(scalar)
	case int64:
		return wit.MakeValueInteger(scalar)
	case float64:
		return wit.MakeValueDecimal(scalar)
	default:
		return wit.MakeValueText(scalar.(string))
	}
}

func metric(metric bench.Metric) wit.Metric {
	return wit.Metric{
		Name:      metric.Name,
		Unit:      metric.Unit,
		Summary:   metric.Summary,
		Direction: wit.Direction(metric.Direction),
		Labels:    metric.Labels,
	}
}

func requirement(requirement bench.Requirement) wit.Requirement {
	return wit.Requirement(requirement)
}

func each[From, To any](from []From, convert func(From) To) []To {
	to := make([]To, len(from))
	for index, item := range from {
		to[index] = convert(item)
	}
	return to
}
