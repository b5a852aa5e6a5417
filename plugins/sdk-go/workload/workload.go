// Package workload makes a component of a plug-in for the driver `workload`: build it for GOOS=wasip1 with -buildmode=c-shared, and make a
// component of the result with `bench-host wrap`.
//
// The main package of a plug-in has two functions, of which a component only calls the first:
//
//	func init() { workload.Export(describe, open) }
//
//	func main() {}
package workload

import "bench-host/sdk-go/bench"

// Open prepares a session: reads input, allocates buffers. It is not timed. The scenario is one that the descriptor has, and there is a
// value for each of its parameters.
type Open func(scenario string, arguments bench.Values, host bench.Host) (bench.Session, error)

// Export sets the exports of the module. Call it in an `init`.
func Export(describe func() bench.Descriptor, open Open) {
	export(describe, open)
}
