package bench

import "slices"

// Descriptor describes a module: its name and its scenarios.
type Descriptor struct {
	// Name is the part before the slash in `module/scenario`.
	Name string `json:"name"`
	// Version is the version of the module.
	Version string `json:"version"`
	// Summary is one line for `list`.
	Summary string `json:"summary"`
	// Scenarios are the benchmarks of the module; never empty.
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario is one benchmark of a module.
type Scenario struct {
	// Name is unique in its module.
	Name string `json:"name"`
	// Driver is the interface through which the host executes it: `workload`, `operator` or `handler`.
	Driver string `json:"driver"`
	// Family groups scenarios of several modules in reports.
	Family string `json:"family"`
	// Summary says in one line what one operation does.
	Summary string `json:"summary"`
	// Limit is the roofline that one operation is compared with; empty if there is none.
	Limit        string        `json:"limit,omitempty"`
	Parameters   []Parameter   `json:"parameters,omitempty"`
	Metrics      []Metric      `json:"metrics,omitempty"`
	Requirements []Requirement `json:"requirements,omitempty"`
}

// Metric describes a series of the scenario. The zero value of Direction means that lower is better.
type Metric struct {
	// Name is the name of the metric.
	Name string `json:"name"`
	// Summary says what is counted, or where the clock starts and stops.
	Summary string `json:"summary"`
	// Unit is the base unit of every sample: Nanoseconds, Bytes or Count.
	Unit      string    `json:"unit"`
	Direction Direction `json:"direction"`
	// Labels are the names of the labels, in order.
	Labels []string `json:"labels,omitempty"`
}

// Requirement is something that a scenario needs and that its imports do not show.
type Requirement struct {
	// Capability is what is needed, such as `clock:own`, `arm:wasm,process` or `cpu:2`.
	Capability string `json:"capability"`
	// Purpose says in one line why it is needed.
	Purpose string `json:"purpose"`
	// Optional says that the scenario also runs without it.
	Optional bool `json:"optional,omitempty"`
}

// The base units, by their UCUM names.
const (
	Nanoseconds = "ns"
	Bytes       = "By"
	Count       = "1"
)

// Arm is a way of executing a scenario.
type Arm string

// The arms of a module in Go.
const (
	// Wasm is a component in the host.
	Wasm Arm = "wasm"
	// Process is one operating-system process per operator.
	Process Arm = "process"
)

// Direction says whether lower or higher is better.
type Direction uint8

// The directions, in the order of the WIT.
const (
	LowerIsBetter Direction = iota
	HigherIsBetter
	Neutral
)

// MarshalText returns the name in the JSON of a descriptor.
func (direction Direction) MarshalText() ([]byte, error) {
	return []byte([...]string{"lower-is-better", "higher-is-better", "neutral"}[direction]), nil
}

// NewDescriptor returns a descriptor with these scenarios.
func NewDescriptor(name, version, summary string, scenarios ...Scenario) Descriptor {
	return Descriptor{Name: name, Version: version, Summary: summary, Scenarios: scenarios}
}

// NewScenario returns a scenario for the driver `operator`, without parameters.
func NewScenario(name, family, summary string) Scenario {
	return Scenario{Name: name, Driver: "operator", Family: family, Summary: summary}
}

// Uses returns the scenario as its driver specifies it. Whatever is set overrides the specification or adds to it.
func Uses(driver, name string) Scenario {
	return Scenario{Name: name, Driver: driver}
}

// InArms returns the scenario, restricted to these arms.
func (scenario Scenario) InArms(arms ...Arm) Scenario {
	capability := "arm:"
	for index, arm := range arms {
		if index > 0 {
			capability += ","
		}
		capability += string(arm)
	}
	return scenario.Requires(capability, "it is meaningless in other arms")
}

// TimesItself returns the scenario, changed to time itself: its driver or its module records the series with the scenario's name.
func (scenario Scenario) TimesItself(unit, summary string) Scenario {
	scenario = scenario.Requires("clock:own", "the module has to start and stop the clock itself")
	return scenario.WithMetrics(Metric{Name: scenario.Name, Unit: unit, Summary: summary})
}

// WithParameters returns the scenario with additional parameters.
func (scenario Scenario) WithParameters(parameters ...Parameter) Scenario {
	scenario.Parameters = slices.Concat(scenario.Parameters, parameters)
	return scenario
}

// WithMetrics returns the scenario with additional metrics.
func (scenario Scenario) WithMetrics(metrics ...Metric) Scenario {
	scenario.Metrics = slices.Concat(scenario.Metrics, metrics)
	return scenario
}

// Requires returns the scenario with an additional requirement.
func (scenario Scenario) Requires(capability, purpose string) Scenario {
	return scenario.with(Requirement{Capability: capability, Purpose: purpose})
}

// CanUse returns the scenario with an additional optional requirement.
func (scenario Scenario) CanUse(capability, purpose string) Scenario {
	return scenario.with(Requirement{Capability: capability, Purpose: purpose, Optional: true})
}

func (scenario Scenario) with(requirement Requirement) Scenario {
	scenario.Requirements = slices.Concat(scenario.Requirements, []Requirement{requirement})
	return scenario
}
