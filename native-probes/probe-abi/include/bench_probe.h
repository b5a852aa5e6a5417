/* The C ABI between bench-host and a native probe: a dynamic library that exports `bench_probe_v1`.
 *
 * Rules
 *  - A table grows at its end only. Its first member is its size in bytes as its owner compiled it; a reader looks at
 *    the size before it touches a member that the first version did not have.
 *  - Strings are UTF-8, not terminated by NUL, and borrowed for the duration of the call unless said otherwise.
 *  - No function may unwind or longjmp across the boundary.
 *  - The host calls one session from one thread, and the probe calls the host only from inside such a call.
 *  - The host table and every extension of it stay valid until the process ends. So does the probe table: a probe is
 *    never unloaded.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BHP_ABI_MAJOR 1u
#define BHP_ABI_MINOR 0u

/* What a function returns; the text behind it goes through `explain` first. */
typedef int32_t bhp_status;
enum {
    BHP_OK = 0,
    BHP_UNSUPPORTED = 1,      /* this machine cannot: the cell is skipped */
    BHP_INVALID_ARGUMENT = 2, /* an argument the domain could not rule out */
    BHP_INVALID_STATE = 3,    /* a call out of order */
    BHP_DENIED = 4,           /* not granted: the cell is skipped */
    BHP_IO = 5,               /* a system call failed */
    BHP_PANICKED = 6,         /* the session is broken and will only be closed */
    BHP_OTHER = 7,
    BHP_UNKNOWN_SCENARIO = 8
};

/* `ptr` may be NULL where `len` is 0. */
typedef struct bhp_str {
    const char *ptr;
    size_t len;
} bhp_str;

/* A parameter and its concrete value, or a label and its value. A value is written as the descriptor writes it:
 * `true`, `64`, `1.5`, or plain text. */
typedef struct bhp_arg {
    bhp_str name, value;
} bhp_arg;

/* What a batch did, in raw counts. `checksum` is a digest of one operation's result: equal for equal arguments. */
typedef struct bhp_outcome {
    uint64_t operations, bytes, checksum;
} bhp_outcome;

/* What the host offers. Every function takes `ctx` first. */
typedef struct bhp_host {
    size_t size;
    void *ctx;
    /* Opens a series of a metric the descriptor declares; opening the same one again continues it. */
    bhp_status (*series_open)(void *ctx, bhp_str metric, const bhp_arg *labels, size_t labels_len, uint32_t *series_out);
    /* Records samples in the metric's base unit. */
    bhp_status (*series_append)(void *ctx, uint32_t series, const uint64_t *samples, size_t samples_len);
    /* Reports one thing looked at by `verify`. */
    bhp_status (*check)(void *ctx, bhp_str name, int32_t passed, bhp_str detail);
    /* Says why the status that is about to be returned is not BHP_OK. */
    void (*explain)(void *ctx, bhp_str message);
    /* A further table by its id, or NULL. Its first member is its size. */
    const void *(*extension)(void *ctx, bhp_str id);
} bhp_host;

/* Owned by the probe, from `open` until `close`. */
typedef struct bhp_session bhp_session;

/* What a probe offers. */
typedef struct bhp_probe {
    size_t size;
    uint32_t abi_major, abi_minor;
    /* JSON: {"name", "version", "summary", "scenarios": [{"name", "driver", "family", "summary", "limit",
     * "parameters": [{"name", "summary", "unit", "defaults", "domain"}], "metrics": [{"name", "summary", "unit",
     * "direction", "labels"}], "requirements": [{"capability", "purpose", "optional"}]}]}, with the meaning that
     * wit/workload gives each of them. */
    bhp_str descriptor;
    /* Prepares a scenario; not timed. Every parameter is among `args`. On BHP_OK the session is the host's to close. */
    bhp_status (*open)(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       bhp_session **session_out);
    /* Performs `times` operations, which may be 0, and nothing else; timed. */
    bhp_status (*iterate)(bhp_session *session, uint64_t times, bhp_outcome *outcome_out);
    /* Looks at the result of the operations so far and reports checks; not timed. */
    bhp_status (*verify)(bhp_session *session);
    /* Frees the session. */
    void (*close)(bhp_session *session);
    /* A further table by its id, or NULL. Its first member is its size. */
    const void *(*extension)(bhp_str id);
} bhp_probe;

/* The one entry. Cheap and without side effects; the table is valid until the process ends. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const bhp_probe *bench_probe_v1(void);

/* The host extension `bench-host:ring/0.1`: what wit/ring is to a component. */
#define BHP_EXTENSION_RING "bench-host:ring/0.1"

typedef struct bhp_ring_producer bhp_ring_producer;
typedef struct bhp_ring_consumer bhp_ring_consumer;
enum { BHP_RING_OK = 0, BHP_RING_FULL = 1, BHP_RING_TOO_LARGE = 2, BHP_RING_EMPTY = 3, BHP_RING_CORRUPT = 4 };

