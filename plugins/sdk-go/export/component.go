//go:build wasip1

package export

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/component"
	"bench-host/sdk-go/internal/abi"
)

// Operator sets the exports of the module: the descriptor from describe, and operators created with make. Call it in an `init`.
func Operator(describe func() bench.Descriptor, make func() bench.Operator) {
	abi.Describe, component.Operator = describe, make()
}

// Main is not called in a component.
func Main() {}
