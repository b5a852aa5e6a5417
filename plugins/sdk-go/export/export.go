// Package export makes a plug-in from an operator of package bench: a component if it is built for GOOS=wasip1 with
// -buildmode=c-shared, otherwise a program that runs one operator in a process of its own.
//
// The main package of a plug-in has two functions; a component only calls the first:
//
//	func init() { export.Operator(describe, func() bench.Operator { return new(relay.Relay) }) }
//
//	func main() { export.Main() }
package export
