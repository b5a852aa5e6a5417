/*
 * The SDK for plug-ins of bench-host in C, for the driver `workload`. One source builds as a WebAssembly component and as a native probe.
 *
 *   #define BENCH_PLUGIN_IMPLEMENTATION
 *   #include "bench_plugin.h"
 *
 *   const bench_descriptor bench_describe = { ... };
 *   bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session) { ... }
 *   bench_error bench_iterate(void *session, uint64_t times, bench_outcome *outcome) { ... }
 *   bench_error bench_verify(void *session, bench_check *checks, size_t *length) { ... }
 *   void bench_close(void *session) { ... }
 *
 * For WebAssembly, compile with a C library for WASI as a reactor (-mexec-model=reactor), and make a component of the result with
 * `bench-host wrap`. For a native probe, compile a shared library with the folder of bench_probe.h in the include path.
 * bench_operator.h and bench_function.h are for the drivers `operator` and `handler`.
 *
 * The structures of the descriptor have the layout of the canonical ABI on a 32-bit target, so that a component returns them as they are.
 * Their meaning is that of the records of the same names in wit/workload/workload.wit.
 */
#ifndef BENCH_PLUGIN_H
#define BENCH_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A text, not terminated by NUL. */
typedef struct bench_str {
    const char *at;
    size_t length;
} bench_str;

/* A text of a literal. */
#define BENCH_STR(literal) { (literal), sizeof(literal) - 1 }
/* A list of an array. */
#define BENCH_LIST(array) { (array), sizeof(array) / sizeof((array)[0]) }
#define BENCH_NONE { NULL, 0 }

/* A value of a parameter. */
typedef struct bench_value {
    uint8_t kind; /* One of BENCH_FLAG, BENCH_INTEGER, BENCH_DECIMAL, BENCH_TEXT. */
    union {
        bool flag;
        int64_t integer;
        double decimal;
        bench_str text;
    } as;
} bench_value;

enum { BENCH_FLAG = 0, BENCH_INTEGER = 1, BENCH_DECIMAL = 2, BENCH_TEXT = 3 };
#define BENCH_INT(number) { .kind = BENCH_INTEGER, .as = { .integer = (number) } }
#define BENCH_NUMBER(number) { .kind = BENCH_DECIMAL, .as = { .decimal = (number) } }
#define BENCH_WORDS(literal) { .kind = BENCH_TEXT, .as = { .text = BENCH_STR(literal) } }
#define BENCH_BOOL(value) { .kind = BENCH_FLAG, .as = { .flag = (value) } }

typedef struct bench_values {
    const bench_value *at;
    size_t length;
} bench_values;

/* The values that a parameter may have. */
typedef struct bench_domain {
    uint8_t kind; /* One of BENCH_ANY, BENCH_CHOICES, BENCH_BETWEEN. */
    union {
        bench_values choices;
        bench_value between[2];
    } as;
} bench_domain;

enum { BENCH_ANY = 0, BENCH_CHOICES = 1, BENCH_BETWEEN = 2 };
#define BENCH_FROM_TO(low, high) { .kind = BENCH_BETWEEN, .as = { .between = { low, high } } }
#define BENCH_ONE_OF(array) { .kind = BENCH_CHOICES, .as = { .choices = BENCH_LIST(array) } }

typedef struct bench_parameter {
    bench_str name, summary, unit;
    bench_values defaults;
    bench_domain domain;
} bench_parameter;

typedef struct bench_names {
    const bench_str *at;
    size_t length;
} bench_names;

/* A metric besides the time that the host measures, whose samples `bench_record` records. */
typedef struct bench_metric {
    bench_str name, summary, unit;
    uint8_t direction; /* 0 lower is better, 1 higher is better, 2 neither. */
    bench_names labels;
} bench_metric;

typedef struct bench_requirement {
    bench_str capability, purpose;
    bool optional;
} bench_requirement;

typedef struct bench_scenario {
    bench_str name, driver, family, summary;
    struct {
        uint8_t is_some;
        bench_str name;
    } limit;
    struct {
        const bench_parameter *at;
        size_t length;
    } parameters;
    struct {
        const bench_metric *at;
        size_t length;
    } metrics;
    struct {
        const bench_requirement *at;
        size_t length;
    } requirements;
} bench_scenario;

typedef struct bench_descriptor {
    bench_str name, version, summary;
    struct {
        const bench_scenario *at;
        size_t length;
    } scenarios;
} bench_descriptor;

