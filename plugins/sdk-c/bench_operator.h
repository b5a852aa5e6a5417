/*
 * The SDK for operators of bench-host in C, as WebAssembly components: the driver `operator` of wit/operator/operator.wit.
 *
 *   #include "bench_operator.h"
 *
 *   const bench_descriptor bench_describe = { ... };
 *   bench_str bench_start(const bench_pair *arguments, size_t length, bench_watch *watches, size_t *count) { ... }
 *   bench_str bench_reconcile(const bench_event *event) { ... }
 *   bench_str bench_suspend(void) { ... }
 *   bench_str bench_resume(bench_str state) { ... }
 *
 * One instance of the component is one operator, so its state is in static variables. What is returned as an error is one line of text for
 * users, or `bench_fine`.
 *
 * The scenario `chain` links operators: each copies the objects of the namespace that it watches into the one that the next operator watches.
 * The contract of an operator in it:
 *
 * - It is started with the arguments `watch`, the namespace to watch, and `apply`, the namespace to write into, and with the parameters that
 *   the module declares beyond those of the driver.
 * - Objects in both namespaces are of the kind `TestResource`. The spec of one that it sees has the field `nonce`, a whole number of up to
 *   64 bits, by which the host knows the token; fields with other names are to be ignored.
 * - For each object that was added or modified it applies one of the same kind and name in the namespace `apply`, whose spec is
 *   `{"nonce":N,"count":C}`: the same nonce, and how many objects this operator has applied, this one included. An event that is delivered
 *   again after an error counts once.
 * - The count goes on after `bench_resume`, which shows the host that the operator kept its state. A deleted object asks for nothing.
 */
#ifndef BENCH_OPERATOR_H
#define BENCH_OPERATOR_H

#define BENCH_WITHOUT_SESSIONS
#define BENCH_PLUGIN_IMPLEMENTATION
#include "bench_plugin.h"

/* No error. */
static const bench_str bench_fine = BENCH_NONE;

/* Which object. */
typedef struct bench_key {
    bench_str kind;
    bench_str namespace_;
    bench_str name;
} bench_key;

/* One version of an object. */
typedef struct bench_object {
    bench_key key;
    uint64_t version;
    bench_str spec; /* A JSON object; empty for an object that was deleted. */
} bench_object;

enum { BENCH_ADDED = 0, BENCH_MODIFIED = 1, BENCH_DELETED = 2 };

/* A change of a watched object. */
typedef struct bench_event {
    uint32_t kind; /* One of BENCH_ADDED, BENCH_MODIFIED, BENCH_DELETED. */
    bench_object object;
} bench_event;

/* The events of a kind in a namespace. */
typedef struct bench_watch {
    bench_str kind;
    bench_str namespace_;
} bench_watch;

/* The largest number of watches. */
#define BENCH_WATCHES_MAX 16

/* ---- What the plug-in defines ---- */

/* Called once, before all others: writes at most BENCH_WATCHES_MAX watches. The arguments stay valid. */
bench_str bench_start(const bench_pair *arguments, size_t length, bench_watch *watches, size_t *count);
/* Does what an event asks for. After an error it is called again with the same event, later. The event is valid until this returns. */
bench_str bench_reconcile(const bench_event *event);
/* The state that is kept while the operator is unloaded; valid until the instance is dropped, which is next. */
bench_str bench_suspend(void);
/* Called on a new instance in place of bench_start, with the state, which stays valid. */
bench_str bench_resume(bench_str state);

/* ---- The control plane of the host ---- */

#define BENCH_PLANE(name) __attribute__((import_module("bench-host:operator/control-plane@0.2.0"), import_name(name)))

BENCH_PLANE("get")
void bench_plane_get(const char *, size_t, const char *, size_t, const char *, size_t, void *);
BENCH_PLANE("apply")
void bench_plane_apply(const char *, size_t, const char *, size_t, const char *, size_t, const char *, size_t, void *);
BENCH_PLANE("create")
void bench_plane_create(const char *, size_t, const char *, size_t, const char *, size_t, const char *, size_t, void *);
BENCH_PLANE("update")
void bench_plane_update(const char *, size_t, const char *, size_t, const char *, size_t, uint64_t, const char *, size_t, void *);
BENCH_PLANE("delete")
void bench_plane_delete(const char *, size_t, const char *, size_t, const char *, size_t, void *);

/* The answer of the control plane: an object, a version or an error. */
typedef struct bench_answer {
    uint8_t is_error;
    union {
        bench_object object;
        uint64_t version;
        struct {
            uint8_t kind;
            union {
                uint64_t version;
                bench_str reason;
            } as;
        } error;
    } as;
} bench_answer;

_Static_assert(sizeof(bench_answer) == 48, "the layout is that of the canonical ABI on wasm32");

