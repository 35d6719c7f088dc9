/* Greedy and beam search, with the rules of the widely used implementation that the
 * published numbers were made with:
 *
 * Greedy takes the largest logit, the lowest id on ties. Beams begin with score 0 for the
 * first and -1e9 for the others. In a step the 2 b best of (score + log-probability) over
 * all beams and tokens are walked from the best on: the closing token at rank < b stores
 * the hypothesis, with its score / length^penalty; other tokens become the next beams
 * until there are b. A sequence is done when b hypotheses are stored and, unless stopping
 * early, the worst of them is at least as good as the step's best candidate at the
 * present length. What is open at the end is stored as well. */
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/search_parts.h"

static bool check_choice(const GenerateOptions *options, int64_t vocabulary, Diags *diags)
{
    const TokenChoice *choice = options->choice;
    if (options->beams != 1 || options->max_length != choice->given_count + 2) {
        diag_error(diags, (Loc){0}, "generation: a choice is no search");
        return false;
    }
    const int32_t ids[] = {choice->first, choice->other, choice->given[0]};
    for (int i = 0; i < (choice->given_count ? 3 : 2); i++)
        if (ids[i] < 0 || ids[i] >= vocabulary) {
            diag_error(
                diags, (Loc){0},
                "generation: token %d of a choice is not in the model's vocabulary "
                "of %" PRId64,
                ids[i], vocabulary);
            return false;
        }
    return true;
}

bool search_check(const GenerateOptions *options, int64_t vocabulary, Diags *diags)
{
    const struct {
        const char *name;
        int64_t value, least, most;
    } ranges[] = {
        {"start id", options->start, 0, vocabulary - 1},
        {"pad id", options->pad, 0, vocabulary - 1},
        {"end id", options->end, 0, vocabulary - 1},
        {"longest length", options->max_length, 1, 65536},
        {"number of beams", options->beams, 1,
         vocabulary / 2 < 1024 ? vocabulary / 2 : 1024},
        {"length of runs that may not repeat", options->no_repeat, 0, 65536},
        {"memory for kept values", options->memory, 0, INT64_MAX},
        {"number of best answers", options->best, 0, options->beams},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most) {
            diag_error(diags, (Loc){0},
                       "generation: the %s is %" PRId64 ", expected %" PRId64
                       " to %" PRId64,
                       ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
            return false;
        }
    if (!isfinite(options->length_penalty))
        diag_error(diags, (Loc){0}, "generation: the length penalty is not a number");
    return isfinite(options->length_penalty) &&
           (!options->choice || check_choice(options, vocabulary, diags)) &&
           answers_check(options, vocabulary, diags);
}

static Hypothesis *new_hypotheses(Search *search, int64_t count)
{
    Hypothesis *all = ARENA_ARRAY(search->arena, Hypothesis, count);
    for (int64_t i = 0; i < count; i++)
        all[i].ids = ARENA_ARRAY(search->arena, int32_t, search->options.max_length);
    return all;
}

Search *search_new(const GenerateOptions *options, int64_t sequences, int64_t vocabulary)
{
    Arena *arena = arena_new();
    Search *search = arena_alloc(arena, sizeof *search);
    *search = (Search){.options = *options,
                       .sequences = sequences,
                       .vocabulary = vocabulary,
                       .length = 1,
                       .arena = arena};
    search->lines = ARENA_ARRAY(arena, SequenceBeams, sequences);
    search->rows = ARENA_ARRAY(arena, int64_t, sequences);
    search->best = ARENA_ARRAY(arena, Candidate, 2 * options->beams * sequences);
    for (int64_t s = 0; s < sequences; s++) {
        SequenceBeams *line = &search->lines[s];
        line->open = new_hypotheses(search, options->beams);
        line->next = new_hypotheses(search, options->beams);
        line->stored = new_hypotheses(search, options->beams + 1);
        for (int64_t b = 0; b < options->beams; b++) {
            line->open[b].ids[0] = options->start;
            line->open[b].length = 1;
            line->open[b].score = b == 0 ? 0 : OTHER_BEAMS;
        }
        search->rows[search->blocks++] = s;
    }
    return search;
}

void search_free(Search *search)
{
    if (search)
        arena_free(search->arena);
}

/* -- rows -------------------------------------------------------------------------- */

int64_t search_rows(const Search *search)
{
    return search->length < search->options.max_length
               ? search->blocks * search->options.beams
               : 0;
}

int64_t search_length(const Search *search)
{
    return search->length;
}

int64_t search_sequence(const Search *search, int64_t row)
{
    return search->rows[row / search->options.beams];
}

static const Hypothesis *at_row(const Search *search, int64_t row)
{
    return &search->lines[search_sequence(search, row)].open[row % search->options.beams];
}

int32_t search_last(const Search *search, int64_t row)
{
    return at_row(search, row)->ids[search->length - 1];
}

int64_t search_parent(const Search *search, int64_t row)
{
    return at_row(search, row)->row;
}

/* -- logits ------------------------------------------------------------------------ */

/* log(sum of exp), or not finite. */
static double log_sum(const float *logits, int64_t count)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++)
        largest = (double)logits[i] > largest ? (double)logits[i] : largest;
    for (int64_t i = 0; i < count; i++)
        sum += exp((double)logits[i] - largest);
    return largest + log(sum);
}

