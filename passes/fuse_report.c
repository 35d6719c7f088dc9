/* The fusion report: pairs that were considered, how often each verdict fell, the
 * groups. */
#include <inttypes.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/text.h"
#include "passes/fuse.h"

static const struct {
    const char *code, *meaning;
} verdicts[FUSE_VERDICT_COUNT] = {
#define ROWS(code, rule, meaning) {#code, meaning},
#define KERNEL(code, rule, meaning) {#code, meaning},
#define PRODUCT(code, rule, meaning) {#code, meaning},
#define VERDICT(code, meaning) {#code, meaning},
#include "passes/fuse_rules.def"
};

enum { VALUE_WIDTH = 44 };

static void print_pairs(FILE *out, const FusePair *pairs, uint32_t count, bool brief)
{
    uint64_t fallen[FUSE_VERDICT_COUNT] = {0};
    for (uint32_t i = 0; i < count; i++) {
        fallen[pairs[i].verdict]++;
        if (brief)
            continue;
        fprintf(out, "  %-18s", verdicts[pairs[i].verdict].code);
        value_print(pairs[i].a, VALUE_WIDTH, out);
        fputs(" ", out);
        value_print(pairs[i].b, VALUE_WIDTH, out);
        fputc('\n', out);
    }
    fprintf(out, "%s  %u pairs considered\n", brief ? "" : "\n", count);
    for (int i = 0; i < FUSE_VERDICT_COUNT; i++)
        if (fallen[i])
            fprintf(out, "  %8" PRIu64 "  %-18s%s\n", fallen[i], verdicts[i].code,
                    verdicts[i].meaning);
}

/* What a group saves: bytes of values that never leave it. */
static void print_groups(FILE *out, const Graph *fused, const Liveness live)
{
    fprintf(out, "  %-7s%6s%14s%14s  %s\n", "group", "nodes", "bytes kept", "bytes saved",
            "last node");
    for (uint32_t i = 0; i < fused->node_count;) {
        const Node *last = fused->nodes[i];
        int64_t kept = 0, saved = 0;
        uint32_t nodes = 0;
        int32_t step = live.step_of[i];
        for (; i < fused->node_count && (live.step_of[i] == step || live.step_of[i] < 0);
             i++) {
            if (live.step_of[i] < 0)
                continue;
            last = fused->nodes[i];
            nodes++;
            kept += live.bytes[i];
            saved += live.last_use[i] < 0 ? node_bytes(fused, last) : 0;
        }
        if (nodes == 0)
            continue;
        char type[96];
        type_print(fused, last->type, type, sizeof type);
        fprintf(out, "  %-7d%6u%14" PRId64 "%14" PRId64 "  ", last->group, nodes, kept,
                saved);
        value_print(last, VALUE_WIDTH, out);
        fprintf(out, " %s\n", type);
    }
}

void fuse_report(FILE *out, const Graph *in, const FusePair *pairs, uint32_t pair_count,
                 const Graph *fused, bool brief)
{
    Arena *arena = arena_new();
    Liveness live = liveness_of(fused, arena);
    fprintf(out, "fusion of @%s\n", in->name);
    print_pairs(out, pairs, pair_count, brief);
    fprintf(out, "%s  %u nodes became %u steps\n", brief ? "" : "\n", fused->node_count,
            live.step_count);
    if (!brief)
        print_groups(out, fused, live);
    fputc('\n', out);
    arena_free(arena);
}
