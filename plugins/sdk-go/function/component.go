//go:build wasip1

package function

import (
	"unsafe"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/internal/abi"
)

// handler answers the requests of this instance.
var handler Handler

func export(describe func() bench.Descriptor, handle Handler) {
	abi.Describe, handler = describe, handle
}

const (
	// readBytes is the size of one read: one that the memory for what the host passes has room for.
	readBytes = 8 << 10
	// writeBytesMax is the maximum size of one write.
	writeBytesMax = 4096
	// closed is the case of an error of a stream that was only closed.
	closed = 1
)

// methods are the cases of the variant `method` that have no text, in the order of the WIT.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// received is what the host returns into memory: a case, and what it has from the second half of the first word on. There is one at a
// time, and the largest is `result<_, error-code>`.
var received [5]uint64

func place() unsafe.Pointer { return unsafe.Pointer(&received) }

// which returns the case of what was received; that of a result is 0 if there is no error.
func which() uint8 { return uint8(received[0]) }

// handleOf returns the value of a result that is a handle.
func handleOf() uint32 { return uint32(received[0] >> 32) }

// listOf returns the value that is a text or a list of bytes.
func listOf() abi.List { return abi.ListAt(received[0]>>32 | received[1]<<32) }

// isClosed says whether a stream was only closed, after an operation of it has returned an error.
func isClosed() bool {
	if uint8(received[0]>>32) == closed {
		return true
	}
	dropError(uint32(received[1]))
	return false
}

//go:wasmexport wasi:http/incoming-handler@0.2.12#handle
func handle(request, outparam uint32) {
	abi.Release()
	abi.Collect()
	method, path := methodOf(request), pathOf(request)
	body, isWhole := bodyOf(request)
	dropRequest(request)
	response := Response{Status: 413, Body: []byte("the body is too large or incomplete")}
	if isWhole {
		response = handler(Request{Method: method, Path: path, Body: body})
	}
	send(outparam, response)
	abi.Release()
}

func methodOf(request uint32) string {
	requestMethod(request, place())
	if int(which()) < len(methods) {
		return methods[which()]
	}
	return string(listOf().Bytes())
}

func pathOf(request uint32) string {
	requestPath(request, place())
	if which() == 0 {
		return ""
	}
	return string(listOf().Bytes())
}

// bodyOf returns the body of a request, and whether it is whole.
func bodyOf(request uint32) ([]byte, bool) {
	requestConsume(request, place())
	if which() != 0 {
		return nil, false
	}
	body := handleOf()
	bodyStream(body, place())
	if which() != 0 {
		dropIncomingBody(body)
		return nil, false
	}
	stream := handleOf()
	bytes, isWhole := readAll(stream)
	dropInput(stream)
	dropIncomingBody(body)
	return bytes, isWhole
}

func readAll(stream uint32) (bytes []byte, isWhole bool) {
	for len(bytes) <= BodyMax {
		used := abi.Used()
		streamRead(stream, readBytes, place())
		if which() != 0 {
			return bytes, isClosed()
		}
		bytes = append(bytes, listOf().Bytes()...)
		abi.Restore(used)
	}
	return nil, false
}

// send sends a response. Errors mean that the client is gone.
func send(outparam uint32, response Response) {
	outgoing := newResponse(newFields())
	setStatus(outgoing, uint32(response.Status))
	responseBody(outgoing, place())
	body := handleOf()
	setResponse(outparam, 0, outgoing, 0, 0, 0, 0, 0, 0)
	bodyWrite(body, place())
	stream := handleOf()
	for rest := response.Body; len(rest) > 0; {
		part := rest[:min(len(rest), writeBytesMax)]
		streamWrite(stream, unsafe.Pointer(unsafe.SliceData(part)), uint32(len(part)), place())
		if which() != 0 {
			isClosed()
			dropOutput(stream)
			dropOutgoingBody(body)
			return
		}
		rest = rest[len(part):]
	}
	dropOutput(stream)
	bodyFinish(body, 0, 0, place())
}
