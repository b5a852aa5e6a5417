// Package export makes a plug-in out of what was written against package bench: a component where it is built for
// GOOS=wasip1 with -buildmode=c-shared, and elsewhere a program, which runs one operator in a process of its own. It must
// not know what the plug-in does.
//
// The main package of a plug-in is two functions, of which a component calls the first alone:
//
//	func init() { export.Operator(describe, func() bench.Operator { return new(relay.Relay) }) }
//
//	func main() { export.Main() }
package export
