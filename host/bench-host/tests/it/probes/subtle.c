/* A probe with the SDK for C whose scenarios each make one mistake that a single call does not show; `by-argument` and `own-right` make none.
   With -DIMPURE, it describes itself otherwise in each process. */
#define _GNU_SOURCE
#define BENCH_PLUGIN_IMPLEMENTATION
/* The table of the SDK, which one scenario changes below. */
#define bench_probe_v1 bench_probe_of_sdk
#include "bench_plugin.h"
#undef bench_probe_v1

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const bench_value two[] = { BENCH_INT(1), BENCH_INT(2) };
static const bench_parameter steps[] = { { .name = BENCH_STR("step"), .defaults = BENCH_LIST(two) } };
static const bench_metric lag[] = { { .name = BENCH_STR("lag"), .unit = BENCH_STR("ns") } };
static const bench_requirement clocks[] = { { BENCH_STR("clock:own"), BENCH_STR("it times itself"), false } };

#define SCENARIO(text) .name = BENCH_STR(text), .driver = BENCH_STR("workload"), .family = BENCH_STR("subtle"), .summary = BENCH_STR(text)
/* A scenario that times itself, and its series. */
#define TIMED(name_of_list, text) static const bench_metric name_of_list[] = { { .name = BENCH_STR(text), .unit = BENCH_STR("ns") } }
#define OWN(name_of_list, text) { SCENARIO(text), .metrics = BENCH_LIST(name_of_list), .requirements = BENCH_LIST(clocks) }

TIMED(own_right, "own-right");
TIMED(own_long, "own-long");
TIMED(own_nothing, "own-nothing");
TIMED(own_bytes, "own-bytes");

static const bench_scenario scenarios[] = {
    { SCENARIO("by-argument"), .parameters = BENCH_LIST(steps), .metrics = BENCH_LIST(lag) },
    OWN(own_right, "own-right"),
    OWN(own_long, "own-long"),
    OWN(own_nothing, "own-nothing"),
    OWN(own_bytes, "own-bytes"),
    { SCENARIO("zero") },
    { SCENARIO("one") },
    { SCENARIO("many") },
    { SCENARIO("unverified") },
    { SCENARIO("undeclared") },
    { SCENARIO("stray") },
    { SCENARIO("by-process") },
    { SCENARIO("by-session") },
    { SCENARIO("one-session") },
    { SCENARIO("accepts") },
};

#ifdef IMPURE
/* The number of the process, which no two have. */
static char summary[9];
__attribute__((constructor)) static void write_summary(void) {
    snprintf(summary, sizeof summary, "%08u", (unsigned)getpid() % 100000000);
}
#else
static const char summary[9] = "Mistakes";
#endif

const bench_descriptor bench_describe = {
    .name = BENCH_STR("subtle"),
    .version = BENCH_STR("1"),
    .summary = { summary, sizeof summary - 1 },
    .scenarios = BENCH_LIST(scenarios),
};

typedef struct session {
    char name[32];
    bool has_series;
    uint32_t series;
    uint64_t value;
} session;

/* How many sessions this process has opened. */
static uint64_t sessions;

static bool is(const session *opened, const char *name) {
    return strcmp(opened->name, name) == 0;
}

static bool times_itself(const session *opened) {
    return strncmp(opened->name, "own-", 4) == 0;
}

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **out) {
    session *opened = calloc(1, sizeof *opened);
    memcpy(opened->name, scenario.at, scenario.length);
    sessions++;
    if (is(opened, "one-session") && sessions > 1) {
        free(opened);
        return (bench_error){ BENCH_OTHER, BENCH_STR("there was a session before") };
    }
    if (times_itself(opened) || (is(opened, "by-argument") && bench_integer(arguments, length, "step") == 2)) {
        bench_str metric = times_itself(opened) ? scenario : lag[0].name;
        bench_error refused = bench_series(metric, NULL, 0, &opened->series);
        if (refused.kind != BENCH_OK) {
            free(opened);
            return refused;
        }
        opened->has_series = true;
    }
    if (is(opened, "undeclared") || is(opened, "stray")) {
        bench_str metric = BENCH_STR("pace");
        (void)bench_series(metric, NULL, 0, &opened->series);
        opened->has_series = is(opened, "stray");
    }
    *out = opened;
    return bench_ok;
}

/* What a session records of an operation, in nanoseconds. */
static uint64_t sample_of(const session *opened) {
    if (is(opened, "own-long")) {
        return UINT64_C(3000000000000000000);
    }
    return is(opened, "own-nothing") ? 0 : 5;
}

static uint64_t reported(const session *opened, uint64_t times) {
    if (is(opened, "zero") && times == 0) {
        return 1;
    }
    if (is(opened, "one") && times == 1) {
        return 2;
    }
    return is(opened, "many") && times > 1 ? times - 1 : times;
}

static uint64_t checksum_of(const session *opened) {
    if (is(opened, "by-process")) {
        return (uint64_t)getpid();
    }
    return is(opened, "by-session") ? sessions : 42;
}

bench_error bench_iterate(void *session_in, uint64_t times, bench_outcome *outcome) {
    session *opened = session_in;
    for (uint64_t turn = 0; turn < times; turn++) {
        uint64_t value = 1;
        for (int step = 0; step < 32; step++) {
            BENCH_OPAQUE(value);
            value = value * 3 + 1;
        }
        opened->value = value;
        if (opened->has_series) {
            uint64_t sample = sample_of(opened);
            bench_record(opened->series, &sample, 1);
        }
    }
    uint64_t bytes = is(opened, "own-bytes") ? UINT64_MAX / 1024 : 0;
    *outcome = (bench_outcome){ reported(opened, times), bytes, checksum_of(opened) };
    return bench_ok;
}

bench_error bench_verify(void *session_in, bench_check *checks, size_t *length) {
    checks[0] = (bench_check){ BENCH_STR("value"), true, BENCH_STR("as it should be") };
    *length = is(session_in, "unverified") ? 0 : 1;
    return bench_ok;
}

void bench_close(void *session_in) {
    free(session_in);
}

/* Opens any scenario at all, once `accepts` was opened. */
static bhp_status open_anything(
    const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t length, bhp_session **out) {
    static bool accepts;
    static const bhp_str name = { "accepts", 7 };
    bench_str asked = { scenario.ptr, scenario.len };
    accepts = accepts || bench_equal(asked, "accepts");
    return bench_probe_open(host, accepts ? name : scenario, args, length, out);
}

const bhp_probe *bench_probe_v1(void) {
    static bhp_probe probe;
    probe = *bench_probe_of_sdk();
    probe.open = open_anything;
    return &probe;
}
