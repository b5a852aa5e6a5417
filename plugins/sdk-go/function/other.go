//go:build !wasip1

package function

import "bench-host/sdk-go/bench"

// There is no host outside of a component, and tests call the plug-in's own functions.
func export(func() bench.Descriptor, Handler) {}
