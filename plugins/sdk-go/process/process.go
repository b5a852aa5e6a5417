// Package process is a plug-in as a program: it prints what the module says of itself, or is one operator, to which the host speaks
// through a socket. It must not know what the operator does.
//
// The socket is the standard input, and both sides write one JSON object a line. The host calls `start`, `reconcile`, `suspend`
// and `resume`; within a call the operator may ask the control plane, an answer at a time, and then says what the call has come to.
// The end of the socket is the end of the program.
package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"bench-host/sdk-go/bench"
)

// Plugin is what a plug-in exports.
type Plugin struct {
	// Describe says what can be measured.
	Describe func() bench.Descriptor
	// Make makes an operator that was not started.
	Make func() bench.Operator
}

// Main does what the command line says: with `--describe` it prints the descriptor, and without arguments it serves the host. It
// does not return.
func Main(plugin Plugin) {
	if err := run(plugin, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(2)
	}
	os.Exit(0)
}

func run(plugin Plugin, arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "--describe":
		return describe(os.Stdout, plugin.Describe())
	case len(arguments) > 0:
		return errors.New("the one argument that there may be is --describe, which prints what can be measured")
	}
	input, err := os.Stdin.Stat()
	if err != nil || input.Mode()&os.ModeSocket == 0 {
		return errors.New("the standard input is no socket: bench-host starts this program; --describe prints what can be measured")
	}
	return Serve(os.Stdin, plugin.Make())
}

// describe prints the JSON that the host reads a descriptor from.
func describe(to io.Writer, descriptor bench.Descriptor) error {
	printed := json.NewEncoder(to)
	printed.SetEscapeHTML(false)
	return printed.Encode(descriptor)
}
