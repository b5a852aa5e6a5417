/* What is measured, and how its result is checked. */
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static const bench_value n_defaults[] = { BENCH_INT(4096) };

static const bench_parameter parameters[] = {
    {
        .name = BENCH_STR("n"),
        .summary = BENCH_STR("How many numbers"),
        .unit = BENCH_STR("1"),
        .defaults = BENCH_LIST(n_defaults),
        .domain = BENCH_FROM_TO(BENCH_INT(1), BENCH_INT(1 << 20)),
    },
};

static const bench_scenario scenarios[] = {
    {
        .name = BENCH_STR("sum"),
        .driver = BENCH_STR("workload"),
        .family = BENCH_STR("example"),
        .summary = BENCH_STR("Adds numbers that lie in memory."),
        /* The column `limit` then says how far it is from what the machine can read. */
        .limit = { 1, BENCH_STR("memory-read") },
        .parameters = BENCH_LIST(parameters),
    },
};

const bench_descriptor bench_describe = {
    .name = BENCH_STR("{{name}}"),
    .version = BENCH_STR("0.1.0"),
    .summary = BENCH_STR("Adds numbers."),
    .scenarios = BENCH_LIST(scenarios),
};

typedef struct sum {
    uint64_t *numbers;
    uint64_t n, found;
} sum;

/* Everything that is not to be timed: input is made here. */
bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session) {
    (void)scenario;
    sum *opened = calloc(1, sizeof *opened);
    uint64_t n = (uint64_t)bench_integer(arguments, length, "n");
    uint64_t *numbers = malloc(n * sizeof *numbers);
    if (opened == NULL || numbers == NULL) {
        return (bench_error){ BENCH_UNAVAILABLE, BENCH_STR("not enough memory") };
    }
    for (uint64_t index = 0; index < n; index++) {
        numbers[index] = index + 1;
    }
    *opened = (sum){ numbers, n, 0 };
    *session = opened;
    return bench_ok;
}

/* Timed: `times` operations and nothing else. */
bench_error bench_iterate(void *session, uint64_t times, bench_outcome *outcome) {
    sum *opened = session;
    for (uint64_t turn = 0; turn < times; turn++) {
        const uint64_t *numbers = opened->numbers;
        /* Without this the compiler may compute one sum for all operations. */
        BENCH_OPAQUE(numbers);
        uint64_t total = 0;
        for (uint64_t index = 0; index < opened->n; index++) {
            total += numbers[index];
        }
        opened->found = total;
    }
    *outcome = (bench_outcome){ times, times * opened->n * sizeof(uint64_t), opened->found };
    return bench_ok;
}

/* Compares the result with one that was found in another way. A figure counts only if this passes. */
bench_error bench_verify(void *session, bench_check *checks, size_t *length) {
    static char detail[80];
    sum *opened = session;
    uint64_t expected = opened->n * (opened->n + 1) / 2;
    int written = snprintf(detail, sizeof detail, "expected %llu, found %llu", (unsigned long long)expected,
                           (unsigned long long)opened->found);
    checks[0] = (bench_check){ BENCH_STR("sum"), opened->found == expected, { detail, (size_t)written } };
    *length = 1;
    return bench_ok;
}

void bench_close(void *session) {
    sum *opened = session;
    free(opened->numbers);
    free(opened);
}
