//go:build !wasip1

package export

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/process"
)

var plugin process.Plugin

// Operator sets the exports of the module: the descriptor from describe, and operators created with make. Call it in an `init`.
func Operator(describe func() bench.Descriptor, make func() bench.Operator) {
	plugin = process.Plugin{Describe: describe, Make: make}
}

// Main runs one operator for the host that has started this program, or executes the command line.
func Main() {
	process.Main(plugin)
}
