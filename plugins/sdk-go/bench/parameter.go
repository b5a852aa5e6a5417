package bench

import "strconv"

// Parameter is a parameter of a scenario. All of its values are of one type.
type Parameter struct {
	// Name is unique in its scenario, with the unit last (`payload_bytes`).
	Name string `json:"name"`
	// Summary is one line for `list`.
	Summary string `json:"summary"`
	// Unit is the unit of its values; empty if there is none.
	Unit string `json:"unit,omitempty"`
	// Defaults are the default values, each of which makes cells of its own. Never empty.
	Defaults []Value `json:"defaults"`
	// Domain is the set of allowed values.
	Domain Domain `json:"domain"`
}

// Domain is the set of allowed values of a parameter: one of Choices, or else from Low to High, inclusive, or else any.
type Domain struct {
	Choices   []Value
	Low, High *Value
}

// Value is a value of a parameter: a bool, int64, float64 or string.
type Value struct {
	scalar any
}

// ValueOf makes a value from a bool, int, int64, float64 or string, and panics for any other type.
func ValueOf(scalar any) Value {
	switch scalar := scalar.(type) {
	case int:
		return Value{int64(scalar)}
	case bool, int64, float64, string:
		return Value{scalar}
	case Value:
		return scalar
	default:
		panic("bench: the value of a parameter must be a bool, int, int64, float64 or string")
	}
}

// Scalar returns the value as a bool, int64, float64 or string.
func (value Value) Scalar() any {
	return value.scalar
}

// NewParameter returns a parameter with one default, of a type that ValueOf accepts, without a unit, and with all values of the type
// allowed.
func NewParameter(name string, usual any, summary string) Parameter {
	return Parameter{Name: name, Summary: summary, Defaults: []Value{ValueOf(usual)}}
}

// In returns the parameter with a unit.
func (parameter Parameter) In(unit string) Parameter {
	parameter.Unit = unit
	return parameter
}

// Sweep returns the parameter with these default values.
func (parameter Parameter) Sweep(scalars ...any) Parameter {
	parameter.Defaults = values(scalars)
	return parameter
}

// OneOf returns the parameter, restricted to these values.
func (parameter Parameter) OneOf(scalars ...any) Parameter {
	parameter.Domain = Domain{Choices: values(scalars)}
	return parameter
}

// Between returns the parameter, restricted to the values from low to high, inclusive.
func (parameter Parameter) Between(low, high any) Parameter {
	from, to := ValueOf(low), ValueOf(high)
	parameter.Domain = Domain{Low: &from, High: &to}
	return parameter
}

func values(scalars []any) []Value {
	values := make([]Value, len(scalars))
	for index, scalar := range scalars {
		values[index] = ValueOf(scalar)
	}
	return values
}

// MarshalJSON returns a scalar. A decimal has a point or an exponent and an integer has neither, so that the host can distinguish
// them.
func (value Value) MarshalJSON() ([]byte, error) {
	switch scalar := value.scalar.(type) {
	case bool:
		return strconv.AppendBool(nil, scalar), nil
	case int64:
		return strconv.AppendInt(nil, scalar, 10), nil
	case float64:
		return strconv.AppendFloat(nil, scalar, 'e', -1, 64), nil
	default:
		return Quote(nil, value.scalar.(string)), nil
	}
}

// MarshalJSON returns `"any"`, `{"choices":[…]}` or `{"between":[low,high]}`.
func (domain Domain) MarshalJSON() ([]byte, error) {
	var name string
	values := domain.Choices
	switch {
	case len(domain.Choices) > 0:
		name = "choices"
	case domain.Low != nil && domain.High != nil:
		name, values = "between", []Value{*domain.Low, *domain.High}
	default:
		return []byte(`"any"`), nil
	}
	text := append([]byte(`{"`), name...)
	text = append(text, `":[`...)
	for index, value := range values {
		if index > 0 {
			text = append(text, ',')
		}
		scalar, err := value.MarshalJSON()
		if err != nil {
			return nil, err
		}
		text = append(text, scalar...)
	}
	return append(text, `]}`...), nil
}
