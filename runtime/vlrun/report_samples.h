/* What runs say about the first examples of the test split, as cards of a page. */
#ifndef VLG_RUNTIME_VLRUN_REPORT_SAMPLES_H
#define VLG_RUNTIME_VLRUN_REPORT_SAMPLES_H

#include "ir/base/interrupt.h"
#include "runtime/report/report.h"

/* `count` of each task and run. A run that cannot be asked, such as one without a
 * checkpoint or whose data have moved, is an error, which the page tells too; the others
 * are shown. */
NODISCARD bool report_add_samples(Page *page, const ReportRuns *runs, int64_t count,
                                  const Interrupt *interrupt, Diags *diags);

#endif
