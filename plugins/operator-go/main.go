// An operator of the family `operators` in Go: one link of a chain, as a component and as a process.
package main

import (
	"bench-host/operator-go/relay"
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/export"
)

func init() {
	export.Operator(describe, func() bench.Operator { return new(relay.Relay) })
}

func main() {
	export.Main()
}
