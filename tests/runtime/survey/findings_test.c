/* Which messages are one finding, and what is kept of it. */
#include "runtime/survey/findings.h"

#include <string.h>

#include "tests/check.h"

static const Loc place = {"x.jsonl", 3, 0};

static void test_alike(Check *check)
{
    Findings *findings = findings_new();
    Diags *diags = findings_diags(findings);
    uint32_t count;
    findings_at(findings, "mine", SPLIT_train);
    for (int i = 0; i < 6; i++) {
        diag_error(diags, place, "record %d: the score of answer 'it's %d' is 1.%d", i, i,
                   i);
        diag_note(diags, place, "asked for here, %d", i);
    }
    const SurveyFinding *items = findings_items(findings, &count);
    CHECK(check, count == 1 && items[0].count == 6, "%u kinds, %lld times", count,
          (long long)items[0].count);
    CHECK(check, items[0].shown_count == FINDING_SHOWN, "%u shown", items[0].shown_count);
    CHECK(check,
          strcmp(items[0].shown[1],
                 "x.jsonl:3: record 1: the score of answer 'it's 1' is 1.1") == 0,
          "%s", items[0].shown[1]);
    CHECK(check, strcmp(items[0].notes[3], "x.jsonl:3: asked for here, 3") == 0, "%s",
          items[0].notes[3]);
    findings_free(findings);
}

static void test_different(Check *check)
{
    Findings *findings = findings_new();
    Diags *diags = findings_diags(findings);
    uint32_t count;
    diag_error(diags, (Loc){0}, "has no \"a\"");
    diag_error(diags, (Loc){0}, "has no \"b\"");
    diag_warning(diags, (Loc){0}, "has no \"b\"");
    findings_at(findings, "mine", SPLIT_valid);
    diag_error(diags, (Loc){0}, "has no \"b\"");
    const SurveyFinding *items = findings_items(findings, &count);
    CHECK(check, count == 4, "%u kinds", count);
    CHECK(check, !items[1].task && items[1].split == SPLIT_COUNT, "of none alone");
    CHECK(check, items[3].split == SPLIT_valid && !strcmp(items[3].task, "mine"),
          "of one split");
    CHECK(check,
          findings_count(findings, DIAG_error) == 3 &&
              findings_count(findings, DIAG_warning) == 1,
          "kinds are counted apart");
    findings_free(findings);
}

/* However many kinds there are, memory is bounded, and nothing is lost. */
static void test_many(Check *check)
{
    enum { MANY = 27 * 27 };
    Findings *findings = findings_new();
    uint32_t count;
    int64_t all = 0;
    for (int i = 0; i < MANY; i++)
        diag_error(findings_diags(findings), (Loc){0}, "%c%c", 'a' + i / 27,
                   'a' + i % 27);
    const SurveyFinding *items = findings_items(findings, &count);
    for (uint32_t i = 0; i < count; i++)
        all += items[i].count;
    CHECK(check, count == FINDINGS_MOST && all == MANY, "%u kinds, %lld messages", count,
          (long long)all);
    findings_free(findings);
}

int main(void)
{
    Check check = {0};
    test_alike(&check);
    test_different(&check);
    test_many(&check);
    return check_finish(&check);
}