/* The error of an answer. Its text is valid until the next one. */
static inline bench_str bench_refusal(const bench_answer *answer) {
    static const bench_str not_found = BENCH_STR("there is no such object");
    static const bench_str conflict = BENCH_STR("conflict with another version: read it again");
    if (!answer->is_error) {
        return bench_fine;
    }
    switch (answer->as.error.kind) {
    case 0:
        return not_found;
    case 1:
        return conflict;
    default: {
        /* Kept until the next one, so that it is nobody's to free. */
        static char kept[256];
        bench_str reason = answer->as.error.as.reason;
        size_t length = reason.length < sizeof kept ? reason.length : sizeof kept;
        if (length > 0) {
            memcpy(kept, reason.at, length);
            free((void *)reason.at);
        }
        return (bench_str){ kept, length };
    }
    }
}

/* The object as it is now, whose texts are the caller's to free. */
static inline bench_str bench_get(bench_key key, bench_object *object) {
    bench_answer answer;
    bench_plane_get(key.kind.at, key.kind.length, key.namespace_.at, key.namespace_.length, key.name.at, key.name.length, &answer);
    if (!answer.is_error) {
        *object = answer.as.object;
    }
    return bench_refusal(&answer);
}

/* Sets the fields of `spec`, a JSON object, and creates the object if it does not exist. Fields that this operator applied before and does
 * not name any more are removed. */
static inline bench_str bench_apply(bench_key key, bench_str spec) {
    bench_answer answer;
    bench_plane_apply(key.kind.at, key.kind.length, key.namespace_.at, key.namespace_.length, key.name.at, key.name.length, spec.at,
                      spec.length, &answer);
    return bench_refusal(&answer);
}

/* Creates an object that does not exist yet. */
static inline bench_str bench_create(bench_key key, bench_str spec) {
    bench_answer answer;
    bench_plane_create(key.kind.at, key.kind.length, key.namespace_.at, key.namespace_.length, key.name.at, key.name.length, spec.at,
                       spec.length, &answer);
    return bench_refusal(&answer);
}

/* Replaces the object, unless it was written after the given version. */
static inline bench_str bench_update(const bench_object *object) {
    bench_answer answer;
    const bench_key *key = &object->key;
    bench_plane_update(key->kind.at, key->kind.length, key->namespace_.at, key->namespace_.length, key->name.at, key->name.length,
                       object->version, object->spec.at, object->spec.length, &answer);
    return bench_refusal(&answer);
}

/* Removes the object. */
static inline bench_str bench_delete(bench_key key) {
    bench_answer answer;
    bench_plane_delete(key.kind.at, key.kind.length, key.namespace_.at, key.namespace_.length, key.name.at, key.name.length, &answer);
    return bench_refusal(&answer);
}

/* ---- The exports ---- */

#define BENCH_OPERATOR_EXPORT(name) __attribute__((export_name("bench-host:operator/operator@0.2.0#" name)))

/* A result whose value is a list or nothing, and whose error is a text. */
typedef struct bench_ended {
    uint8_t is_error;
    bench_str value;
} bench_ended;

static const bench_ended *bench_end(bench_str error, bench_str value) {
    static bench_ended ended;
    ended.is_error = error.at != NULL;
    ended.value = ended.is_error ? error : value;
    return &ended;
}

BENCH_OPERATOR_EXPORT("start") const bench_ended *bench_component_start(bench_pair *arguments, size_t length) {
    static bench_watch watches[BENCH_WATCHES_MAX];
    size_t count = 0;
    bench_str error = bench_start(arguments, length, watches, &count);
    return bench_end(error, (bench_str){ (const char *)watches, count });
}

static void bench_free(bench_str text) {
    if (text.length > 0) {
        free((void *)text.at);
    }
}

BENCH_OPERATOR_EXPORT("reconcile")
const bench_ended *bench_component_reconcile(uint32_t event, char *kind, size_t kind_length, char *namespace_, size_t namespace_length,
                                             char *name, size_t name_length, uint64_t version, char *spec, size_t spec_length) {
    bench_key key = { { kind, kind_length }, { namespace_, namespace_length }, { name, name_length } };
    bench_event happened = { event, { key, version, BENCH_NONE } };
    if (event != BENCH_DELETED) {
        happened.object.spec = (bench_str){ spec, spec_length };
    }
    bench_str error = bench_reconcile(&happened);
    bench_free(key.kind);
    bench_free(key.namespace_);
    bench_free(key.name);
    bench_free(happened.object.spec);
    return bench_end(error, bench_fine);
}

BENCH_OPERATOR_EXPORT("suspend") const bench_str *bench_component_suspend(void) {
    static bench_str state;
    state = bench_suspend();
    return &state;
}

BENCH_OPERATOR_EXPORT("resume") const bench_ended *bench_component_resume(char *state, size_t length) {
    return bench_end(bench_resume((bench_str){ state, length }), bench_fine);
}

#endif /* BENCH_OPERATOR_H */
