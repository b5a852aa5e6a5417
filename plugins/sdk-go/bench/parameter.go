package bench

import "strconv"

// Parameter is a knob. All of its values are of one type.
type Parameter struct {
	// Name is unique in its scenario; the unit comes last (`payload_bytes`).
	Name string `json:"name"`
	// Summary is one line for `list`.
	Summary string `json:"summary"`
	// Unit is the unit of its values; empty where there is none.
	Unit string `json:"unit,omitempty"`
	// Defaults are what runs where the user says nothing; several are an axis. Never empty.
	Defaults []Value `json:"defaults"`
	// Domain is what may be asked for.
	Domain Domain `json:"domain"`
}

// Domain is the values that a parameter may take: one of Choices, or else from Low to High, both included, or else any.
type Domain struct {
	Choices   []Value
	Low, High *Value
}

// Value is that of a parameter: it holds a bool, int64, float64 or string.
type Value struct {
	scalar any
}

// ValueOf makes a value out of a bool, int, int64, float64 or string, and panics for any other type.
func ValueOf(scalar any) Value {
	switch scalar := scalar.(type) {
	case int:
		return Value{int64(scalar)}
	case bool, int64, float64, string:
		return Value{scalar}
	case Value:
		return scalar
	default:
		panic("bench: the value of a parameter is a bool, an int, an int64, a float64 or a string")
	}
}

// Scalar is what it holds: a bool, int64, float64 or string.
func (value Value) Scalar() any {
	return value.scalar
}

// NewParameter is a parameter with one default, of a type that ValueOf takes, without a unit and for any value of that type.
func NewParameter(name string, usual any, summary string) Parameter {
	return Parameter{Name: name, Summary: summary, Defaults: []Value{ValueOf(usual)}}
}

// In is the same parameter in a unit.
func (parameter Parameter) In(unit string) Parameter {
	parameter.Unit = unit
	return parameter
}

// Sweep is the same parameter with these values as its usual axis.
func (parameter Parameter) Sweep(scalars ...any) Parameter {
	parameter.Defaults = values(scalars)
	return parameter
}

// OneOf is the same parameter for these values alone.
func (parameter Parameter) OneOf(scalars ...any) Parameter {
	parameter.Domain = Domain{Choices: values(scalars)}
	return parameter
}

// Between is the same parameter for the values from low to high alone, both included.
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

// MarshalJSON gives a scalar, of which a decimal has a point or an exponent and an integer has none: that is how the host tells
// them apart.
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

// MarshalJSON gives `"any"`, `{"choices":[…]}` or `{"between":[low,high]}`.
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
