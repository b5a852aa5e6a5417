// Package function makes a component of a function that answers HTTP requests: build it for GOOS=wasip1 with -buildmode=c-shared, and make
// a component of the result with `bench-host wrap`. The driver `handler` starts the component and sends it requests.
//
// The main package of a plug-in has two functions, of which a component only calls the first:
//
//	func init() { function.Export(describe, handle) }
//
//	func main() {}
package function

import "bench-host/sdk-go/bench"

// Request is a request to be answered.
type Request struct {
	// Method is its method in capitals, such as `GET`.
	Method string
	// Path is its path and query.
	Path string
	// Body is its body, of at most BodyMax bytes.
	Body []byte
}

// Response is the answer to a request.
type Response struct {
	Status uint16
	Body   []byte
}

// BodyMax is the maximum size of the body of a request, in bytes. One that is larger is answered with status 413.
const BodyMax = 1 << 20

// Handler answers one request.
type Handler func(request Request) Response

// Export sets the exports of the module. Call it in an `init`.
func Export(describe func() bench.Descriptor, handle Handler) {
	export(describe, handle)
}