/* A token may not close a run of `no_repeat` tokens that the hypothesis has already. */
static void ban_repeats(const Search *search, const Hypothesis *hypothesis, float *logits)
{
    int64_t known = search->options.no_repeat - 1; /* tokens of the run that are there */
    if (known < 0 || hypothesis->length < known)
        return;
    const int32_t *last = hypothesis->ids + hypothesis->length - known;
    for (int64_t i = 0; i + known < hypothesis->length; i++)
        if (memcmp(hypothesis->ids + i, last, (size_t)known * sizeof *last) == 0)
            logits[hypothesis->ids[i + known]] = -INFINITY;
}

/* Logits of a distribution that is sure of the closing token. */
static void force_end(const Search *search, float *logits)
{
    for (int64_t i = 0; i < search->vocabulary; i++)
        logits[i] = i == search->options.end ? 0 : -INFINITY;
}

/* -- storing ----------------------------------------------------------------------- */

static double final_score(const Search *search, double sum, int64_t length)
{
    return sum / pow((double)length, search->options.length_penalty);
}

static double worst_score(const SequenceBeams *line)
{
    double worst = INFINITY;
    for (int64_t i = 0; i < line->stored_count; i++)
        worst = fmin(worst, line->stored[i].score);
    return worst;
}

/* Keeps the `beams` best; of equals the later ones. */
static void store(const Search *search, SequenceBeams *line, const Hypothesis *hypothesis,
                  double sum)
{
    int64_t most = search->options.beams;
    double score = final_score(search, sum, hypothesis->length);
    if (line->stored_count == most && !(score > worst_score(line)))
        return;
    Hypothesis *slot = &line->stored[line->stored_count++];
    memcpy(slot->ids, hypothesis->ids, (size_t)hypothesis->length * sizeof *slot->ids);
    slot->length = hypothesis->length;
    slot->score = score;
    slot->sum = sum;
    if (line->stored_count <= most)
        return;
    int64_t worst = 0;
    for (int64_t i = 1; i < line->stored_count; i++)
        if (line->stored[i].score < line->stored[worst].score)
            worst = i;
    Hypothesis free_slot = line->stored[worst];
    memmove(&line->stored[worst], &line->stored[worst + 1],
            (size_t)(most - worst) * sizeof *line->stored);
    line->stored[most] = free_slot;
    line->stored_count = most;
}

/* -- greedy ------------------------------------------------------------------------ */

static void extend(const Search *search, Hypothesis *to, const Hypothesis *from,
                   int32_t token, double score, int64_t row)
{
    if (to != from)
        memcpy(to->ids, from->ids, (size_t)search->length * sizeof *to->ids);
    to->ids[search->length] = token;
    to->length = search->length + 1;
    to->score = score;
    to->row = row;
}

