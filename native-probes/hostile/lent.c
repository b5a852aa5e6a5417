/* A probe that writes over what it was lent, and over whatever lies behind it. */
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <string.h>

static const bench_value one[] = { BENCH_INT(1) };
static const bench_parameter parameters[] = { { .name = BENCH_STR("n"), .defaults = BENCH_LIST(one) } };
static const bench_scenario scenarios[] = { {
    .name = BENCH_STR("past-the-end"),
    .driver = BENCH_STR("workload"),
    .family = BENCH_STR("hostile"),
    .summary = BENCH_STR("Writes over its arguments."),
    .parameters = BENCH_LIST(parameters),
} };

const bench_descriptor bench_describe = {
    .name = BENCH_STR("lent"),
    .version = BENCH_STR("1"),
    .summary = BENCH_STR("Writes where it may only read."),
    .scenarios = BENCH_LIST(scenarios),
};

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session)
{
    (void)scenario;
    (void)length;
    memset((void *)(uintptr_t)arguments, 0xff, (size_t)1 << 30);
    *session = NULL;
    return bench_ok;
}

bench_error bench_iterate(void *session, uint64_t times, bench_outcome *outcome)
{
    (void)session;
    *outcome = (bench_outcome){ times, 0, 42 };
    return bench_ok;
}

bench_error bench_verify(void *session, bench_check *checks, size_t *length)
{
    (void)session;
    checks[0] = (bench_check){ BENCH_STR("value"), true, BENCH_STR("as it should be") };
    *length = 1;
    return bench_ok;
}

void bench_close(void *session)
{
    (void)session;
}
