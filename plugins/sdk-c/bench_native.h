/* The native arm of bench_plugin.h: the table of bench_probe.h. Included by it. */
#ifndef BENCH_NATIVE_H
#define BENCH_NATIVE_H

#include "bench_probe.h"

#include <stdio.h>
#include <stdlib.h>

/* A text that grows. */
typedef struct bench_text {
    char *at;
    size_t length, room;
} bench_text;

static void bench_add(bench_text *text, const char *words, size_t length) {
    if (text->length + length > text->room) {
        text->room = 2 * (text->length + length) + 64;
        text->at = realloc(text->at, text->room);
        if (text->at == NULL) {
            abort();
        }
    }
    memcpy(text->at + text->length, words, length);
    text->length += length;
}

static void bench_word(bench_text *text, const char *words) {
    bench_add(text, words, strlen(words));
}

static void bench_quote(bench_text *text, bench_str words) {
    bench_word(text, "\"");
    for (size_t index = 0; index < words.length; index++) {
        char escaped[8];
        unsigned char letter = (unsigned char)words.at[index];
        if (letter == '"' || letter == '\\') {
            bench_word(text, "\\");
        }
        if (letter < ' ') {
            snprintf(escaped, sizeof escaped, "\\u%04x", letter);
            bench_word(text, escaped);
        } else {
            bench_add(text, words.at + index, 1);
        }
    }
    bench_word(text, "\"");
}

/* A member of an object; `first` says whether it is the first one. */
static void bench_member(bench_text *text, bool first, const char *name, bench_str value) {
    bench_word(text, first ? "\"" : ",\"");
    bench_word(text, name);
    bench_word(text, "\":");
    bench_quote(text, value);
}

static void bench_scalar(bench_text *text, bench_value value) {
    char number[32];
    switch (value.kind) {
    case BENCH_FLAG:
        bench_word(text, value.as.flag ? "true" : "false");
        return;
    case BENCH_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)value.as.integer);
        break;
    case BENCH_DECIMAL:
        snprintf(number, sizeof number, "%.16e", value.as.decimal);
        break;
    default:
        bench_quote(text, value.as.text);
        return;
    }
    bench_word(text, number);
}

static void bench_list(bench_text *text, const bench_value *values, size_t length) {
    bench_word(text, "[");
    for (size_t index = 0; index < length; index++) {
        bench_word(text, index > 0 ? "," : "");
        bench_scalar(text, values[index]);
    }
    bench_word(text, "]");
}

static void bench_describe_parameter(bench_text *text, const bench_parameter *parameter) {
    bench_word(text, "{");
    bench_member(text, true, "name", parameter->name);
    bench_member(text, false, "summary", parameter->summary);
    bench_member(text, false, "unit", parameter->unit);
    bench_word(text, ",\"defaults\":");
    bench_list(text, parameter->defaults.at, parameter->defaults.length);
    if (parameter->domain.kind == BENCH_CHOICES) {
        bench_word(text, ",\"domain\":{\"choices\":");
        bench_list(text, parameter->domain.as.choices.at, parameter->domain.as.choices.length);
        bench_word(text, "}");
    } else if (parameter->domain.kind == BENCH_BETWEEN) {
        bench_word(text, ",\"domain\":{\"between\":");
        bench_list(text, parameter->domain.as.between, 2);
        bench_word(text, "}");
    }
    bench_word(text, "}");
}

static void bench_describe_metric(bench_text *text, const bench_metric *metric) {
    static const char *const directions[] = { "lower-is-better", "higher-is-better", "neutral" };
    bench_word(text, "{");
    bench_member(text, true, "name", metric->name);
    bench_member(text, false, "summary", metric->summary);
    bench_member(text, false, "unit", metric->unit);
    bench_word(text, ",\"direction\":\"");
    bench_word(text, directions[metric->direction % 3]);
    bench_word(text, "\",\"labels\":[");
    for (size_t index = 0; index < metric->labels.length; index++) {
        bench_word(text, index > 0 ? "," : "");
        bench_quote(text, metric->labels.at[index]);
    }
    bench_word(text, "]}");
}

