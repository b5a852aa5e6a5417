/* A probe whose stages give back the first table that they take, whatever they are asked for. */
#include "bench_probe.h"
#include <string.h>

struct ArrowSchema;
struct ArrowArray;

/* Laid out as Arrow's C stream interface says. */
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *stream, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *stream, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *stream);
    void (*release)(struct ArrowArrayStream *stream);
    void *private_data;
};

static bhp_str text(const char *text) { return (bhp_str){text, strlen(text)}; }

static bhp_status run(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                      const bhp_stage_input *input, ArrowArrayStream *table_out) {
    (void)scenario, (void)args, (void)args_len;
    if (input->tables_len == 0) {
        host->explain(host->ctx, text("there is no table"));
        return BHP_OTHER;
    }
#ifndef NOTHING
    /* Moved: the host finds none in its place. */
    *table_out = *input->tables[0];
    input->tables[0]->release = NULL;
#else
    (void)table_out;
#endif
    return BHP_OK;
}

static bhp_status open(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       bhp_session **session_out) {
    (void)scenario, (void)args, (void)args_len, (void)session_out;
    host->explain(host->ctx, text("it is for the driver stage"));
    return BHP_UNSUPPORTED;
}

static bhp_status iterate(bhp_session *session, uint64_t times, bhp_outcome *outcome_out) {
    (void)session, (void)times, (void)outcome_out;
    return BHP_INVALID_STATE;
}

static bhp_status verify(bhp_session *session) {
    (void)session;
    return BHP_INVALID_STATE;
}

static void close(bhp_session *session) { (void)session; }

static const bhp_stages STAGES = {sizeof(bhp_stages), run};

static const void *extension(bhp_str id) {
    bhp_str own = text(BHP_EXTENSION_TABULAR);
    return id.len == own.len && memcmp(id.ptr, own.ptr, own.len) == 0 ? &STAGES : NULL;
}

static const char DESCRIPTOR[] = "{\"name\":\"echo\",\"version\":\"0\",\"scenarios\":["
                                 "{\"name\":\"stage-pass\",\"driver\":\"stage\",\"family\":\"tabular\"},"
                                 "{\"name\":\"stage-scan\",\"driver\":\"stage\",\"family\":\"tabular\"}]}";

static const bhp_probe PROBE = {
    sizeof(bhp_probe), BHP_ABI_MAJOR, BHP_ABI_MINOR, {DESCRIPTOR, sizeof(DESCRIPTOR) - 1}, open, iterate, verify,
    close, extension,
};

const bhp_probe *bench_probe_v1(void) { return &PROBE; }
