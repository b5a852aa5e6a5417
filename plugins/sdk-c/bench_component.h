/* The component arm of bench_plugin.h: the exports of wit/workload by the canonical ABI. Included by it. */
#ifndef BENCH_COMPONENT_H
#define BENCH_COMPONENT_H

#include <stdlib.h>

_Static_assert(sizeof(bench_value) == 16 && sizeof(bench_domain) == 40, "the layout is that of the canonical ABI on wasm32");
_Static_assert(sizeof(bench_argument) == 24 && sizeof(bench_check) == 20, "the layout is that of the canonical ABI on wasm32");

#define BENCH_EXPORT(name) __attribute__((export_name("bench-host:workload/" name)))

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size, (void)align; /* `malloc` aligns to 16. */
    void *memory = size == 0 ? (void *)align : realloc(old, size);
    if (memory == NULL) {
        __builtin_trap();
    }
    return memory;
}

BENCH_EXPORT("plugin@0.1.0#describe") const bench_descriptor *bench_component_describe(void) {
    return &bench_describe;
}

#ifndef BENCH_WITHOUT_SESSIONS
#define BENCH_METRICS(name) __attribute__((import_module("bench-host:workload/metrics@0.1.0"), import_name(name)))

BENCH_METRICS("[static]series.open")
void bench_metrics_open(const char *metric, size_t metric_length, const bench_pair *labels, size_t length, void *result);
BENCH_METRICS("[method]series.append") void bench_metrics_append(int32_t series, const uint64_t *samples, size_t length);

bench_error bench_series(bench_str metric, const bench_pair *labels, size_t length, uint32_t *series) {
    /* Kept until the next one, so that it is nobody's to free. */
    static char kept[256];
    struct {
        uint8_t is_error;
        union {
            int32_t handle;
            struct {
                uint8_t kind;
                bench_str why;
            } failure;
        } as;
    } result;
    bench_metrics_open(metric.at, metric.length, labels, length, &result);
    if (!result.is_error) {
        *series = (uint32_t)result.as.handle;
        return bench_ok;
    }
    bench_str why = result.as.failure.why;
    size_t shown = why.length < sizeof kept ? why.length : sizeof kept;
    if (shown > 0) {
        memcpy(kept, why.at, shown);
        free((void *)why.at);
    }
    return (bench_error){ result.as.failure.kind, { kept, shown } };
}

void bench_record(uint32_t series, const uint64_t *samples, size_t length) {
    bench_metrics_append((int32_t)series, samples, length);
}

__attribute__((import_module("[export]bench-host:workload/sessions@0.1.0"), import_name("[resource-new]session"))) int32_t
bench_new_handle(void *session);

/* The case of an error and its text, as a result has it. */
typedef struct bench_failure {
    uint8_t kind;
    bench_str why;
} bench_failure;

static bench_failure bench_failed(bench_error error) {
    return (bench_failure){ (uint8_t)error.kind, error.why };
}

BENCH_EXPORT("sessions@0.1.0#[static]session.open")
const void *bench_component_open(char *name, size_t name_length, bench_argument *arguments, size_t length) {
    static struct {
        uint8_t is_error;
        union {
            int32_t handle;
            bench_failure failure;
        } as;
    } result;
    static char unknown[65];
    void *session = NULL;
    bench_error error;
    if (bench_knows((bench_str){ name, name_length })) {
        error = bench_open((bench_str){ name, name_length }, arguments, length, &session);
    } else {
        size_t kept = name_length < sizeof unknown ? name_length : sizeof unknown;
        memcpy(unknown, name, kept);
        error = (bench_error){ BENCH_UNKNOWN_SCENARIO, { unknown, kept } };
    }
    for (size_t index = 0; index < length; index++) {
        free((void *)arguments[index].name.at);
        if (arguments[index].value.kind == BENCH_TEXT && arguments[index].value.as.text.length > 0) {
            free((void *)arguments[index].value.as.text.at);
        }
    }
    if (length > 0) {
        free(arguments);
    }
    if (name_length > 0) {
        free(name);
    }
    result.is_error = error.kind != BENCH_OK;
    if (result.is_error) {
        result.as.failure = bench_failed(error);
    } else {
        result.as.handle = bench_new_handle(session);
    }
    return &result;
}

BENCH_EXPORT("sessions@0.1.0#[method]session.iterate") const void *bench_component_iterate(void *session, uint64_t times) {
    static struct {
        uint8_t is_error;
        union {
            bench_outcome outcome;
            bench_failure failure;
        } as;
    } result;
    bench_error error = bench_iterate(session, times, &result.as.outcome);
    result.is_error = error.kind != BENCH_OK;
    if (result.is_error) {
        result.as.failure = bench_failed(error);
    }
    return &result;
}

BENCH_EXPORT("sessions@0.1.0#[method]session.verify") const void *bench_component_verify(void *session) {
    static bench_check checks[BENCH_CHECKS_MAX];
    static struct {
        uint8_t is_error;
        union {
            struct {
                const bench_check *at;
                size_t length;
            } checks;
            bench_failure failure;
        } as;
    } result;
    size_t length = 0;
    bench_error error = bench_verify(session, checks, &length);
    result.is_error = error.kind != BENCH_OK;
    if (result.is_error) {
        result.as.failure = bench_failed(error);
    } else {
        result.as.checks.at = checks;
        result.as.checks.length = length;
    }
    return &result;
}

BENCH_EXPORT("sessions@0.1.0#[dtor]session") void bench_component_drop(void *session) {
    bench_close(session);
}
#endif /* BENCH_WITHOUT_SESSIONS */

#endif /* BENCH_COMPONENT_H */