static void bench_describe_requirement(bench_text *text, const bench_requirement *requirement) {
    bench_word(text, "{");
    bench_member(text, true, "capability", requirement->capability);
    bench_member(text, false, "purpose", requirement->purpose);
    bench_word(text, requirement->optional ? ",\"optional\":true}" : "}");
}

static void bench_describe_scenario(bench_text *text, const bench_scenario *scenario) {
    bench_word(text, "{");
    bench_member(text, true, "name", scenario->name);
    bench_member(text, false, "driver", scenario->driver);
    bench_member(text, false, "family", scenario->family);
    bench_member(text, false, "summary", scenario->summary);
    if (scenario->limit.is_some) {
        bench_member(text, false, "limit", scenario->limit.name);
    }
    bench_word(text, ",\"parameters\":[");
    for (size_t index = 0; index < scenario->parameters.length; index++) {
        bench_word(text, index > 0 ? "," : "");
        bench_describe_parameter(text, &scenario->parameters.at[index]);
    }
    bench_word(text, "],\"metrics\":[");
    for (size_t index = 0; index < scenario->metrics.length; index++) {
        bench_word(text, index > 0 ? "," : "");
        bench_describe_metric(text, &scenario->metrics.at[index]);
    }
    bench_word(text, "],\"requirements\":[");
    for (size_t index = 0; index < scenario->requirements.length; index++) {
        bench_word(text, index > 0 ? "," : "");
        bench_describe_requirement(text, &scenario->requirements.at[index]);
    }
    bench_word(text, "]}");
}

static bhp_str bench_descriptor_json(void) {
    bench_text text = { NULL, 0, 0 };
    bench_word(&text, "{");
    bench_member(&text, true, "name", bench_describe.name);
    bench_member(&text, false, "version", bench_describe.version);
    bench_member(&text, false, "summary", bench_describe.summary);
    bench_word(&text, ",\"scenarios\":[");
    for (size_t index = 0; index < bench_describe.scenarios.length; index++) {
        bench_word(&text, index > 0 ? "," : "");
        bench_describe_scenario(&text, &bench_describe.scenarios.at[index]);
    }
    bench_word(&text, "]}");
    return (bhp_str){ text.at, text.length };
}

/* What a `bhp_session` points to. */
struct bhp_session {
    const bhp_host *host;
    void *session;
};

/* The host's table for the session that this thread calls. */
static _Thread_local const bhp_host *bench_host;

bench_error bench_series(bench_str metric, const bench_pair *labels, size_t length, uint32_t *series) {
    bhp_arg *pairs = calloc(length + 1, sizeof *pairs);
    if (pairs == NULL) {
        abort();
    }
    for (size_t index = 0; index < length; index++) {
        pairs[index].name = (bhp_str){ labels[index].name.at, labels[index].name.length };
        pairs[index].value = (bhp_str){ labels[index].value.at, labels[index].value.length };
    }
    bhp_str name = { metric.at, metric.length };
    bhp_status status = bench_host->series_open(bench_host->ctx, name, pairs, length, series);
    free(pairs);
    if (status == BHP_OK) {
        return bench_ok;
    }
    return (bench_error){ BENCH_INVALID_ARGUMENT, BENCH_STR("the host refused a series: declare its metric, and give each label once") };
}

void bench_record(uint32_t series, const uint64_t *samples, size_t length) {
    bench_host->series_append(bench_host->ctx, series, samples, length);
}

static bhp_status bench_status(const bhp_host *host, bench_error error) {
    static const bhp_status statuses[] = { BHP_UNKNOWN_SCENARIO, BHP_INVALID_ARGUMENT, BHP_DENIED, BHP_UNSUPPORTED, BHP_OTHER };
    if (error.kind == BENCH_OK) {
        return BHP_OK;
    }
    host->explain(host->ctx, (bhp_str){ error.why.at, error.why.length });
    return error.kind >= 0 && error.kind < 5 ? statuses[error.kind] : BHP_OTHER;
}