/* A second process, and what it has seen. `in_place` is 0 where a side was not on its CPU. */
typedef struct bhp_ring_peer bhp_ring_peer;
typedef struct bhp_ring_tally {
    uint64_t messages, altered, out_of_order, digest, in_place;
} bhp_ring_tally;
enum { BHP_PEER_ECHO = 0, BHP_PEER_COUNT = 1 };
enum { BHP_PEER_SPINNING = 0, BHP_PEER_SLEEPING = 1 };
enum { BHP_PEER_SAME_CPU = 0, BHP_PEER_CROSS_CPU = 1 };

typedef struct bhp_ring {
    size_t size;
    void *ctx;
    /* Creates the ring `name`, or attaches to it. `capacity` is a power of two, 4 KiB to 64 MiB. */
    bhp_status (*producer_open)(void *ctx, bhp_str name, uint32_t capacity, int32_t crc32c, bhp_ring_producer **out);
    /* Publishes one message. */
    int32_t (*push)(bhp_ring_producer *producer, const uint8_t *message, size_t message_len);
    void (*producer_close)(bhp_ring_producer *producer);
    /* Attaches to the ring `name`, which its producer has created. */
    bhp_status (*consumer_open)(void *ctx, bhp_str name, bhp_ring_consumer **out);
    /* Borrows the oldest message in place, until `release`. */
    int32_t (*peek)(bhp_ring_consumer *consumer, const uint8_t **message_out, size_t *message_len_out);
    /* Frees the room of the message last borrowed. */
    void (*release)(bhp_ring_consumer *consumer);
    void (*consumer_close)(bhp_ring_consumer *consumer);
    /* The members from here on are there where `size` says so: a second process behind two rings, as the interface `peers`
     * of wit/ring describes it. What returns int32_t gives 0, or 1 for a failure that `peer_reason` tells. */
    bhp_status (*peer_start)(void *ctx, int32_t task, int32_t waiting, int32_t placement, uint32_t ring_bytes,
                             bhp_ring_peer **out);
    /* Sends one message. */
    int32_t (*peer_send)(bhp_ring_peer *peer, const uint8_t *message, size_t message_len);
    /* Writes one message behind those the peer does not see yet; a full ring shows it those. */
    int32_t (*peer_stage)(bhp_ring_peer *peer, const uint8_t *message, size_t message_len);
    /* Shows the peer what is staged. */
    void (*peer_publish)(bhp_ring_peer *peer);
    /* Lends the next message from the peer in place, until the next call for this peer but `peer_reason`. */
    int32_t (*peer_receive)(bhp_ring_peer *peer, const uint8_t **message_out, size_t *message_len_out);
    int32_t (*peer_tally)(bhp_ring_peer *peer, bhp_ring_tally *tally_out);
    /* Why the last call for this peer failed; lent until the next one. */
    bhp_str (*peer_reason)(bhp_ring_peer *peer);
    void (*peer_close)(bhp_ring_peer *peer);
} bhp_ring;

/* The host extension `bench-host:log/0.1`: what wit/log is to a component. */
#define BHP_EXTENSION_LOG "bench-host:log/0.1"

/* A log, and bytes that are lent. `ptr` may be NULL where `len` is 0. */
typedef struct bhp_log bhp_log;
typedef struct bhp_bytes {
    const uint8_t *ptr;
    size_t len;
} bhp_bytes;
enum { BHP_LOG_NONE = 0, BHP_LOG_PROCESS_CRASH = 1, BHP_LOG_GROUP = 2, BHP_LOG_EACH = 3 };
enum { BHP_LOG_FRESH = 0, BHP_LOG_WRITTEN = 1, BHP_LOG_RESIDENT = 2 };
enum {
    BHP_LOG_OK = 0,
    BHP_LOG_NO_SPACE = 1,
    BHP_LOG_TOO_LARGE = 2,
    BHP_LOG_POISONED = 3,
    BHP_LOG_PARTIAL = 4,
    BHP_LOG_RECYCLED = 5,
    BHP_LOG_BEYOND = 6,
    BHP_LOG_CORRUPT = 7,
    BHP_LOG_OTHER = 8
};

