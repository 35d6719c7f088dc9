/* Saying what was found in files of weights, and what was not. */
#include "runtime/weights/weights.h"
#include "runtime/weights/weights_match.h"

enum { MOST_NAMED = 5 };

static void report_missing(const Store *store, const TensorSet *set, FILE *out)
{
    Prefix prefix = prefix_choose(store, set);
    uint32_t named = 0;
    const Module *module = store_module(store);
    for (uint32_t i = 0; i < module->param_count && named < MOST_NAMED; i++) {
        const Param *param = &module->params[i];
        if (param_is_kept(param) || prefix_tensor(prefix, set, param))
            continue;
        const char *near = tensor_set_nearest(set, param->name);
        fprintf(out, "  not in the files: frozen '%s'", param->name);
        fprintf(out, near ? "; they have '%s'\n" : "\n", near);
        named++;
    }
}

static void report_unexpected(const Store *store, const TensorSet *set, FILE *out)
{
    Prefix prefix = prefix_choose(store, set);
    uint32_t named = 0;
    for (uint32_t i = 0; i < tensor_set_count(set) && named < MOST_NAMED; i++) {
        const char *name = tensor_set_at(set, i)->name;
        if (prefix_entry(prefix, store, name))
            continue;
        fprintf(out, "  not a parameter: '%s'\n", name);
        named++;
    }
}

void weights_report(const Store *store, const TensorSet *set, const WeightsReport *report,
                    FILE *out)
{
    fprintf(out, "%s: %u parameters read, %u of them mapped", tensor_set_path(set),
            report->loaded, report->mapped);
    if (report->resized)
        fprintf(out, ", %u into their first rows", report->resized);
    if (report->skipped)
        fprintf(out, ", %u skipped", report->skipped);
    if (report->missing)
        fprintf(out, "; %u others keep their initial values", report->missing);
    fputc('\n', out);
    if (report->frozen_missing) {
        fprintf(out, "  %u of those are frozen: nothing will ever set them\n",
                report->frozen_missing);
        report_missing(store, set, out);
    }
    if (report->unexpected) {
        fprintf(out, "  %u tensors are not parameters of this model\n",
                report->unexpected);
        report_unexpected(store, set, out);
    }
}

static void report_kept_missing(Store *store, const TensorSet *set, FILE *out)
{
    Prefix prefix = prefix_choose(store, set);
    uint32_t named = 0;
    for (uint32_t i = 0; i < store_count(store) && named < MOST_NAMED; i++) {
        const Param *param = store_at(store, i)->param;
        if (!param || !param_is_kept(param) || prefix_tensor(prefix, set, param))
            continue;
        const char *near = tensor_set_nearest(set, param->name);
        fprintf(out, "  not there: '%s'", param->name);
        fprintf(out, near ? "; it has '%s'\n" : "\n", near);
        named++;
    }
}

void weights_report_kept(Store *store, const TensorSet *set, const WeightsReport *report,
                         FILE *out)
{
    uint32_t missing = report->missing - report->frozen_missing;
    fprintf(out, "%s: %u parameters to begin with", tensor_set_path(set), report->loaded);
    if (report->skipped)
        fprintf(out, ", %u skipped", report->skipped);
    if (report->mismatched)
        fprintf(out, ", %u of another shape", report->mismatched);
    if (missing)
        fprintf(out, "; %u trained ones are not there", missing);
    if (report->left)
        fprintf(out, "; %u frozen ones are left as they are", report->left);
    fputc('\n', out);
    if (missing)
        report_kept_missing(store, set, out);
}
