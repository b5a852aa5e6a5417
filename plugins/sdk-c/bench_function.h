/*
 * The SDK for functions of bench-host in C, as WebAssembly components: requests come through `wasi:http/incoming-handler`, and the driver
 * `handler` sends them.
 *
 *   #include "bench_function.h"
 *
 *   const bench_descriptor bench_describe = { ... };
 *   bench_response bench_handle(const bench_request *request) { ... }
 */
#ifndef BENCH_FUNCTION_H
#define BENCH_FUNCTION_H

#define BENCH_WITHOUT_SESSIONS
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

/* The methods that have a name of their own, in the order of the WIT. */
enum {
    BENCH_GET = 0,
    BENCH_HEAD = 1,
    BENCH_POST = 2,
    BENCH_PUT = 3,
    BENCH_DELETE = 4,
    BENCH_CONNECT = 5,
    BENCH_OPTIONS = 6,
    BENCH_TRACE = 7,
    BENCH_PATCH = 8,
    BENCH_ANOTHER = 9
};

/* What is to be answered. */
typedef struct bench_request {
    uint32_t method; /* One of the above. */
    bench_str path;  /* With the query. */
    bench_str body;
} bench_request;

/* The answer. Its body is read after bench_handle has returned, and before it is called again. */
typedef struct bench_response {
    uint16_t status;
    bench_str body;
} bench_response;

/* ---- What the plug-in defines ---- */

/* Answers one request, which is valid until this returns. */
bench_response bench_handle(const bench_request *request);

/* ---- Between it and HTTP ---- */

/* The largest body of a request, and the most bytes of one read and of one write. */
#define BENCH_BODY_MAX (1 << 20)
#define BENCH_READ_MAX (64 << 10)
#define BENCH_WRITE_MAX 4096

#define BENCH_IMPORT(module, name) __attribute__((import_module("wasi:" module "@0.2.12"), import_name(name)))

/* What the host returns into memory: a case, and what it has from the second word on. The largest is `result<_, error-code>`. */
typedef union bench_received {
    uint8_t which;
    uint32_t words[10];
    uint64_t aligned;
} bench_received;

BENCH_IMPORT("http/types", "[method]incoming-request.method") void bench_request_method(int32_t, void *);
BENCH_IMPORT("http/types", "[method]incoming-request.path-with-query") void bench_request_path(int32_t, void *);
BENCH_IMPORT("http/types", "[method]incoming-request.consume") void bench_request_consume(int32_t, void *);
BENCH_IMPORT("http/types", "[resource-drop]incoming-request") void bench_drop_request(int32_t);
BENCH_IMPORT("http/types", "[method]incoming-body.stream") void bench_body_stream(int32_t, void *);
BENCH_IMPORT("http/types", "[resource-drop]incoming-body") void bench_drop_incoming_body(int32_t);
BENCH_IMPORT("http/types", "[constructor]fields") int32_t bench_new_fields(void);
BENCH_IMPORT("http/types", "[constructor]outgoing-response") int32_t bench_new_response(int32_t);
BENCH_IMPORT("http/types", "[method]outgoing-response.set-status-code") int32_t bench_set_status(int32_t, int32_t);
BENCH_IMPORT("http/types", "[method]outgoing-response.body") void bench_response_body(int32_t, void *);
BENCH_IMPORT("http/types", "[static]response-outparam.set")
void bench_set_response(int32_t, int32_t, int32_t, int32_t, int64_t, int32_t, int32_t, int32_t, int32_t);
BENCH_IMPORT("http/types", "[method]outgoing-body.write") void bench_body_write(int32_t, void *);
BENCH_IMPORT("http/types", "[static]outgoing-body.finish") void bench_body_finish(int32_t, int32_t, int32_t, void *);
BENCH_IMPORT("http/types", "[resource-drop]outgoing-body") void bench_drop_outgoing_body(int32_t);
BENCH_IMPORT("io/streams", "[method]input-stream.blocking-read") void bench_stream_read(int32_t, int64_t, void *);
BENCH_IMPORT("io/streams", "[resource-drop]input-stream") void bench_drop_input(int32_t);
BENCH_IMPORT("io/streams", "[method]output-stream.blocking-write-and-flush")
void bench_stream_write(int32_t, const char *, size_t, void *);
BENCH_IMPORT("io/streams", "[resource-drop]output-stream") void bench_drop_output(int32_t);
BENCH_IMPORT("io/error", "[resource-drop]error") void bench_drop_error(int32_t);

