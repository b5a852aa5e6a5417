/* A probe that keeps a log of the host's, tries what a log refuses, and says which expectation did not hold. */
#include "bench_probe.h"

#include <stdlib.h>
#include <string.h>

#define STR(literal) ((bhp_str){(literal), sizeof(literal) - 1})
#define EXPECT(condition) \
    if (!(condition)) return fail(session->host, STR("expected: " #condition))

struct bhp_session {
    const bhp_host *host;
    const bhp_log_table *table;
    bhp_log *log;
};

static const char DESCRIPTOR[] =
    "{\"name\": \"logger\", \"version\": \"1.0.0\", \"scenarios\": [{\"name\": \"log\", \"family\": \"tests\","
    " \"parameters\": [{\"name\": \"directory\", \"defaults\": [\"\"]}]}]}";

static bhp_status fail(const bhp_host *host, bhp_str why) {
    host->explain(host->ctx, why);
    return BHP_OTHER;
}

static bhp_status open_log(bhp_session *session, bhp_str directory) {
    const bhp_log_table *table = session->host->extension(session->host->ctx, STR(BHP_EXTENSION_LOG));
    EXPECT(table != NULL && table->size >= sizeof *table);
    session->table = table;
    bhp_status status = table->open(table->ctx, directory, BHP_LOG_EACH, BHP_LOG_WRITTEN, 65536, &session->log);
    if (status != BHP_OK) return status;
    bhp_log *other = NULL;
    EXPECT(table->open(table->ctx, directory, 9, BHP_LOG_FRESH, 65536, &other) == BHP_INVALID_ARGUMENT);
    EXPECT(table->open(table->ctx, directory, BHP_LOG_NONE, 9, 65536, &other) == BHP_INVALID_ARGUMENT);
    EXPECT(table->open(table->ctx, directory, BHP_LOG_NONE, BHP_LOG_FRESH, 1000, &other) == BHP_INVALID_ARGUMENT);
    EXPECT(other == NULL);
    return BHP_OK;
}

static bhp_status open_session(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                               bhp_session **session_out) {
    (void)scenario;
    bhp_session *session = calloc(1, sizeof *session);
    if (session == NULL || args_len != 1) return fail(host, STR("out of memory, or of arguments"));
    session->host = host;
    bhp_status status = open_log(session, args[0].value);
    if (status == BHP_OK) *session_out = session;
    else free(session);
    return status;
}

/* Three payloads a time, read back. */
static bhp_status keep(bhp_session *session) {
    const bhp_log_table *table = session->table;
    bhp_log *log = session->log;
    uint64_t next = table->next_sequence(log), first, start, end, durable;
    bhp_bytes two[2] = {{(const uint8_t *)"two", 3}, {NULL, 0}}, found;
    EXPECT(table->append(log, (const uint8_t *)"one", 3, &first) == BHP_LOG_OK && first == next);
    EXPECT(table->append_batch(log, two, 2, &start, &end) == BHP_LOG_OK && start == next + 1 && end == next + 3);
    EXPECT(table->read(log, first, &found) == BHP_LOG_OK && found.len == 3 && memcmp(found.ptr, "one", 3) == 0);
    EXPECT(table->read(log, start, &found) == BHP_LOG_OK && found.len == 3 && memcmp(found.ptr, "two", 3) == 0);
    EXPECT(table->read(log, start + 1, &found) == BHP_LOG_OK && found.len == 0);
    EXPECT(table->sync(log, &durable) == BHP_LOG_OK && durable == end);
    EXPECT(table->first_sequence(log) == 0 && table->next_sequence(log) == end);
    return BHP_OK;
}

static bhp_status misuse(bhp_session *session) {
    const bhp_log_table *table = session->table;
    bhp_log *log = session->log;
    static const uint8_t large[65536];
    uint64_t next = table->next_sequence(log), sequence;
    bhp_bytes found, nothing = {NULL, 1};
    EXPECT(table->append(log, large, sizeof large, &sequence) == BHP_LOG_TOO_LARGE);
    EXPECT(table->reason(log).len > 0);
    EXPECT(table->append(log, NULL, 1, &sequence) == BHP_LOG_OTHER);
    EXPECT(table->append_batch(log, &nothing, 1, &sequence, &sequence) == BHP_LOG_OTHER);
    EXPECT(table->append_batch(log, NULL, 1, &sequence, &sequence) == BHP_LOG_OTHER);
    EXPECT(table->read(log, next, &found) == BHP_LOG_BEYOND);
    EXPECT(table->read(NULL, 0, &found) == BHP_LOG_OTHER);
    EXPECT(table->next_sequence(log) == next);
    for (int i = 0; i < 600; i++) EXPECT(table->append(log, large, 1000, NULL) == BHP_LOG_OK);
    EXPECT(table->first_sequence(log) > 0 && table->read(log, 0, &found) == BHP_LOG_RECYCLED);
    return BHP_OK;
}

static bhp_status iterate(bhp_session *session, uint64_t times, bhp_outcome *outcome_out) {
    for (uint64_t i = 0; i < times; i++) {
        bhp_status status = keep(session);
        if (status != BHP_OK) return status;
    }
    *outcome_out = (bhp_outcome){times, times * 6, 3};
    return times > 1 ? BHP_OK : misuse(session);
}

static bhp_status verify(bhp_session *session) {
    return session->host->check(session->host->ctx, STR("kept"), 1, STR(""));
}

static void close_session(bhp_session *session) {
    session->table->close(session->log);
    session->table->close(NULL);
    free(session);
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
