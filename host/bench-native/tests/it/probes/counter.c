/* A probe that counts, and misbehaves where its argument `mode` says so. */
#include "bench_probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(literal) ((bhp_str){(literal), sizeof(literal) - 1})

struct bhp_session {
    const bhp_host *host;
    const bhp_ring *ring;
    bhp_ring_producer *producer;
    bhp_ring_consumer *consumer;
    char mode[16];
    char arguments[256];
    uint64_t step, sum;
    uint32_t series;
};

static const char DESCRIPTOR[] =
    "{\"name\": \"counter\", \"version\": \"1.0.0\", \"scenarios\": [{\"name\": \"count\", \"family\": \"tests\","
    " \"parameters\": [{\"name\": \"mode\", \"defaults\": [\"right\"]}, {\"name\": \"step\", \"defaults\": [64]},"
    "  {\"name\": \"ratio\", \"defaults\": [1.5]}, {\"name\": \"on\", \"defaults\": [true]}],"
    " \"metrics\": [{\"name\": \"sum\", \"unit\": \"count\", \"labels\": [\"side\"]}]}]}";

static int is(bhp_str text, const char *literal) {
    return text.len == strlen(literal) && memcmp(text.ptr, literal, text.len) == 0;
}

static bhp_status fail(const bhp_host *host, bhp_status status, bhp_str why) {
    host->explain(host->ctx, why);
    return status;
}

static bhp_status open_ring(bhp_session *session) {
    const bhp_host *host = session->host;
    const bhp_ring *ring = host->extension(host->ctx, STR(BHP_EXTENSION_RING));
    if (ring == NULL || ring->size < sizeof *ring) return fail(host, BHP_UNSUPPORTED, STR("no ring here"));
    session->ring = ring;
    bhp_status status = ring->producer_open(ring->ctx, STR("a"), 4096, 1, &session->producer);
    if (status == BHP_OK) status = ring->consumer_open(ring->ctx, STR("a"), &session->consumer);
    if (status != BHP_OK) return status;
    bhp_ring_consumer *nobodys;
    bhp_ring_producer *second;
    if (ring->consumer_open(ring->ctx, STR("b"), &nobodys) != BHP_INVALID_STATE)
        return fail(host, BHP_OTHER, STR("a ring that nobody made was opened"));
    if (ring->producer_open(ring->ctx, STR("a"), 4096, 1, &second) != BHP_INVALID_STATE)
        return fail(host, BHP_OTHER, STR("a ring got a second producer"));
    if (strcmp(session->mode, "ring-odd") == 0) return ring->producer_open(ring->ctx, STR("c"), 5000, 1, &second);
    return BHP_OK;
}

static void close_session(bhp_session *session) {
    if (session->ring != NULL) {
        session->ring->producer_close(session->producer);
        session->ring->consumer_close(session->consumer);
    }
    free(session);
}

static bhp_status open_session(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                               bhp_session **session_out) {
    if (host->size < sizeof *host) return BHP_INVALID_STATE;
    if (!is(scenario, "count")) return fail(host, BHP_UNKNOWN_SCENARIO, scenario);
    bhp_session *session = calloc(1, sizeof *session);
    if (session == NULL) return fail(host, BHP_OTHER, STR("out of memory"));
    session->host = host;
    size_t used = 0;
    for (size_t i = 0; i < args_len; i++) {
        bhp_str name = args[i].name, value = args[i].value;
        used += (size_t)snprintf(session->arguments + used, sizeof session->arguments - used, "%.*s=%.*s;", (int)name.len,
                                 name.ptr, (int)value.len, value.ptr);
        if (is(name, "mode")) snprintf(session->mode, sizeof session->mode, "%.*s", (int)value.len, value.ptr);
        // A text has no end mark, so nothing may be read up to one.
        for (size_t j = 0; is(name, "step") && j < value.len; j++)
            session->step = session->step * 10 + (uint64_t)(value.ptr[j] - '0');
    }
    bhp_arg side = {STR("side"), STR("left")};
    bhp_str metric = strcmp(session->mode, "undeclared") == 0 ? STR("product") : STR("sum");
    bhp_status status = host->series_open(host->ctx, metric, &side, 1, &session->series);
    if (status == BHP_OK && strncmp(session->mode, "ring", 4) == 0) status = open_ring(session);
    if (strcmp(session->mode, "denied") == 0) status = fail(host, BHP_DENIED, STR("the counter is locked"));
    if (status == BHP_OK && strcmp(session->mode, "empty") != 0) *session_out = session;
    else close_session(session);
    return status;
}