/* The value that a session is opened with for a parameter. */
typedef struct bench_argument {
    bench_str name;
    bench_value value;
} bench_argument;

/* A name and a text, such as a label of a series. */
typedef struct bench_pair {
    bench_str name, value;
} bench_pair;

/* What a batch did. */
typedef struct bench_outcome {
    uint64_t operations; /* That which was asked for. */
    uint64_t bytes;      /* Payload of all these operations; 0 if an operation has none. */
    uint64_t checksum;   /* Digest of the result of one operation, equal for equal arguments. */
} bench_outcome;

/* One comparison of `bench_verify`. */
typedef struct bench_check {
    bench_str name;
    bool passed;
    bench_str detail; /* What was expected and found. */
} bench_check;

/* The largest number of checks. */
#define BENCH_CHECKS_MAX 16

/* Why a function did nothing: a case of `error` in WIT, and a text that stays valid until the next call. */
typedef struct bench_error {
    int32_t kind; /* BENCH_OK, or one of the others. */
    bench_str why;
} bench_error;

enum {
    BENCH_OK = -1,
    BENCH_UNKNOWN_SCENARIO = 0,
    BENCH_INVALID_ARGUMENT = 1,
    BENCH_DENIED = 2,
    BENCH_UNAVAILABLE = 3,
    BENCH_OTHER = 4
};

/* ---- What the plug-in defines ---- */

/* What can be measured. */
extern const bench_descriptor bench_describe;
/* Prepares a session; not timed. The scenario is one that the descriptor has, and every parameter has an argument in its domain, valid
 * until this returns. */
bench_error bench_open(bench_str scenario, const bench_argument *arguments, size_t length, void **session);
/* Executes `times` operations and nothing else, also for 0; timed. */
bench_error bench_iterate(void *session, uint64_t times, bench_outcome *outcome);
/* Compares the result of the operations so far with one that was found in another way: writes at most BENCH_CHECKS_MAX checks. */
bench_error bench_verify(void *session, bench_check *checks, size_t *length);
/* Frees the session. */
void bench_close(void *session);

/* ---- What the host does for it ---- */

#ifndef BENCH_WITHOUT_SESSIONS
/* In `bench_open`: opens a series of a metric that the descriptor declares, with a value for each of its labels. Opening the same one again
 * continues it. */
bench_error bench_series(bench_str metric, const bench_pair *labels, size_t length, uint32_t *series);
/* In `bench_iterate`: records samples in the metric's base unit. One call of a thousand samples costs little more than one of one. */
void bench_record(uint32_t series, const uint64_t *samples, size_t length);
#endif

/* ---- Help for it ---- */

static const bench_error bench_ok = { BENCH_OK, BENCH_NONE };

static inline bool bench_equal(bench_str one, const char *other) {
    return strlen(other) == one.length && memcmp(one.at, other, one.length) == 0;
}

/* The integer argument of this name, or 0. */
static inline int64_t bench_integer(const bench_argument *arguments, size_t length, const char *name) {
    for (size_t index = 0; index < length; index++) {
        if (bench_equal(arguments[index].name, name)) {
            return arguments[index].value.as.integer;
        }
    }
    return 0;
}

/* Keeps the compiler from removing what `value` is computed for, and from knowing what it is. */
#define BENCH_OPAQUE(value) __asm__ volatile("" : "+r"(value) : : "memory")

#ifdef BENCH_PLUGIN_IMPLEMENTATION

/* The headers of other drivers define BENCH_WITHOUT_SESSIONS: their plug-ins have a descriptor, and functions of their own. */
#ifndef BENCH_WITHOUT_SESSIONS
static bool bench_knows(bench_str scenario) {
    for (size_t index = 0; index < bench_describe.scenarios.length; index++) {
        bench_str known = bench_describe.scenarios.at[index].name;
        if (known.length == scenario.length && memcmp(known.at, scenario.at, known.length) == 0) {
            return true;
        }
    }
    return false;
}
#endif

#ifdef __wasm__
#include "bench_component.h"
#elif defined(BENCH_WITHOUT_SESSIONS)
#error "this driver has only a component in C; compile it for WebAssembly"
#else
#include "bench_native.h"
#endif

#endif /* BENCH_PLUGIN_IMPLEMENTATION */
#endif /* BENCH_PLUGIN_H */
