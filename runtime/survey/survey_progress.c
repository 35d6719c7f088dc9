/* How far a survey is, and where mistakes go. */
#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/survey/survey_parts.h"

Diags *survey_diags(const SplitSurvey *work)
{
    return findings_diags(work->of->survey->findings);
}

bool survey_goes_on(SplitSurvey *work, const char *what, int64_t done, int64_t all)
{
    static const double interval = 0.1; /* seconds */
    TaskSurvey *of = work->of;
    Survey *survey = of->survey;
    FILE *out = of->options->progress;
    survey->is_stopped = survey->is_stopped || interrupt_is_set(of->options->interrupt);
    if (survey->is_stopped || !out || clock_seconds() - of->shown_at < interval)
        return !survey->is_stopped;
    of->shown_at = clock_seconds();
    char *text = heap_format("%s, %s: %s, %" PRId64 " of %" PRId64, of->name,
                             split_names[work->out->split], what, done, all);
    terminal_show(out, text);
    free(text);
    return true;
}
