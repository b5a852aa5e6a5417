/* A probe that describes more than anybody can run: -DSCENARIOS, -DPARAMETERS of each, -DVALUES of each parameter. Its summary turns the
   direction of reading. */
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <stdio.h>

#define NAME_ROOM 16

static bench_value values[VALUES];
static char parameter_names[PARAMETERS][NAME_ROOM], scenario_names[SCENARIOS][NAME_ROOM];
static bench_parameter parameters[PARAMETERS];
static bench_scenario scenarios[SCENARIOS];

const bench_descriptor bench_describe = {
    .name = BENCH_STR("many"),
    .version = BENCH_STR("1"),
    .summary = BENCH_STR("Describes very much, \xe2\x80\xae" "backwards."),
    .scenarios = BENCH_LIST(scenarios),
};

static bench_str numbered(char name[NAME_ROOM], char letter, size_t number)
{
    int length = snprintf(name, NAME_ROOM, "%c%zu", letter, number);
    return (bench_str){ name, (size_t)length };
}

/* When the library is loaded, before anybody asks for the descriptor. */
__attribute__((constructor)) static void fill(void)
{
    for (size_t index = 0; index < VALUES; index++)
        values[index] = (bench_value)BENCH_INT((int64_t)index);
    for (size_t index = 0; index < PARAMETERS; index++) {
        parameters[index].name = numbered(parameter_names[index], 'p', index);
        parameters[index].defaults = (bench_values){ values, VALUES };
    }
    for (size_t index = 0; index < SCENARIOS; index++) {
        scenarios[index].name = numbered(scenario_names[index], 's', index);
        scenarios[index].driver = (bench_str)BENCH_STR("workload");
        scenarios[index].family = (bench_str)BENCH_STR("hostile");
        scenarios[index].parameters.at = parameters;
        scenarios[index].parameters.length = PARAMETERS;
    }
}

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session)
{
    (void)scenario;
    (void)arguments;
    (void)length;
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
