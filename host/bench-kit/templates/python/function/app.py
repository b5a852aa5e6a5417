"""A function that answers requests. The host starts it and sends it requests over HTTP; the driver `handler` specifies the scenarios."""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import bench_host_workload_types as types
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import (
    Fields,
    Method_Post,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

# A request, and the response that it must have. It is written down here and not computed, so that a comparison finds an error.
REQUEST = "the quick brown fox jumps over the lazy dog"
RESPONSE = "brown dog fox jumps lazy over quick the the"

READ_BYTES = 1 << 16
WRITE_BYTES_MAX = 4096


def respond(method, body):
    """The status and the body of the response. This is what to replace."""
    if not isinstance(method, Method_Post):
        return 405, b"use POST"
    if body is None:
        return 400, b"the body is incomplete"
    return 200, b" ".join(sorted(body.split()))


class Plugin(exports.Plugin):
    def describe(self) -> types.Descriptor:
        scenarios = [over_http("cold-start"), over_http("request")]
        return types.Descriptor(name="{{name}}", version="0.1.0", summary="Sorts words.", scenarios=scenarios)


def over_http(name):
    """A scenario that the driver specifies, with this request and response."""
    return types.Scenario(
        name=name,
        driver="handler",
        family="",
        summary="",
        limit=None,
        parameters=[text("method", "POST"), text("body", REQUEST), text("expect", RESPONSE)],
        metrics=[],
        requirements=[],
    )


def text(name, value):
    default = types.Value_Text(value)
    return types.Parameter(name=name, summary="", unit="", defaults=[default], domain=types.Domain_Any())


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        status, answer = respond(request.method(), body_of(request))
        response = OutgoingResponse(Fields())
        response.set_status_code(status)
        body = response.body()
        ResponseOutparam.set(response_out, Ok(response))
        with body.write() as stream:
            for begin in range(0, len(answer), WRITE_BYTES_MAX):
                stream.blocking_write_and_flush(answer[begin : begin + WRITE_BYTES_MAX])
        OutgoingBody.finish(body, None)


def body_of(request):
    """The body of a request; None if it is incomplete."""
    parts = []
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                parts.append(stream.blocking_read(READ_BYTES))
            except Err as error:
                return b"".join(parts) if isinstance(error.value, StreamError_Closed) else None
