/* A probe that hands batches over and takes them, and that errs in whichever way its argument `deed` says. */
#include "bench_probe.h"
#include <string.h>

static bhp_str text(const char *text) { return (bhp_str){text, strlen(text)}; }

static int is(bhp_str found, const char *expected) {
    return found.len == strlen(expected) && memcmp(found.ptr, expected, found.len) == 0;
}

static bhp_str argument(const bhp_arg *args, size_t args_len, const char *name) {
    for (size_t at = 0; at < args_len; at++) {
        if (is(args[at].name, name)) return args[at].value;
    }
    return text("");
}

static bhp_status explained(const bhp_host *host, const bhp_batches *batches, int32_t status) {
    host->explain(host->ctx, batches->reason(batches->ctx));
    return status == BHP_BATCH_OK ? BHP_OK : BHP_OTHER;
}

static bhp_status read(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       const bhp_batches *batches, bhp_transfer *transfer_out) {
    bhp_str deed = argument(args, args_len, "deed");
    bhp_str table = argument(args, args_len, "from_table");
    if (!is(scenario, "read")) return BHP_UNKNOWN_SCENARIO;
    if (is(deed, "nothing")) return explained(host, batches, batches->emit(batches->ctx, NULL, 3));
    if (is(deed, "wrong-way")) {
        bhp_bytes batch;
        return explained(host, batches, batches->next(batches->ctx, &batch));
    }
    if (is(deed, "addresses")) {
        const void *addresses[] = {host, batches};
        int32_t status = batches->emit(batches->ctx, (const uint8_t *)addresses, sizeof(addresses));
        if (status != BHP_BATCH_OK) return explained(host, batches, status);
        *transfer_out = (bhp_transfer){1, sizeof(addresses)};
        return BHP_OK;
    }
    if (is(deed, "nameless")) batches->stage(batches->ctx, (bhp_str){NULL, 4}, 1);
    batches->stage(batches->ctx, text("fetch"), 40);
    for (uint64_t at = 0; at < 3; at++) {
        int32_t status = batches->emit(batches->ctx, (const uint8_t *)table.ptr, table.len);
        if (status != BHP_BATCH_OK) return explained(host, batches, status);
    }
    batches->stage(batches->ctx, text("fetch"), 2);
    *transfer_out = (bhp_transfer){6, 3 * table.len};
    return BHP_OK;
}

#ifdef READS_ONLY
#define WRITE NULL
#else
#define WRITE write
static bhp_status write(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                        const bhp_batches *batches, bhp_transfer *transfer_out) {
    bhp_bytes batch;
    bhp_transfer transfer = {0, 0};
    int32_t status;
    (void)scenario, (void)args, (void)args_len;
    while ((status = batches->next(batches->ctx, &batch)) == BHP_BATCH_OK) {
        transfer.records += batch.len == 0 ? 0 : batch.ptr[batch.len - 1];
        transfer.bytes += batch.len;
    }
    if (status != BHP_BATCH_END) return explained(host, batches, status);
    /* What has ended stays so. */
    if (batches->next(batches->ctx, &batch) != BHP_BATCH_END) return BHP_INVALID_STATE;
    batches->stage(batches->ctx, text("flush"), transfer.bytes);
    *transfer_out = transfer;
    return BHP_OK;
}
#endif

static bhp_status open(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       bhp_session **session_out) {
    (void)scenario, (void)args, (void)args_len, (void)session_out;
    host->explain(host->ctx, text("it is for other drivers"));
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

#ifdef SHORT
#define SIZE sizeof(size_t)
#else
#define SIZE sizeof(bhp_pipeline)
#endif
static const bhp_pipeline PIPELINE = {SIZE, read, WRITE};

#ifdef WITHOUT_CONNECTORS
#define ID ""
#else
#define ID BHP_EXTENSION_PIPELINE
#endif
static const void *extension(bhp_str id) { return is(id, ID) ? &PIPELINE : NULL; }

#define SCENARIO(name, driver)                                                                                         \
    "{\"name\":\"" name "\",\"driver\":\"" driver "\",\"family\":\"test\",\"summary\":\"\",\"limit\":null,"           \
    "\"parameters\":[],\"metrics\":[],\"requirements\":[]}"

static const char DESCRIPTOR[] = "{\"name\":\"carrier\",\"version\":\"0\",\"summary\":\"\",\"scenarios\":["            //
    SCENARIO("read", "source") "," SCENARIO("write", "destination") "]}";

static const bhp_probe PROBE = {
    sizeof(bhp_probe), BHP_ABI_MAJOR, BHP_ABI_MINOR, {DESCRIPTOR, sizeof(DESCRIPTOR) - 1}, open, iterate, verify,
    close, extension,
};

const bhp_probe *bench_probe_v1(void) { return &PROBE; }
