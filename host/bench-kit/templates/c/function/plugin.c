/* A function that answers requests. The host starts it and sends it requests over HTTP; the driver `handler` specifies the scenarios. */
#include "bench_function.h"

/* A request, and the response that it must have. It is written down here and not computed, so that a comparison finds an error. */
static const bench_value post[] = { BENCH_WORDS("POST") };
static const bench_value request[] = { BENCH_WORDS("the quick brown fox jumps over the lazy dog") };
static const bench_value response[] = { BENCH_WORDS("brown dog fox jumps lazy over quick the the") };

static const bench_parameter parameters[] = {
    { .name = BENCH_STR("method"), .defaults = BENCH_LIST(post) },
    { .name = BENCH_STR("body"), .defaults = BENCH_LIST(request) },
    { .name = BENCH_STR("expect"), .defaults = BENCH_LIST(response) },
};

static const bench_scenario scenarios[] = {
    { .name = BENCH_STR("cold-start"), .driver = BENCH_STR("handler"), .parameters = BENCH_LIST(parameters) },
    { .name = BENCH_STR("request"), .driver = BENCH_STR("handler"), .parameters = BENCH_LIST(parameters) },
};

const bench_descriptor bench_describe = {
    .name = BENCH_STR("{{name}}"),
    .version = BENCH_STR("0.1.0"),
    .summary = BENCH_STR("Sorts words."),
    .scenarios = BENCH_LIST(scenarios),
};

enum { WORDS_MAX = 4096 };

static int compare(const void *one, const void *other) {
    const bench_str *left = one, *right = other;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->at, right->at, shorter);
    if (order != 0) {
        return order;
    }
    return (left->length > right->length) - (left->length < right->length);
}

/* Splits a text at its spaces; the number of words. */
static size_t split(bench_str text, bench_str *words) {
    size_t count = 0, at = 0;
    while (at < text.length && count < WORDS_MAX) {
        size_t begin = at;
        while (at < text.length && text.at[at] != ' ') {
            at++;
        }
        if (at > begin) {
            words[count++] = (bench_str){ text.at + begin, at - begin };
        }
        at++;
    }
    return count;
}

/* Answers one request: the words of its body in order. This is what to replace. */
bench_response bench_handle(const bench_request *asked) {
    static bench_str words[WORDS_MAX];
    static char sorted[BENCH_BODY_MAX + 1];
    if (asked->method != BENCH_POST) {
        return (bench_response){ 405, BENCH_STR("use POST") };
    }
    size_t count = split(asked->body, words), length = 0;
    qsort(words, count, sizeof words[0], compare);
    for (size_t index = 0; index < count; index++) {
        if (index > 0) {
            sorted[length++] = ' ';
        }
        memcpy(sorted + length, words[index].at, words[index].length);
        length += words[index].length;
    }
    return (bench_response){ 200, { sorted, length } };
}
