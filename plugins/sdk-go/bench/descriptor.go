package bench

import "slices"

// Descriptor is what a module says of itself.
type Descriptor struct {
	// Name is the part before the slash in `module/scenario`.
	Name string `json:"name"`
	// Version is the module's own.
	Version string `json:"version"`
	// Summary is one line for `list`.
	Summary string `json:"summary"`
	// Scenarios are what can be measured; never empty.
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario is one thing that can be measured.
type Scenario struct {
	// Name is unique in its module.
	Name string `json:"name"`
	// Driver is how the host exercises it: `operator`.
	Driver string `json:"driver"`
	// Family groups scenarios of several modules in reports.
	Family string `json:"family"`
	// Summary is one operation, said in one line.
	Summary string `json:"summary"`
	// Limit is the limit of the machine that one operation is compared with; empty where there is none.
	Limit        string        `json:"limit,omitempty"`
	Parameters   []Parameter   `json:"parameters,omitempty"`
	Metrics      []Metric      `json:"metrics,omitempty"`
	Requirements []Requirement `json:"requirements,omitempty"`
}

// Metric is a series that the scenario has. The zero direction is that less is better.
type Metric struct {
	// Name says what is counted or timed.
	Name string `json:"name"`
	// Summary says where the clock starts and where it stops.
	Summary string `json:"summary"`
	// Unit is the base unit of every sample: Nanoseconds, Bytes or Count.
	Unit      string    `json:"unit"`
	Direction Direction `json:"direction"`
	// Labels are the names of labels, in order.
	Labels []string `json:"labels,omitempty"`
}

// Requirement is something that a scenario needs and that its imports do not show.
type Requirement struct {
	// Capability is its name: `clock:own`, `arm:wasm,process`, `cpu:2` and the like.
	Capability string `json:"capability"`
	// Purpose is why, in one line.
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

// Arm is how a scenario is executed.
type Arm string

// The arms that there are for a module in Go.
const (
	// Wasm is a component inside the host.
	Wasm Arm = "wasm"
	// Process is one process of the system for each operator.
	Process Arm = "process"
)

// Direction is which way is up.
type Direction uint8

// The directions, in the order that the host's interface has them.
const (
	LowerIsBetter Direction = iota
	HigherIsBetter
	Neutral
)

// MarshalText gives the name that a descriptor's JSON has for it.
func (direction Direction) MarshalText() ([]byte, error) {
	return []byte([...]string{"lower-is-better", "higher-is-better", "neutral"}[direction]), nil
}

// NewDescriptor is a descriptor of these scenarios.
func NewDescriptor(name, version, summary string, scenarios ...Scenario) Descriptor {
	return Descriptor{Name: name, Version: version, Summary: summary, Scenarios: scenarios}
}

// NewScenario is a scenario for the driver `operator`, without parameters.
func NewScenario(name, family, summary string) Scenario {
	return Scenario{Name: name, Driver: "operator", Family: family, Summary: summary}
}

// InArms is the same scenario in these arms alone.
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

// TimesItself is the same scenario, whose own series, of its name, is filled by its driver or by the module and not by the host.
func (scenario Scenario) TimesItself(unit, summary string) Scenario {
	scenario = scenario.Requires("clock:own", "the module has to start and stop the clock itself")
	return scenario.WithMetrics(Metric{Name: scenario.Name, Unit: unit, Summary: summary})
}

// WithParameters is the same scenario with further parameters.
func (scenario Scenario) WithParameters(parameters ...Parameter) Scenario {
	scenario.Parameters = slices.Concat(scenario.Parameters, parameters)
	return scenario
}

// WithMetrics is the same scenario with further metrics.
func (scenario Scenario) WithMetrics(metrics ...Metric) Scenario {
	scenario.Metrics = slices.Concat(scenario.Metrics, metrics)
	return scenario
}

// Requires is the same scenario with a further requirement.
func (scenario Scenario) Requires(capability, purpose string) Scenario {
	return scenario.with(Requirement{Capability: capability, Purpose: purpose})
}

// CanUse is the same scenario with a further requirement that it also runs without.
func (scenario Scenario) CanUse(capability, purpose string) Scenario {
	return scenario.with(Requirement{Capability: capability, Purpose: purpose, Optional: true})
}

func (scenario Scenario) with(requirement Requirement) Scenario {
	scenario.Requirements = slices.Concat(scenario.Requirements, []Requirement{requirement})
	return scenario
}
