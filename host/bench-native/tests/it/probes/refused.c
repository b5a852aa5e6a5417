/* A library that is not a probe, in the way that a definition on the compiler's command line says. */
#include "bench_probe.h"

#ifndef SIZE
#define SIZE sizeof(bhp_probe)
#endif
#ifndef MAJOR
#define MAJOR BHP_ABI_MAJOR
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR "{\"name\": \"refused\", \"version\": \"1\", \"scenarios\": []}"
#endif
#ifndef CLOSE
#define CLOSE close_session
#endif

static bhp_status open_session(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                               bhp_session **session_out) {
    (void)host, (void)scenario, (void)args, (void)args_len, (void)session_out;
    return BHP_OTHER;
}

static bhp_status iterate(bhp_session *session, uint64_t times, bhp_outcome *outcome_out) {
    (void)session, (void)times, (void)outcome_out;
    return BHP_OTHER;
}

static bhp_status verify(bhp_session *session) {
    (void)session;
    return BHP_OTHER;
}

void close_session(bhp_session *session) { (void)session; }

static const void *extension(bhp_str id) {
    (void)id;
    return NULL;
}

#ifdef UNRESOLVED
extern int nobody_defines_this(void);
int call_it(void) { return nobody_defines_this(); }
#endif

const bhp_probe TABLE = {
    .size = SIZE,
    .abi_major = MAJOR,
    .descriptor = {DESCRIPTOR, sizeof DESCRIPTOR - 1},
    .open = open_session,
    .iterate = iterate,
    .verify = verify,
    .close = CLOSE,
    .extension = extension,
};

#ifdef NO_TABLE
const bhp_probe *bench_probe_v1(void) { return NULL; }
#elif !defined(NO_ENTRY)
const bhp_probe *bench_probe_v1(void) { return &TABLE; }
#endif