/* The best token, the first of equals; or what a choice says. */
static int32_t pick(const Search *search, const float *logits)
{
    const TokenChoice *choice = search->options.choice;
    if (choice && search->length <= choice->given_count)
        return choice->given[search->length - 1];
    if (choice)
        return logits[choice->first] > logits[choice->other] ? choice->first
                                                             : choice->other;
    int32_t best = 0;
    for (int64_t i = 1; i < search->vocabulary; i++)
        if (logits[i] > logits[best])
            best = (int32_t)i;
    return best;
}

static void step_greedy(Search *search, SequenceBeams *line, float *logits, double normal,
                        int64_t row)
{
    Hypothesis *open = line->open;
    ban_repeats(search, open, logits);
    int32_t best = pick(search, logits);
    double score = open->score + (double)logits[best] - normal;
    line->done = best == search->options.end && !search->options.choice;
    if (line->done)
        store(search, line, open, score);
    else
        extend(search, open, open, best, score, row);
}

/* -- beams ------------------------------------------------------------------------- */

/* Into the sorted list of the best; the earlier of equals stands first. */
static int64_t offer(Candidate *best, int64_t most, Candidate candidate, int64_t count)
{
    if (count == most && !(candidate.score > best[most - 1].score))
        return count;
    int64_t place = count < most ? count++ : most - 1;
    for (; place > 0 && best[place - 1].score < candidate.score; place--)
        best[place] = best[place - 1];
    best[place] = candidate;
    return count;
}

/* Of a row's log-probabilities, which are changed. */
static int64_t offer_row(const Search *search, const SequenceBeams *line, int64_t beam,
                         float *row, double normal, int64_t count, Candidate *best)
{
    if (search->options.forced_end && search->length == search->options.max_length - 1) {
        force_end(search, row);
        normal = 0;
    }
    ban_repeats(search, &line->open[beam], row);
    for (int64_t i = 0; i < search->vocabulary; i++)
        count = offer(best, 2 * search->options.beams,
                      (Candidate){(double)row[i] - normal + line->open[beam].score, beam,
                                  (int32_t)i},
                      count);
    return count;
}

/* The same of those tokens alone that an answer goes on with. */
static int64_t offer_answers(const Search *search, const SequenceBeams *line,
                             int64_t beam, const float *row, double normal, int64_t count,
                             Candidate *best)
{
    int32_t *tokens = heap_array(search->options.answer_count, sizeof *tokens);
    const Hypothesis *open = &line->open[beam];
    int64_t next = answers_next(&search->options, open, search->length, tokens);
    for (int64_t i = 0; i < next; i++)
        count = offer(
            best, 2 * search->options.beams,
            (Candidate){(double)row[tokens[i]] - normal + open->score, beam, tokens[i]},
            count);
    free(tokens);
    return count;
}

static int64_t find_best(const Search *search, const SequenceBeams *line, float *logits,
                         const double *normals, Candidate *best)
{
    int64_t count = 0;
    for (int64_t b = 0; b < search->options.beams; b++) {
        float *row = logits + b * search->vocabulary;
        count = search->options.answers
                    ? offer_answers(search, line, b, row, normals[b], count, best)
                    : offer_row(search, line, b, row, normals[b], count, best);
    }
    return count;
}

/* Where answers are given there may be fewer to go on with than beams: the others repeat
 * one, and cannot win. */
static void fill_beams(const Search *search, SequenceBeams *line, int64_t next)
{
    for (int64_t b = next; next > 0 && b < search->options.beams; b++) {
        memcpy(line->next[b].ids, line->next[0].ids,
               (size_t)line->next[0].length * sizeof *line->next[b].ids);
        line->next[b].length = line->next[0].length;
        line->next[b].score = OTHER_BEAMS;
        line->next[b].row = line->next[0].row;
    }
}

