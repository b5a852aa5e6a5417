// Package process makes a program of a plug-in. The program prints the descriptor of the module, or runs one operator, with which the
// host communicates through a socket.
//
// The socket is the standard input, and both sides write one JSON object per line. The host calls `start`, `reconcile`, `suspend` and
// `resume`. Within a call the operator may send requests to the control plane, one at a time, and then sends the result of the call.
// The program ends when the socket is closed.
package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"bench-host/sdk-go/bench"
)

// Plugin has the exports of a plug-in.
type Plugin struct {
	// Describe returns the descriptor.
	Describe func() bench.Descriptor
	// Make creates an operator that is not started.
	Make func() bench.Operator
}

// Main executes the command line: with `--describe` it prints the descriptor, and without arguments it serves the host. It does not
// return.
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
		return errors.New("invalid arguments; the only option is --describe, which prints the descriptor")
	}
	input, err := os.Stdin.Stat()
	if err != nil || input.Mode()&os.ModeSocket == 0 {
		return errors.New("standard input is not a socket: bench-host starts this program; print the descriptor with --describe")
	}
	return Serve(os.Stdin, plugin.Make())
}

// describe prints the descriptor as JSON, for the host.
func describe(to io.Writer, descriptor bench.Descriptor) error {
	printed := json.NewEncoder(to)
	printed.SetEscapeHTML(false)
	return printed.Encode(descriptor)
}
