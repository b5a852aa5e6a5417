package bench

// Session is an opened scenario for the driver `workload`. Its methods are called one after the other.
type Session interface {
	// Iterate executes `times` operations and nothing else, also for 0. It is timed.
	Iterate(times uint64) (Outcome, error)
	// Verify compares the result of the operations so far with one that was found in another way. Without checks there is no figure.
	Verify() ([]Check, error)
}

// Outcome says what a batch did.
type Outcome struct {
	// Operations is the number of executed operations: that which was asked for.
	Operations uint64
	// Bytes is the payload of all these operations; 0 if an operation has none.
	Bytes uint64
	// Checksum is a digest of the result of one operation, equal for equal arguments.
	Checksum uint64
}

// Check is one comparison of Verify.
type Check struct {
	// Name is unique in its scenario.
	Name   string
	Passed bool
	// Detail says what was expected and found.
	Detail string
}

// Equal returns a check that passes if both values are equal.
func Equal(name string, expected, found uint64) Check {
	detail := "expected " + decimal(expected) + ", found " + decimal(found)
	return Check{Name: name, Passed: expected == found, Detail: detail}
}

// Host is what the host offers to a session.
type Host interface {
	// Series opens a series of a metric that the descriptor declares, with its labels. Opening the same one again continues it.
	Series(metric string, labels ...Argument) (Series, error)
}

// Series records samples of one metric.
type Series interface {
	// Record records samples in the base unit of the metric. One call with many samples costs little more than one with one.
	Record(samples ...uint64)
}

// NamedValue is a parameter's name and its value.
type NamedValue struct {
	Name  string
	Value Value
}

// Values are the arguments of a session: a value for every parameter, in its domain.
type Values []NamedValue

// Integer returns the value of an integer parameter.
func (values Values) Integer(name string) (int64, error) { return get[int64](values, name) }

// Decimal returns the value of a parameter that is a number with a fraction.
func (values Values) Decimal(name string) (float64, error) { return get[float64](values, name) }

// Text returns the value of a text parameter.
func (values Values) Text(name string) (string, error) { return get[string](values, name) }

// Flag returns the value of a parameter that is on or off.
func (values Values) Flag(name string) (bool, error) { return get[bool](values, name) }

func get[T any](values Values, name string) (T, error) {
	for _, value := range values {
		if value.Name == name {
			if scalar, is := value.Value.scalar.(T); is {
				return scalar, nil
			}
			break
		}
	}
	var none T
	return none, InvalidError{Reason: "`" + name + "` is missing, or of another type"}
}

// NewWorkload returns a scenario for the driver `workload`, without parameters.
func NewWorkload(name, family, summary string) Scenario {
	return Scenario{Name: name, Driver: "workload", Family: family, Summary: summary}
}
