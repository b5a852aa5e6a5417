/* An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links operators of
 * this kind into a chain, and times an object on its way through them. */
#include "bench_operator.h"

#include <stdio.h>

static const bench_requirement requirements[] = {
    { .capability = BENCH_STR("arm:wasm"), .purpose = BENCH_STR("it is built as a component only") },
};

static const bench_scenario scenarios[] = {
    { .name = BENCH_STR("chain"), .driver = BENCH_STR("operator"), .requirements = BENCH_LIST(requirements) },
};

const bench_descriptor bench_describe = {
    .name = BENCH_STR("{{name}}"),
    .version = BENCH_STR("0.1.0"),
    .summary = BENCH_STR("Copies what it sees to the next namespace."),
    .scenarios = BENCH_LIST(scenarios),
};

/* The state of this operator: where it writes to, and how many objects it has copied. */
static bench_str to;
static unsigned long long copied;

static bench_str argument(const bench_pair *arguments, size_t length, const char *name) {
    for (size_t index = 0; index < length; index++) {
        if (bench_equal(arguments[index].name, name)) {
            return arguments[index].value;
        }
    }
    return bench_fine;
}

/* The host says which namespace to watch, and which one to write to. */
bench_str bench_start(const bench_pair *arguments, size_t length, bench_watch *watches, size_t *count) {
    to = argument(arguments, length, "apply");
    watches[0] = (bench_watch){ BENCH_STR("TestResource"), argument(arguments, length, "watch") };
    *count = 1;
    return bench_fine;
}

/* Finds the number in the field `nonce` of a JSON object. A real operator would use a JSON parser. */
static bool find_nonce(bench_str spec, unsigned long long *nonce) {
    static const char field[] = "\"nonce\":";
    const size_t field_length = sizeof field - 1;
    bool is_found = false;
    for (size_t at = 0; at + field_length <= spec.length && !is_found; at++) {
        if (memcmp(spec.at + at, field, field_length) != 0) {
            continue;
        }
        size_t digit = at + field_length;
        while (digit < spec.length && spec.at[digit] == ' ') {
            digit++;
        }
        *nonce = 0;
        for (; digit < spec.length && spec.at[digit] >= '0' && spec.at[digit] <= '9'; digit++) {
            *nonce = *nonce * 10 + (unsigned long long)(spec.at[digit] - '0');
            is_found = true;
        }
    }
    return is_found;
}

/* Copies the object's `nonce`, by which the host knows it, and says how many there were. What fails is tried again by the host. */
bench_str bench_reconcile(const bench_event *event) {
    static char spec[80];
    if (event->kind == BENCH_DELETED) {
        return bench_fine;
    }
    unsigned long long nonce = 0;
    if (!find_nonce(event->object.spec, &nonce)) {
        return (bench_str)BENCH_STR("the spec has no `nonce`");
    }
    int length = snprintf(spec, sizeof spec, "{\"nonce\":%llu,\"count\":%llu}", nonce, copied + 1);
    bench_key key = event->object.key;
    key.namespace_ = to;
    bench_str error = bench_apply(key, (bench_str){ spec, (size_t)length });
    if (error.at == NULL) {
        copied++;
    }
    return error;
}

/* The state that is kept while the operator is unloaded. */
bench_str bench_suspend(void) {
    static char *state;
    /* The count has at most twenty digits. */
    size_t size = to.length + 32;
    free(state);
    state = malloc(size);
    if (state == NULL) {
        abort();
    }
    int length = snprintf(state, size, "%llu %.*s", copied, (int)to.length, to.at);
    return (bench_str){ state, (size_t)length };
}

bench_str bench_resume(bench_str state) {
    size_t at = 0;
    copied = 0;
    for (; at < state.length && state.at[at] >= '0' && state.at[at] <= '9'; at++) {
        copied = copied * 10 + (unsigned long long)(state.at[at] - '0');
    }
    if (at == 0 || at == state.length || state.at[at] != ' ') {
        return (bench_str)BENCH_STR("the state is of another version");
    }
    to = (bench_str){ state.at + at + 1, state.length - at - 1 };
    return bench_fine;
}