typedef struct bhp_log_table {
    size_t size;
    void *ctx;
    /* Makes a new log in `directory`, a scratch folder of the session. Its files lie in a folder there that nobody else
     * may touch: whoever makes one of them shorter ends the process. */
    bhp_status (*open)(void *ctx, bhp_str directory, int32_t durability, int32_t page_state, uint64_t segment_bytes,
                       bhp_log **out);
    /* Appends one payload. */
    int32_t (*append)(bhp_log *log, const uint8_t *payload, size_t payload_len, uint64_t *sequence_out);
    /* Appends payloads in order, durable together. The sequences are those from `start_out` to before `end_out`. */
    int32_t (*append_batch)(bhp_log *log, const bhp_bytes *payloads, size_t payloads_len, uint64_t *start_out,
                            uint64_t *end_out);
    /* Lends the payload of a sequence in place, until the next call for this log but `reason`. */
    int32_t (*read)(bhp_log *log, uint64_t sequence, bhp_bytes *payload_out);
    uint64_t (*first_sequence)(bhp_log *log);
    uint64_t (*next_sequence)(bhp_log *log);
    /* Makes what was appended durable. `sequence_out` is the first one that is not. */
    int32_t (*sync)(bhp_log *log, uint64_t *sequence_out);
    /* Why the last call for this log did not return BHP_LOG_OK; lent until the next one. */
    bhp_str (*reason)(bhp_log *log);
    void (*close)(bhp_log *log);
} bhp_log_table;

/* The probe extension `bench-host:function/0.1`: a function that answers requests, for the driver `function`. */
#define BHP_EXTENSION_FUNCTION "bench-host:function/0.1"

/* Owned by the probe, from `start` until `stop`. */
typedef struct bhp_started bhp_started;

typedef struct bhp_function {
    size_t size;
    /* Initialises one, filling `heap_bytes` and working for `init_ms`. On BHP_OK it is the host's to stop. */
    bhp_status (*start)(const bhp_host *host, uint64_t heap_bytes, uint64_t init_ms, bhp_started **started_out);
    /* Answers a POST of `body` to `/`: an HTTP status, and a body that is lent until the next call of this function. */
    bhp_status (*answer)(bhp_started *started, const uint8_t *body, size_t body_len, uint32_t *status_out,
                         bhp_bytes *answer_out);
    /* Frees it. */
    void (*stop)(bhp_started *started);
} bhp_function;

/* The probe extension `bench-host:pipeline/0.1`: what wit/pipeline is to a component. */
#define BHP_EXTENSION_PIPELINE "bench-host:pipeline/0.1"

enum { BHP_BATCH_OK = 0, BHP_BATCH_END = 1, BHP_BATCH_CLOSED = 2, BHP_BATCH_TOO_LARGE = 3, BHP_BATCH_OTHER = 4 };

/* The host's side of a transfer, for the duration of one call of `read` or `write`. Every function takes `ctx` first. */
typedef struct bhp_batches {
    size_t size;
    void *ctx;
    /* Takes one batch, and waits while there is no room. */
    int32_t (*emit)(void *ctx, const uint8_t *batch, size_t batch_len);
    /* The next batch, waiting for it, lent until the next call of this function; BHP_BATCH_END after the last. */
    int32_t (*next)(void *ctx, bhp_bytes *batch_out);
    /* Why the last call of `emit` or `next` returned neither BHP_BATCH_OK nor BHP_BATCH_END; lent until the next one. */
    bhp_str (*reason)(void *ctx);
    /* Reports time spent in a stage; a name that is reported several times is summed. */
    bhp_status (*stage)(void *ctx, bhp_str name, uint64_t nanoseconds);
} bhp_batches;

/* Rows and the bytes of the batches they were in. */
typedef struct bhp_transfer {
    uint64_t records, bytes;
} bhp_transfer;

/* Both functions are called on any thread, and at once by several, each with a host table of its own. One that the probe
 * does not have is NULL. */
typedef struct bhp_pipeline {
    size_t size;
    /* Reads the rows that the arguments ask for and emits them. */
    bhp_status (*read)(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       const bhp_batches *batches, bhp_transfer *transfer_out);
    /* Writes all batches into a table, in one transaction. */
    bhp_status (*write)(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                        const bhp_batches *batches, bhp_transfer *transfer_out);
} bhp_pipeline;

/* The probe extension `bench-host:operator/0.1`: what wit/operator is to a component, many operators in one process. */
#define BHP_EXTENSION_OPERATOR "bench-host:operator/0.1"

/* An object of the control plane. `space` is its namespace, a word that C++ has taken. */
typedef struct bhp_key {
    bhp_str kind, space, name;
} bhp_key;
typedef struct bhp_object {
    bhp_key key;
    uint64_t resource_version;
    bhp_str spec;
} bhp_object;
typedef struct bhp_watch {
    bhp_str kind, space;
} bhp_watch;
enum { BHP_EVENT_ADDED = 0, BHP_EVENT_MODIFIED = 1, BHP_EVENT_DELETED = 2 };
enum {
    BHP_PLANE_OK = 0,
    BHP_PLANE_NOT_FOUND = 1,
    BHP_PLANE_CONFLICT = 2,
    BHP_PLANE_INVALID = 3,
    BHP_PLANE_UNAVAILABLE = 4
};