/* The kind of a parameter, by its first default. */
static uint8_t bench_kind_of(bhp_str scenario, bhp_str name) {
    for (size_t index = 0; index < bench_describe.scenarios.length; index++) {
        const bench_scenario *known = &bench_describe.scenarios.at[index];
        if (known->name.length != scenario.len || memcmp(known->name.at, scenario.ptr, scenario.len) != 0) {
            continue;
        }
        for (size_t place = 0; place < known->parameters.length; place++) {
            const bench_parameter *parameter = &known->parameters.at[place];
            if (parameter->name.length == name.len && memcmp(parameter->name.at, name.ptr, name.len) == 0) {
                return parameter->defaults.at[0].kind;
            }
        }
    }
    return BENCH_TEXT;
}

static bench_value bench_parse(uint8_t kind, bhp_str text) {
    char number[64] = { 0 };
    memcpy(number, text.ptr, text.len < sizeof number ? text.len : sizeof number - 1);
    bench_value value = { .kind = kind };
    switch (kind) {
    case BENCH_FLAG:
        value.as.flag = text.len == 4;
        break;
    case BENCH_INTEGER:
        value.as.integer = strtoll(number, NULL, 10);
        break;
    case BENCH_DECIMAL:
        value.as.decimal = strtod(number, NULL);
        break;
    default:
        value.as.text = (bench_str){ text.ptr, text.len };
    }
    return value;
}

static bhp_status bench_probe_open(
    const bhp_host *host, bhp_str scenario, const bhp_arg *args, size_t length, bhp_session **out) {
    bench_str name = { scenario.ptr, scenario.len };
    if (!bench_knows(name)) {
        return bench_status(host, (bench_error){ BENCH_UNKNOWN_SCENARIO, name });
    }
    bench_argument *arguments = calloc(length + 1, sizeof *arguments);
    bhp_session *opened = calloc(1, sizeof *opened);
    if (arguments == NULL || opened == NULL) {
        abort();
    }
    for (size_t index = 0; index < length; index++) {
        arguments[index].name = (bench_str){ args[index].name.ptr, args[index].name.len };
        arguments[index].value = bench_parse(bench_kind_of(scenario, args[index].name), args[index].value);
    }
    opened->host = host;
    bench_host = host;
    bench_error error = bench_open(name, arguments, length, &opened->session);
    free(arguments);
    if (error.kind != BENCH_OK) {
        free(opened);
        return bench_status(host, error);
    }
    *out = opened;
    return BHP_OK;
}

static bhp_status bench_probe_iterate(bhp_session *opened, uint64_t times, bhp_outcome *out) {
    bench_outcome outcome = { 0, 0, 0 };
    bench_host = opened->host;
    bench_error error = bench_iterate(opened->session, times, &outcome);
    *out = (bhp_outcome){ outcome.operations, outcome.bytes, outcome.checksum };
    return bench_status(opened->host, error);
}

static bhp_status bench_probe_verify(bhp_session *opened) {
    bench_check checks[BENCH_CHECKS_MAX];
    size_t length = 0;
    bench_host = opened->host;
    bench_error error = bench_verify(opened->session, checks, &length);
    const bhp_host *host = opened->host;
    for (size_t index = 0; error.kind == BENCH_OK && index < length; index++) {
        bhp_str name = { checks[index].name.at, checks[index].name.length };
        bhp_str detail = { checks[index].detail.at, checks[index].detail.length };
        host->check(host->ctx, name, checks[index].passed, detail);
    }
    return bench_status(host, error);
}

static void bench_probe_close(bhp_session *opened) {
    bench_close(opened->session);
    free(opened);
}

static const void *bench_probe_extension(bhp_str id) {
    (void)id;
    return NULL;
}

const bhp_probe *bench_probe_v1(void) {
    static bhp_probe probe;
    if (probe.size == 0) {
        probe = (bhp_probe){
            .size = sizeof probe,
            .abi_major = BHP_ABI_MAJOR,
            .abi_minor = BHP_ABI_MINOR,
            .descriptor = bench_descriptor_json(),
            .open = bench_probe_open,
            .iterate = bench_probe_iterate,
            .verify = bench_probe_verify,
            .close = bench_probe_close,
            .extension = bench_probe_extension,
        };
    }
    return &probe;
}

#endif /* BENCH_NATIVE_H */
