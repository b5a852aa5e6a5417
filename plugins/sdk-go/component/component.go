// Package component is the boundary of a plug-in that is a component: it holds what the plug-in exports, for the packages beside
// it, which the bindings call. They translate, and must not know what any plug-in does.
package component

import "bench-host/sdk-go/bench"

// Describe says what the module is.
var Describe func() bench.Descriptor

// Operator is this instance's, made before anything is called.
var Operator bench.Operator
