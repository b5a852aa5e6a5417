/* A probe with operators, each of which tries what a control plane does and refuses, and says which expectation did not hold.
 * With FAULT it errs in the way of that number. */
#include "bench_probe.h"

#include <stdlib.h>
#include <string.h>

#define STR(literal) ((bhp_str){(literal), sizeof(literal) - 1})
#define EXPECT(condition) \
    if (!(condition)) return fail(self->host, STR("expected: " #condition))
#ifndef FAULT
#define FAULT 0
#endif

struct bhp_operator {
    const bhp_host *host;
    uint8_t seen;
};

static const char DESCRIPTOR[] =
    "{\"name\": \"operators\", \"version\": \"1.0.0\", \"scenarios\": [{\"name\": \"try\", \"family\": \"tests\","
    " \"driver\": \"operator\"}]}";

static bhp_status fail(const bhp_host *host, bhp_str why) {
    host->explain(host->ctx, why);
    return BHP_OTHER;
}

static int equal(bhp_str a, bhp_str b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

static bhp_status make(const bhp_host *host, bhp_operator **operator_out) {
    if (FAULT == 1) return BHP_OK;
    bhp_operator *self = calloc(1, sizeof *self);
    if (self == NULL) return fail(host, STR("out of memory"));
    self->host = host;
    *operator_out = self;
    return BHP_OK;
}

static bhp_status start(bhp_operator *self, const bhp_plane *plane, const bhp_arg *args, size_t args_len,
                        const bhp_watch **watches_out, size_t *watches_len_out) {
    static bhp_watch watches[1];
    EXPECT(plane->size >= sizeof *plane);
    EXPECT(args_len == 1 && equal(args[0].name, STR("watch")) && equal(args[0].value, STR("here")));
    watches[0] = (bhp_watch){STR("Kind"), STR("here")};
    *watches_out = FAULT == 2 ? NULL : watches;
    *watches_len_out = 1;
    return BHP_OK;
}

static bhp_status reconcile(bhp_operator *self, const bhp_plane *plane, int32_t event, const bhp_object *object) {
    bhp_key key = {STR("Kind"), STR("there"), object->key.name};
    bhp_object found = {0};
    self->seen++;
    if (event == BHP_EVENT_DELETED) {
        EXPECT(object->spec.len == 0 && object->resource_version == 9);
        EXPECT(plane->remove(plane->ctx, &key) == BHP_PLANE_OK);
        EXPECT(plane->remove(plane->ctx, NULL) == BHP_PLANE_INVALID);
        return BHP_OK;
    }
    EXPECT(plane->get(plane->ctx, &key, &found) == BHP_PLANE_NOT_FOUND);
    EXPECT(plane->apply(plane->ctx, &key, object->spec, &found) == BHP_PLANE_OK);
    EXPECT(equal(found.spec, object->spec) && equal(found.key.space, STR("there")) && found.resource_version == 1);
    EXPECT(plane->apply(plane->ctx, &key, (bhp_str){"\xff", 1}, &found) == BHP_PLANE_INVALID);
    EXPECT(equal(plane->reason(plane->ctx), STR("the spec is not UTF-8")));
    EXPECT(plane->create(plane->ctx, &key, STR("{}"), NULL) == BHP_PLANE_UNAVAILABLE);
    EXPECT(plane->update(plane->ctx, NULL, &found) == BHP_PLANE_INVALID);
    found.key = key;
    found.spec = STR("{}");
    EXPECT(plane->update(plane->ctx, &found, &found) == BHP_PLANE_CONFLICT && found.resource_version == 7);
    return BHP_OK;
}

static bhp_status suspend(bhp_operator *self, bhp_bytes *state_out) {
    *state_out = (bhp_bytes){FAULT == 3 ? NULL : &self->seen, 1};
    return BHP_OK;
}

static bhp_status resume(bhp_operator *self, const uint8_t *state, size_t state_len) {
    EXPECT(state_len == 1);
    self->seen = state[0];
    return BHP_OK;
}

static void drop(bhp_operator *self) { free(self); }

static bhp_status open(const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t args_len,
                       bhp_session **session_out) {
    (void)scenario, (void)args, (void)args_len, (void)session_out;
    return fail(host, STR("no sessions"));
}

static bhp_status iterate(bhp_session *session, uint64_t times, bhp_outcome *outcome_out) {
    (void)session, (void)times, (void)outcome_out;
    return BHP_INVALID_STATE;
}

static bhp_status verify(bhp_session *session) {
    (void)session;
    return BHP_INVALID_STATE;
}

static void close(bhp_session *session) { (void)session; }

static const void *extension(bhp_str id) {
    static const bhp_operators whole = {sizeof whole, make, start, reconcile, suspend, resume, drop};
    static const bhp_operators short_one = {8, make, start, reconcile, suspend, resume, drop};
    static const bhp_operators lacking = {sizeof whole, make, start, NULL, suspend, resume, drop};
    if (!equal(id, STR(BHP_EXTENSION_OPERATOR))) return NULL;
    return FAULT == 4 ? &short_one : FAULT == 5 ? &lacking : &whole;
}

const bhp_probe *bench_probe_v1(void) {
    static const bhp_probe probe = {sizeof probe, BHP_ABI_MAJOR, BHP_ABI_MINOR, {DESCRIPTOR, sizeof DESCRIPTOR - 1},
                                    open,         iterate,       verify,        close, extension};
    return &probe;
}
