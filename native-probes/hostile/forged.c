/* A probe that replies in place of its worker while it is measured, with figures that cannot be. It describes itself as it should. */
#define _GNU_SOURCE
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCENARIO(text) .name = BENCH_STR(text), .driver = BENCH_STR("workload"), .family = BENCH_STR("hostile"), .summary = BENCH_STR(text)

static const bench_scenario scenarios[] = { { SCENARIO("long") }, { SCENARIO("many") } };

const bench_descriptor bench_describe = {
    .name = BENCH_STR("forged"),
    .version = BENCH_STR("1"),
    .summary = BENCH_STR("Replies with figures that cannot be."),
    .scenarios = BENCH_LIST(scenarios),
};

/* A reply of a worker with one series, whose histogram counts its samples. */
#define REPLY(metric, samples, count, histogram, operations) \
    "{\"Measured\":{\"cpu\":null,\"series\":[{\"cell\":0,\"process\":0,\"metric\":\"" metric "\",\"unit\":\"ns\"," \
    "\"direction\":\"lower-is-better\",\"labels\":[],\"batch\":1,\"count\":" count ",\"histogram\":\"" histogram "\"," \
    "\"raw\":[" samples "]}],\"checks\":[],\"outcome\":{\"cell\":0,\"process\":0,\"status\":\"ok\"," \
    "\"iterations\":" operations ",\"recorded\":" count ",\"checksum\":\"000000000000002a\"},\"account\":null}}\n"

/* Two operations of thirty years each. */
static const char a_long_time[] = REPLY("long", "1000000000000000000,1000000000000000000", "2",
    "HISTEwAAAAQAAAAAAAAAAwAAAAAAAAABEAAAAAAAAAA/8AAAAAAAAN+rBgQ=", "2");

/* Times that can be, of far more operations than processors execute in them. */
static const char many_operations[] = REPLY("many", "5000,5000,5000", "3",
    "HISTEwAAAAMAAAAAAAAAAwAAAAAAAAABAAAAAAAAIAA/8AAAAAAAAMMzBg==", "1000000000000000000");

static void reply_with(const char *text) {
    for (int file = 3; file < 256; file++) {
        struct stat found;
        if (fstat(file, &found) == 0 && S_ISSOCK(found.st_mode)) {
            (void)!send(file, text, strlen(text), MSG_NOSIGNAL);
        }
    }
}

bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session) {
    (void)arguments;
    (void)length;
    (void)session;
    reply_with(bench_equal(scenario, "long") ? a_long_time : many_operations);
    _exit(0);
}

bench_error bench_iterate(void *session, uint64_t times, bench_outcome *outcome) {
    (void)session;
    *outcome = (bench_outcome){ times, 0, 42 };
    return bench_ok;
}

bench_error bench_verify(void *session, bench_check *checks, size_t *length) {
    (void)session;
    checks[0] = (bench_check){ BENCH_STR("value"), true, BENCH_STR("as it should be") };
    *length = 1;
    return bench_ok;
}

void bench_close(void *session) {
    (void)session;
}