static void step_beams(Search *search, SequenceBeams *line, float *logits,
                       const double *normals, int64_t row)
{
    int64_t beams = search->options.beams, next = 0;
    Candidate *best = search->best + 2 * beams * (line - search->lines);
    int64_t count = find_best(search, line, logits, normals, best);
    for (int64_t rank = 0; rank < count && next < beams; rank++) {
        const Candidate *candidate = &best[rank];
        const Hypothesis *from = &line->open[candidate->beam];
        if (candidate->token != search->options.end)
            extend(search, &line->next[next++], from, candidate->token, candidate->score,
                   row + candidate->beam);
        else if (rank < beams)
            store(search, line, from, candidate->score);
    }
    fill_beams(search, line, next);
    Hypothesis *open = line->open;
    line->open = line->next;
    line->next = open;
    double most = final_score(search, best[0].score, search->length);
    line->done =
        next == 0 || (line->stored_count == beams &&
                      (search->options.early_stopping || worst_score(line) >= most));
}

/* -- steps ------------------------------------------------------------------------- */

/* One for all lanes: blocks are sequences that are not done, each with its rows. */
typedef struct SearchStep {
    Search *search;
    float *logits;
    double *normals;      /* by row */
    _Atomic int64_t next; /* block to claim */
    bool *is_bad;         /* by block: logits that are not finite */
} SearchStep;

static bool find_normals(const SearchStep *step, int64_t block)
{
    const Search *search = step->search;
    int64_t beams = search->options.beams;
    for (int64_t row = block * beams; row < (block + 1) * beams; row++) {
        step->normals[row] =
            log_sum(step->logits + row * search->vocabulary, search->vocabulary);
        if (!isfinite(step->normals[row]))
            return false;
    }
    return true;
}

static void step_block(const SearchStep *step, int64_t block)
{
    Search *search = step->search;
    int64_t row = block * search->options.beams;
    SequenceBeams *line = &search->lines[search->rows[block]];
    float *logits = step->logits + row * search->vocabulary;
    if (search->options.beams == 1)
        step_greedy(search, line, logits, step->normals[row], row);
    else
        step_beams(search, line, logits, step->normals + row, row);
}

static void step_blocks(void *state, uint32_t lane)
{
    SearchStep *step = state;
    (void)lane;
    for (;;) {
        int64_t block = atomic_fetch_add(&step->next, 1);
        if (block >= step->search->blocks)
            return;
        step->is_bad[block] = !find_normals(step, block);
        if (!step->is_bad[block])
            step_block(step, block);
    }
}

static bool is_sound(const SearchStep *step, Diags *diags)
{
    const Search *search = step->search;
    for (int64_t block = 0; block < search->blocks; block++)
        if (step->is_bad[block]) {
            diag_not_finite(diags, (Loc){0},
                            "generation: sequence %" PRId64
                            ": logits that are not finite after %" PRId64 " tokens",
                            search->rows[block], search->length);
            return false;
        }
    return true;
}

/* Open hypotheses that have no room for more are as good as closed. */
static void close_open(Search *search)
{
    for (int64_t block = 0; block < search->blocks; block++) {
        SequenceBeams *line = &search->lines[search->rows[block]];
        for (int64_t b = 0; b < search->options.beams; b++)
            store(search, line, &line->open[b], line->open[b].score);
    }
}

static void drop_done(Search *search)
{
    int64_t kept = 0;
    for (int64_t block = 0; block < search->blocks; block++)
        if (!search->lines[search->rows[block]].done)
            search->rows[kept++] = search->rows[block];
    search->blocks = kept;
}

bool search_step(Search *search, float *logits, Lanes *lanes, Diags *diags)
{
    size_t blocks = (size_t)search->blocks, beams = (size_t)search->options.beams;
    SearchStep step = {.search = search,
                       .logits = logits,
                       .normals = heap_array(blocks * beams + 1, sizeof(double)),
                       .is_bad = heap_array(blocks + 1, sizeof(bool))};
    lanes_run(lanes, step_blocks, &step);
    bool ok = is_sound(&step, diags);
    free(step.normals);
    free(step.is_bad);
    if (!ok)
        return false;
    drop_done(search);
    search->length++;
    if (search->length == search->options.max_length)
        close_open(search);
    return true;
}