/* The value of a result that is a handle. */
static int32_t bench_handle_of(const bench_received *received) {
    return (int32_t)received->words[1];
}

/* The value of a result, an option or a variant that is a text or a list of bytes. */
static bench_str bench_text_of(const bench_received *received) {
    return (bench_str){ (const char *)received->words[1], received->words[2] };
}

/* Whether a stream was only closed, after an operation of it returned an error. */
static bool bench_is_closed(const bench_received *received) {
    if ((uint8_t)received->words[1] == 1) {
        return true;
    }
    bench_drop_error((int32_t)received->words[2]);
    return false;
}

/* Reads a body up to its end; false if it is too large or incomplete. */
static bool bench_read_all(int32_t stream, char *body, size_t *length) {
    bench_received received;
    *length = 0;
    for (;;) {
        bench_stream_read(stream, BENCH_READ_MAX, &received);
        if (received.which != 0) {
            return bench_is_closed(&received);
        }
        bench_str part = bench_text_of(&received);
        bool fits = part.length <= BENCH_BODY_MAX - *length;
        if (fits && part.length > 0) {
            memcpy(body + *length, part.at, part.length);
            *length += part.length;
        }
        if (part.length > 0) {
            free((void *)part.at);
        }
        if (!fits) {
            return false;
        }
    }
}

/* Takes the body of a request. */
static bool bench_take_body(int32_t request, char *body, size_t *length) {
    bench_received received;
    bench_request_consume(request, &received);
    if (received.which != 0) {
        return false;
    }
    int32_t incoming = bench_handle_of(&received);
    bench_body_stream(incoming, &received);
    bool is_whole = false;
    if (received.which == 0) {
        int32_t stream = bench_handle_of(&received);
        is_whole = bench_read_all(stream, body, length);
        bench_drop_input(stream);
    }
    bench_drop_incoming_body(incoming);
    return is_whole;
}

/* Sends a response. Errors mean that the client is gone. */
static void bench_send(int32_t outparam, bench_response response) {
    bench_received received;
    int32_t outgoing = bench_new_response(bench_new_fields());
    (void)bench_set_status(outgoing, response.status);
    bench_response_body(outgoing, &received);
    int32_t body = bench_handle_of(&received);
    bench_set_response(outparam, 0, outgoing, 0, 0, 0, 0, 0, 0);
    bench_body_write(body, &received);
    int32_t stream = bench_handle_of(&received);
    bench_str rest = response.body;
    while (rest.length > 0) {
        size_t part = rest.length < BENCH_WRITE_MAX ? rest.length : BENCH_WRITE_MAX;
        bench_stream_write(stream, rest.at, part, &received);
        if (received.which != 0) {
            (void)bench_is_closed(&received);
            bench_drop_output(stream);
            bench_drop_outgoing_body(body);
            return;
        }
        rest = (bench_str){ rest.at + part, rest.length - part };
    }
    bench_drop_output(stream);
    bench_body_finish(body, 0, 0, &received);
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle"))) void bench_component_handle(int32_t request, int32_t outparam) {
    static char body[BENCH_BODY_MAX];
    bench_received received;
    bench_request asked = { BENCH_GET, BENCH_NONE, BENCH_NONE };
    bench_request_method(request, &received);
    asked.method = received.which;
    bench_str method = received.which == BENCH_ANOTHER ? bench_text_of(&received) : (bench_str){ NULL, 0 };
    bench_request_path(request, &received);
    if (received.which != 0) {
        asked.path = bench_text_of(&received);
    }
    size_t length = 0;
    bench_response response = { 413, BENCH_STR("the body is too large or incomplete") };
    if (bench_take_body(request, body, &length)) {
        asked.body = (bench_str){ body, length };
        response = bench_handle(&asked);
    }
    bench_drop_request(request);
    bench_send(outparam, response);
    if (method.length > 0) {
        free((void *)method.at);
    }
    if (asked.path.length > 0) {
        free((void *)asked.path.at);
    }
}

#endif /* BENCH_FUNCTION_H */
