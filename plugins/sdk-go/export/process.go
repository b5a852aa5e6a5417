//go:build !wasip1

package export

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/process"
)

var plugin process.Plugin

// Operator says what the module exports: what describe says, and operators that are made by make. It is called in an `init`.
func Operator(describe func() bench.Descriptor, make func() bench.Operator) {
	plugin = process.Plugin{Describe: describe, Make: make}
}

// Main runs one operator for the host that has started this program, or does what the command line says.
func Main() {
	process.Main(plugin)
}
