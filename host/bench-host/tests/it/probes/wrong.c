/* A probe with the SDK for C whose scenarios each make one mistake of an author; `right` and `ends-first` make none. */
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static const bench_value one[] = { BENCH_INT(1) };
static const bench_value two[] = { BENCH_INT(1), BENCH_INT(2) };
static const bench_parameter edges[] = { {
    .name = BENCH_STR("n"),
    .defaults = BENCH_LIST(one),
    .domain = BENCH_FROM_TO(BENCH_INT(0), BENCH_INT(9)),
} };
static const bench_parameter steps[] = { { .name = BENCH_STR("step"), .defaults = BENCH_LIST(two) } };
static const bench_parameter units[] = { { .name = BENCH_STR("size"), .unit = BENCH_STR("bytez"), .defaults = BENCH_LIST(one) } };
static const bench_metric silent[] = { { .name = BENCH_STR("lag"), .unit = BENCH_STR("ns") } };
static const bench_metric seconds[] = { { .name = BENCH_STR("lag"), .unit = BENCH_STR("nsec") } };
static const bench_requirement gpu[] = { { BENCH_STR("gpu"), BENCH_STR("it is fast"), false } };

#define SCENARIO(text) .name = BENCH_STR(text), .driver = BENCH_STR("workload"), .family = BENCH_STR("wrong"), .summary = BENCH_STR(text)

static const bench_scenario scenarios[] = {
    { SCENARIO("right") },
    { SCENARIO("ends-first") },
    { SCENARIO("does-one"), .limit = { 1, BENCH_STR("memory-read") } },
    { SCENARIO("bytes"), .limit = { 1, BENCH_STR("memory-read") } },
    { SCENARIO("edge"), .parameters = BENCH_LIST(edges) },
    { SCENARIO("default"), .parameters = BENCH_LIST(steps) },
    { SCENARIO("leak") },
    { SCENARIO("print") },
    { SCENARIO("twice") },
    { SCENARIO("unrecorded"), .metrics = BENCH_LIST(silent) },
    { SCENARIO("metric-unit"), .metrics = BENCH_LIST(seconds) },
    { SCENARIO("unit"), .parameters = BENCH_LIST(units) },
    { SCENARIO("capability"), .requirements = BENCH_LIST(gpu) },
    { .name = BENCH_STR("driver"), .driver = BENCH_STR("wrkload"), .family = BENCH_STR("wrong") },
};

const bench_descriptor bench_describe = {
    .name = BENCH_STR("wrong"),
    .version = BENCH_STR("1"),
    .summary = BENCH_STR("Mistakes of authors."),
    .scenarios = BENCH_LIST(scenarios),
};

typedef struct session {
    char name[32];
    bool does_one;
    uint64_t value;
} session;

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **out) {
    session *opened = calloc(1, sizeof *opened);
    memcpy(opened->name, scenario.at, scenario.length);
    opened->does_one = bench_equal(scenario, "does-one") || bench_integer(arguments, length, "step") == 2;
    if (bench_equal(scenario, "edge") && bench_integer(arguments, length, "n") == 0) {
        fputs("divided by n\n", stderr);
        abort();
    }
    *out = opened;
    return bench_ok;
}

static bool is(const session *opened, const char *name) {
    return strcmp(opened->name, name) == 0;
}

bench_error bench_iterate(void *session_in, uint64_t times, bench_outcome *outcome) {
    session *opened = session_in;
    uint64_t done = opened->does_one && times > 0 ? 1 : times;
    for (uint64_t turn = 0; turn < done; turn++) {
        uint64_t value = 1;
        for (int step = 0; step < 32; step++) {
            BENCH_OPAQUE(value);
            value = value * 3 + 1;
        }
        opened->value = value;
        if (is(opened, "leak")) {
            char *lost = malloc(1 << 16);
            memset(lost, 1, 1 << 16);
            BENCH_OPAQUE(lost);
        }
    }
    if (is(opened, "print")) {
        for (uint64_t turn = 0; turn < times && turn < 100; turn++) {
            puts("an operation");
        }
        fflush(stdout);
    }
    *outcome = (bench_outcome){ times, is(opened, "bytes") ? UINT64_MAX : 0, 42 };
    return bench_ok;
}

/* Whether the kernel ends this process before others when memory runs out. */
static bool ends_first(void) {
#ifdef __linux__
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    int value = 0;
    bool is_first = file != NULL && fscanf(file, "%d", &value) == 1 && value == 1000;
    if (file != NULL)
        fclose(file);
    return is_first;
#else
    return true;
#endif
}

bench_error bench_verify(void *session_in, bench_check *checks, size_t *length) {
    session *opened = session_in;
    bench_check check = { BENCH_STR("value"), !is(opened, "ends-first") || ends_first(), BENCH_STR("as it should be") };
    checks[0] = checks[1] = check;
    *length = is(opened, "twice") ? 2 : 1;
    return bench_ok;
}

void bench_close(void *session_in) {
    free(session_in);
}
