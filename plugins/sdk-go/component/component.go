// Package component exports an operator as a component (`wit/operator`). An event allocates nothing, because each of hundreds of
// operators keeps its heap.
package component

import "bench-host/sdk-go/bench"

// Operator is the operator of this instance, created before any call.
var Operator bench.Operator
