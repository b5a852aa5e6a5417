//go:build wasip1

package export

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/component"
)

// Operator says what the module exports: what describe says, and operators that are made by make. It is called in an `init`.
func Operator(describe func() bench.Descriptor, make func() bench.Operator) {
	component.Describe, component.Operator = describe, make()
}

// Main is not called in a component.
func Main() {}
