// A function that answers requests. The host starts it and sends it requests over HTTP; the driver `handler` specifies the scenarios.
package main

import (
	"slices"
	"strings"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/function"
)

// A request, and the response that it must have. It is written down here and not computed, so that a comparison finds an error.
const (
	request  = "the quick brown fox jumps over the lazy dog"
	response = "brown dog fox jumps lazy over quick the the"
)

func describe() bench.Descriptor {
	overHTTP := func(name string) bench.Scenario {
		return bench.Uses("handler", name).WithParameters(
			bench.NewParameter("method", "POST", ""),
			bench.NewParameter("body", request, ""),
			bench.NewParameter("expect", response, ""),
		)
	}
	return bench.NewDescriptor("{{name}}", "0.1.0", "Sorts words.", overHTTP("cold-start"), overHTTP("request"))
}

// handle answers one request: the words of its body in order. This is what to replace.
func handle(request function.Request) function.Response {
	if request.Method != "POST" {
		return function.Response{Status: 405, Body: []byte("use POST")}
	}
	words := strings.Fields(string(request.Body))
	slices.Sort(words)
	return function.Response{Status: 200, Body: []byte(strings.Join(words, " "))}
}

func init() { function.Export(describe, handle) }

func main() {}
