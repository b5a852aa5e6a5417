/* A probe with the SDK for C whose resource usage is counted in full (`short`), in part (`long`), and not at all: `first` is opened once, by the
   process that makes the file MARKER. */
#define _POSIX_C_SOURCE 199309L
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* So long an operation takes at least that the host has no time for a thousand of them. */
#define LONG_NS 200000

#define SCENARIO(text) .name = BENCH_STR(text), .driver = BENCH_STR("workload"), .family = BENCH_STR("usage"), .summary = BENCH_STR(text)

static const bench_scenario scenarios[] = { { SCENARIO("short") }, { SCENARIO("long") }, { SCENARIO("first") } };

const bench_descriptor bench_describe = {
    .name = BENCH_STR("usage"),
    .version = BENCH_STR("1"),
    .summary = BENCH_STR("Resource usage that can be counted, and that cannot."),
    .scenarios = BENCH_LIST(scenarios),
};

typedef struct session {
    bool is_long;
    uint64_t value;
} session;

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **out) {
    (void)arguments;
    (void)length;
    if (bench_equal(scenario, "first")) {
        FILE *marker = fopen(MARKER, "wx");
        if (marker == NULL) {
            return (bench_error){ BENCH_OTHER, BENCH_STR("another process has opened it") };
        }
        fclose(marker);
    }
    session *opened = calloc(1, sizeof *opened);
    opened->is_long = bench_equal(scenario, "long");
    *out = opened;
    return bench_ok;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t computed(void) {
    uint64_t value = 1;
    for (int step = 0; step < 32; step++) {
        BENCH_OPAQUE(value);
        value = value * 3 + 1;
    }
    return value;
}

bench_error bench_iterate(void *session_in, uint64_t times, bench_outcome *outcome) {
    session *opened = session_in;
    for (uint64_t turn = 0; turn < times; turn++) {
        uint64_t from = opened->is_long ? now_ns() : 0;
        opened->value = computed();
        while (opened->is_long && now_ns() - from < LONG_NS) {
            opened->value = computed();
        }
    }
    *outcome = (bench_outcome){ times, 0, 42 };
    return bench_ok;
}

bench_error bench_verify(void *session_in, bench_check *checks, size_t *length) {
    session *opened = session_in;
    checks[0] = (bench_check){ BENCH_STR("value"), opened->value == computed(), BENCH_STR("as it should be") };
    *length = 1;
    return bench_ok;
}

void bench_close(void *session_in) {
    free(session_in);
}
