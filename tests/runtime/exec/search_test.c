/* Greedy and beam search against a plain transcription of their rules that keeps every
 * sequence apart and sorts all candidates, on logits that depend on the hypothesis. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/random.h"
#include "runtime/check/random_batch.h"
#include "runtime/exec/search.h"
#include "tests/check.h"

enum { VOCABULARY = 24, MOST = 10, MOST_BEAMS = 6, SEQUENCES = 4 };

/* The logits after a prefix: a hash of it. The closing token is likely now and then. */
static void make_logits(uint64_t seed, const int32_t *ids, int64_t length, float *out)
{
    uint64_t key = seed;
    for (int64_t i = 0; i < length; i++)
        key = random_step_key(key, (uint64_t)ids[i] + 1);
    for (int i = 0; i < VOCABULARY; i++)
        out[i] = (float)(3 * random_unit(key, (uint64_t)i));
}

/* -- the rules, plainly ------------------------------------------------------------ */

typedef struct Plain {
    int32_t ids[MOST];
    int64_t length;
    double score, sum;
} Plain;

typedef struct Ranked {
    double score;
    int64_t beam;
    int32_t token;
} Ranked;

static int compare_choices(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static bool is_banned(const GenerateOptions *options, const Plain *plain, int32_t token)
{
    int64_t n = options->no_repeat;
    if (n == 0 || plain->length + 1 < n)
        return false;
    int32_t run[MOST];
    for (int64_t i = 0; i < n - 1; i++)
        run[i] = plain->ids[plain->length - n + 1 + i];
    run[n - 1] = token;
    for (int64_t i = 0; i + n <= plain->length; i++) {
        bool is_equal = true;
        for (int64_t j = 0; j < n; j++)
            is_equal = is_equal && plain->ids[i + j] == run[j];
        if (is_equal)
            return true;
    }
    return false;
}

/* Log-probabilities of the next token, banned ones included. */
static void next_scores(const GenerateOptions *options, uint64_t seed, const Plain *plain,
                        double *out)
{
    float logits[VOCABULARY];
    double sum = 0;
    make_logits(seed, plain->ids, plain->length, logits);
    bool is_forced = options->beams > 1 && options->forced_end &&
                     plain->length == options->max_length - 1;
    for (int i = 0; i < VOCABULARY; i++)
        sum += exp((double)logits[i]);
    for (int i = 0; i < VOCABULARY; i++) {
        out[i] = (double)logits[i] - log(sum);
        if (is_forced)
            out[i] = i == options->end ? 0 : -(double)INFINITY;
        if (is_banned(options, plain, i))
            out[i] = -(double)INFINITY;
    }
}

typedef struct PlainSearch {
    const GenerateOptions *options;
    uint64_t seed;
    Plain open[MOST_BEAMS], stored[64];
    int64_t stored_count;
} PlainSearch;

static int64_t worst_of(const PlainSearch *search)
{
    int64_t worst = 0;
    for (int64_t i = 1; i < search->stored_count; i++)
        if (search->stored[i].score < search->stored[worst].score)
            worst = i;
    return worst;
}

static void store_plain(PlainSearch *search, Plain plain, double sum)
{
    plain.sum = sum;
    plain.score = sum / pow((double)plain.length, search->options->length_penalty);
    if (search->stored_count == search->options->beams) {
        int64_t worst = worst_of(search);
        if (!(plain.score > search->stored[worst].score))
            return;
        search->stored[worst] = search->stored[--search->stored_count];
    }
    search->stored[search->stored_count++] = plain;
}

/* Whether the sequence is done. */
static bool step_plain(PlainSearch *search)
{
    const GenerateOptions *options = search->options;
    static Ranked choices[MOST_BEAMS * VOCABULARY];
    int64_t beams = options->beams, count = 0, next = 0;
    for (int64_t b = 0; b < beams; b++) {
        double scores[VOCABULARY];
        next_scores(options, search->seed, &search->open[b], scores);
        for (int32_t i = 0; i < VOCABULARY; i++)
            choices[count++] = (Ranked){scores[i] + search->open[b].score, b, i};
    }
    qsort(choices, (size_t)count, sizeof *choices, compare_choices);
    Plain grown[MOST_BEAMS];
    int64_t length = search->open[0].length;
    for (int64_t rank = 0; rank < 2 * beams && next < beams; rank++) {
        Plain plain = search->open[choices[rank].beam];
        if (choices[rank].token == options->end) {
            if (rank < beams)
                store_plain(search, plain, choices[rank].score);
            continue;
        }
        plain.ids[plain.length++] = choices[rank].token;
        plain.score = choices[rank].score;
        grown[next++] = plain;
    }
    memcpy(search->open, grown, sizeof grown);
    if (search->stored_count < beams)
        return false;
    return options->early_stopping ||
           search->stored[worst_of(search)].score >=
               choices[0].score / pow((double)length, options->length_penalty);
}

static int compare_plain(const void *a, const void *b)
{
    const Plain *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

/* All that is found, the best first; how many. */
static int64_t search_plain(const GenerateOptions *options, uint64_t seed, Plain *out)
{
    PlainSearch search = {.options = options, .seed = seed};
    for (int64_t b = 0; b < options->beams; b++)
        search.open[b] = (Plain){{options->start}, 1, b == 0 ? 0 : -1e9, 0};
    bool is_done = false;
    while (!is_done && search.open[0].length < options->max_length)
        is_done = step_plain(&search);
    for (int64_t b = 0; !is_done && b < options->beams; b++)
        store_plain(&search, search.open[b], search.open[b].score);
    qsort(search.stored, (size_t)search.stored_count, sizeof *out, compare_plain);
    int64_t count = 0; /* without those of beams that never began */
    for (int64_t i = 0; i < search.stored_count; i++) {
        Plain *found = &out[count];
        *found = search.stored[i];
        if (found->length < options->max_length)
            found->ids[found->length++] = options->end;
        count += found->sum > -5e8;
    }
    return count;
}

/* The largest log-probability at every step. */
static int64_t greedy_plain(const GenerateOptions *options, uint64_t seed, Plain *out)
{
    Plain plain = {{options->start}, 1, 0, 0};
    while (plain.length < options->max_length) {
        double scores[VOCABULARY];
        int32_t best = 0;
        next_scores(options, seed, &plain, scores);
        for (int32_t i = 1; i < VOCABULARY; i++)
            if (scores[i] > scores[best])
                best = i;
        plain.ids[plain.length++] = best;
        if (best == options->end)
            break;
    }
    *out = plain;
    return 1;
}

/* Sum of log-probabilities of what follows the first token. */
static double sum_plain(const GenerateOptions *options, uint64_t seed, const int32_t *ids,
                        int64_t length)
{
    double sum = 0, scores[VOCABULARY];
    for (Plain plain = {{ids[0]}, 1, 0, 0}; plain.length < length;) {
        next_scores(options, seed, &plain, scores);
        sum += scores[ids[plain.length]];
        plain.ids[plain.length] = ids[plain.length];
        plain.length++;
    }
    return sum;
}

/* -- the search -------------------------------------------------------------------- */

typedef struct Prefixes {
    int32_t ids[SEQUENCES * MOST_BEAMS][MOST];
} Prefixes;

static void follow(const Search *search, const Prefixes *before, Prefixes *after)
{
    int64_t length = search_length(search);
    for (int64_t row = 0; row < search_rows(search); row++) {
        memcpy(after->ids[row], before->ids[search_parent(search, row)],
               sizeof after->ids[row]);
        after->ids[row][length - 1] = search_last(search, row);
    }
}

static void run_search(Search *search, uint64_t seed, int32_t start, Lanes *lanes,
                       Diags *diags, Check *check)
{
    Prefixes prefixes = {0}, grown;
    static float logits[SEQUENCES * MOST_BEAMS * VOCABULARY];
    for (int i = 0; i < SEQUENCES * MOST_BEAMS; i++)
        prefixes.ids[i][0] = start;
    while (search_rows(search) > 0) {
        for (int64_t row = 0; row < search_rows(search); row++)
            make_logits(seed + (uint64_t)search_sequence(search, row), prefixes.ids[row],
                        search_length(search), logits + row * VOCABULARY);
        bool is_taken = search_step(search, logits, lanes, diags);
        CHECK(check, is_taken, "a step fails");
        if (!is_taken)
            return;
        grown = prefixes;
        follow(search, &prefixes, &grown);
        prefixes = grown;
    }
}

/* Every answer that is found, in order, with its probability. */
static void compare_results(Check *check, const Search *search,
                            const GenerateOptions *options, int64_t sequence,
                            uint64_t seed, int64_t *out_closed)
{
    Plain wanted[64];
    SearchResult got[MOST_BEAMS];
    int64_t found = options->beams == 1 ? greedy_plain(options, seed, wanted)
                                        : search_plain(options, seed, wanted);
    int64_t count = search_results(search, sequence, options->beams, got);
    CHECK(check, count == found, "seed %d: %d answers, expected %d", (int)seed,
          (int)count, (int)found);
    for (int64_t i = 0; i < count && i < found; i++) {
        bool is_equal = got[i].length == wanted[i].length &&
                        memcmp(got[i].ids, wanted[i].ids,
                               (size_t)got[i].length * sizeof *got[i].ids) == 0;
        double sum = sum_plain(options, seed, got[i].ids, got[i].length);
        CHECK(check, is_equal, "seed %d, %d beams: answer %d is another", (int)seed,
              (int)options->beams, (int)i);
        CHECK(check, fabs(got[i].sum - sum) < 1e-9, "seed %d: sum %g, expected %g",
              (int)seed, got[i].sum, sum);
    }
    SearchResult best;
    CHECK(check,
          search_results(search, sequence, 1, &best) == 1 && best.ids == got[0].ids,
          "seed %d: the best alone is another", (int)seed);
    *out_closed += got[0].ids[got[0].length - 1] == options->end &&
                   got[0].length < options->max_length;
}

static void test_options(Check *check, const GenerateOptions *options, uint64_t seed,
                         int64_t *out_closed)
{
    Diags *diags = diags_new(stderr);
    CHECK(check, search_check(options, VOCABULARY, diags), "good options are refused");
    Search *search = search_new(options, SEQUENCES, VOCABULARY);
    Lanes *lanes = lanes_new(2, diags);
    run_search(search, seed, options->start, lanes, diags, check);
    lanes_free(lanes);
    for (int64_t s = 0; s < SEQUENCES; s++)
        compare_results(check, search, options, s, seed + (uint64_t)s, out_closed);
    search_free(search);
    diags_free(diags);
}

/* Logits that are no numbers are told, not used. */
static void test_not_finite(Check *check)
{
    GenerateOptions options = {
        .end = 1, .max_length = 4, .beams = 2, .length_penalty = 1};
    Search *search = search_new(&options, 1, VOCABULARY);
    Diags *quiet = diags_new(fopen("/dev/null", "w"));
    Lanes *lanes = lanes_new(1, quiet);
    float logits[2 * VOCABULARY] = {0};
    logits[VOCABULARY + 3] = NAN;
    CHECK(check,
          !search_step(search, logits, lanes, quiet) && diags_error_count(quiet) == 1,
          "logits that are not numbers are used");
    lanes_free(lanes);
    diags_free(quiet);
    search_free(search);
}

/* Of answers that are given each is found, with its probability, whatever else is
 * likelier. */
static void test_answers(Check *check, uint64_t seed)
{
    enum { ANSWERS = 5, LONGEST = 5 };
    static const int32_t ids[ANSWERS][LONGEST] = {
        {5, 1}, {5, 6, 1}, {5, 6, 7, 7, 1}, {9, 1}, {5, 9, 9, 1}};
    static const int64_t counts[ANSWERS] = {2, 3, 5, 2, 4};
    TokenAnswer answers[ANSWERS];
    for (int i = 0; i < ANSWERS; i++)
        answers[i] = (TokenAnswer){ids[i], counts[i]};
    const GenerateOptions options = {.end = 1,
                                     .max_length = LONGEST + 1,
                                     .beams = ANSWERS,
                                     .no_repeat = 1,
                                     .answers = answers,
                                     .answer_count = ANSWERS};
    const GenerateOptions plain = {.end = 1, .max_length = MOST, .beams = 1};
    Diags *diags = diags_new(stderr);
    CHECK(check, search_check(&options, VOCABULARY, diags), "answers are refused");
    Search *search = search_new(&options, SEQUENCES, VOCABULARY);
    Lanes *lanes = lanes_new(2, diags);
    run_search(search, seed, options.start, lanes, diags, check);
    for (int64_t s = 0; s < SEQUENCES; s++) {
        SearchResult got[ANSWERS];
        bool is_found[ANSWERS] = {false};
        int64_t count = search_results(search, s, ANSWERS, got);
        for (int64_t g = 0; g < count; g++) {
            double sum = sum_plain(&plain, seed + (uint64_t)s, got[g].ids, got[g].length);
            CHECK(check, fabs(got[g].sum - sum) < 1e-9, "answer %d: sum %g, expected %g",
                  (int)g, got[g].sum, sum);
            CHECK(check, g == 0 || got[g].sum <= got[g - 1].sum, "answers have no order");
            for (int i = 0; i < ANSWERS; i++)
                is_found[i] |= got[g].length == counts[i] + 1 &&
                               memcmp(got[g].ids + 1, ids[i],
                                      (size_t)counts[i] * sizeof(int32_t)) == 0;
        }
        for (int i = 0; i < ANSWERS; i++)
            CHECK(check, is_found[i], "seed %d: answer %d is lost", (int)seed, i);
    }
    lanes_free(lanes);
    search_free(search);
    diags_free(diags);
}

static void test_answers_refused(Check *check)
{
    static const int32_t ids[] = {5, VOCABULARY};
    static const TokenAnswer answers[] = {{ids, 1}, {ids, 2}, {ids, 3}, {ids, 0}};
    static const struct {
        int first;
        int64_t beams, best;
    } bad[] = {{0, 1, 0}, {0, 2, 3}, {1, 2, 0}, {2, 2, 0}, {3, 2, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Diags *quiet = diags_new(fopen("/dev/null", "w"));
        const GenerateOptions options = {.end = 1,
                                         .max_length = 3,
                                         .beams = bad[i].beams,
                                         .best = bad[i].best,
                                         .answers = answers + bad[i].first,
                                         .answer_count = 1};
        CHECK(check,
              !search_check(&options, VOCABULARY, quiet) && diags_error_count(quiet) == 1,
              "bad answers %d are taken", (int)i);
        diags_free(quiet);
    }
}

int main(void)
{
    Check check = {0};
    int64_t closed = 0, runs = 0;
    /* A run of 1 that begins with the closing token would leave nothing to choose
     * from. */
    static const int64_t runs_banned[] = {0, 2, 3, 4};
    for (uint64_t seed = 0; seed < 240; seed += SEQUENCES) {
        uint64_t kind = seed / SEQUENCES;
        GenerateOptions options = {.start = kind % 3 == 0 ? 1 : 0,
                                   .pad = 2,
                                   .end = 1,
                                   .max_length = 1 + (int64_t)(kind % MOST),
                                   .beams = 1 + (int64_t)(kind % MOST_BEAMS),
                                   .no_repeat = runs_banned[kind / 2 % 4],
                                   .early_stopping = kind % 2,
                                   .forced_end = kind / 3 % 2,
                                   .length_penalty = 0.5 * (double)(kind % 5)};
        test_options(&check, &options, seed, &closed);
        runs += SEQUENCES;
    }
    CHECK(&check, closed > runs / 10 && closed < runs,
          "%d of %d answers close by themselves", (int)closed, (int)runs);
    for (uint64_t seed = 0; seed < 40; seed++)
        test_answers(&check, seed);
    test_answers_refused(&check);
    test_not_finite(&check);
    return check_finish(&check);
}