/* One message there and back; what came back. */
static int round_trip(bhp_session *session, uint64_t *number) {
    const bhp_ring *ring = session->ring;
    const uint8_t *message;
    size_t message_len;
    uint8_t bytes[64] = {0};
    static const uint8_t large[8192];
    memcpy(bytes, number, sizeof *number);
    if (ring->push(session->producer, large, sizeof large) != BHP_RING_TOO_LARGE) return 0;
    if (ring->peek(session->consumer, &message, &message_len) != BHP_RING_EMPTY) return 0;
    if (ring->push(session->producer, bytes, sizeof bytes) != BHP_RING_OK) return 0;
    if (ring->peek(session->consumer, &message, &message_len) != BHP_RING_OK) return 0;
    if (message_len != sizeof bytes || memcmp(message, bytes, sizeof bytes) != 0) return 0;
    memcpy(number, message, sizeof *number);
    ring->release(session->consumer);
    return 1;
}

static bhp_status iterate(bhp_session *session, uint64_t times, bhp_outcome *outcome_out) {
    const bhp_host *host = session->host;
    for (uint64_t i = 0; i < times; i++) {
        uint64_t sum = session->sum + session->step;
        if (session->ring != NULL && !round_trip(session, &sum)) return fail(host, BHP_OTHER, STR("the ring lost it"));
        session->sum = sum;
        host->series_append(host->ctx, session->series, &sum, 1);
    }
    if (strcmp(session->mode, "stray") == 0) host->series_append(host->ctx, 7, &session->sum, 1);
    if (strcmp(session->mode, "null") == 0) host->series_append(host->ctx, session->series, NULL, 1);
    if (strcmp(session->mode, "early") == 0) host->check(host->ctx, STR("sum"), 1, STR(""));
    if (strcmp(session->mode, "io") == 0) return fail(host, BHP_IO, STR("the abacus is broken"));
    if (strcmp(session->mode, "mute") == 0) return BHP_OTHER;
    if (strcmp(session->mode, "novel") == 0) return 99;
    *outcome_out = (bhp_outcome){times, times * 8, session->step};
    return BHP_OK;
}

static bhp_status verify(bhp_session *session) {
    const bhp_host *host = session->host;
    char detail[64];
    int is_right = strcmp(session->mode, "wrong") != 0;
    int detail_len = snprintf(detail, sizeof detail, "found %" PRIu64, session->sum);
    host->check(host->ctx, STR("sum"), is_right, (bhp_str){detail, (size_t)detail_len});
    bhp_status status =
        host->check(host->ctx, STR("arguments"), 1, (bhp_str){session->arguments, strlen(session->arguments)});
    for (int i = 0; strcmp(session->mode, "many") == 0 && i < 1000; i++) host->check(host->ctx, STR("more"), 1, STR(""));
    return status;
}

static const void *extension(bhp_str id) {
    (void)id;
    return NULL;
}

static const bhp_probe PROBE = {
    .size = sizeof(bhp_probe),
    .abi_major = BHP_ABI_MAJOR,
    .abi_minor = BHP_ABI_MINOR,
    .descriptor = {DESCRIPTOR, sizeof DESCRIPTOR - 1},
    .open = open_session,
    .iterate = iterate,
    .verify = verify,
    .close = close_session,
    .extension = extension,
};

const bhp_probe *bench_probe_v1(void) { return &PROBE; }