/* The control plane of one operator, for the duration of the call that it is given to. An object that is written to
 * `object_out` is lent until the next function of this table is called, or the call ends. On BHP_PLANE_CONFLICT only its
 * `resource_version` is written: the version that there is. */
typedef struct bhp_plane {
    size_t size;
    void *ctx;
    int32_t (*get)(void *ctx, const bhp_key *key, bhp_object *object_out);
    int32_t (*apply)(void *ctx, const bhp_key *key, bhp_str spec, bhp_object *object_out);
    int32_t (*create)(void *ctx, const bhp_key *key, bhp_str spec, bhp_object *object_out);
    int32_t (*update)(void *ctx, const bhp_object *object, bhp_object *object_out);
    int32_t (*remove)(void *ctx, const bhp_key *key);
    /* Why the last function did not return BHP_PLANE_OK; lent as an object is. */
    bhp_str (*reason)(void *ctx);
} bhp_plane;

/* Owned by the probe, from `make` until `drop`. */
typedef struct bhp_operator bhp_operator;

typedef struct bhp_operators {
    size_t size;
    /* Makes an operator. On BHP_OK it is the host's to drop. */
    bhp_status (*make)(const bhp_host *host, bhp_operator **operator_out);
    /* Called once, before anything else. The watches are lent until the next call of this operator. */
    bhp_status (*start)(bhp_operator *self, const bhp_plane *plane, const bhp_arg *args, size_t args_len,
                        const bhp_watch **watches_out, size_t *watches_len_out);
    /* Does what an event asks for. An object that was removed has no `spec`, and the version of its removal. */
    bhp_status (*reconcile)(bhp_operator *self, const bhp_plane *plane, int32_t event, const bhp_object *object);
    /* What is to be kept while there is no operator, lent until `drop`, which follows. */
    bhp_status (*suspend)(bhp_operator *self, bhp_bytes *state_out);
    /* Called on a new operator in place of `start`, with what `suspend` gave. */
    bhp_status (*resume)(bhp_operator *self, const uint8_t *state, size_t state_len);
    /* Frees it. */
    void (*drop)(bhp_operator *self);
} bhp_operators;

/* The layout the host was compiled with; its twin is in src/raw.rs. */
#if UINTPTR_MAX == 0xffffffffffffffffu && (defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L))
#ifdef __cplusplus
#define BHP_ASSERT(condition) static_assert(condition, #condition)
#else
#define BHP_ASSERT(condition) _Static_assert(condition, #condition)
#endif
BHP_ASSERT(sizeof(bhp_str) == 16);
BHP_ASSERT(sizeof(bhp_arg) == 32);
BHP_ASSERT(sizeof(bhp_outcome) == 24);
BHP_ASSERT(sizeof(bhp_host) == 56 && offsetof(bhp_host, series_open) == 16 && offsetof(bhp_host, extension) == 48);
BHP_ASSERT(sizeof(bhp_probe) == 72 && offsetof(bhp_probe, descriptor) == 16 && offsetof(bhp_probe, open) == 32);
BHP_ASSERT(offsetof(bhp_probe, extension) == 64);
BHP_ASSERT(sizeof(bhp_ring) == 136 && offsetof(bhp_ring, producer_open) == 16 && offsetof(bhp_ring, peer_start) == 72);
BHP_ASSERT(sizeof(bhp_ring_tally) == 40 && offsetof(bhp_ring, peer_close) == 128);
BHP_ASSERT(sizeof(bhp_bytes) == 16);
BHP_ASSERT(sizeof(bhp_log_table) == 88 && offsetof(bhp_log_table, open) == 16 && offsetof(bhp_log_table, close) == 80);
BHP_ASSERT(sizeof(bhp_function) == 32 && offsetof(bhp_function, start) == 8 && offsetof(bhp_function, stop) == 24);
BHP_ASSERT(sizeof(bhp_batches) == 48 && offsetof(bhp_batches, emit) == 16 && offsetof(bhp_batches, stage) == 40);
BHP_ASSERT(sizeof(bhp_transfer) == 16);
BHP_ASSERT(sizeof(bhp_pipeline) == 24 && offsetof(bhp_pipeline, write) == 16);
BHP_ASSERT(sizeof(bhp_object) == 72 && offsetof(bhp_object, resource_version) == 48 && sizeof(bhp_watch) == 32);
BHP_ASSERT(sizeof(bhp_plane) == 64 && offsetof(bhp_plane, get) == 16 && offsetof(bhp_plane, reason) == 56);
BHP_ASSERT(sizeof(bhp_operators) == 56 && offsetof(bhp_operators, make) == 8 && offsetof(bhp_operators, drop) == 48);
#undef BHP_ASSERT
#endif

#ifdef __cplusplus
}
#endif
#endif
