/* How answers are printed. */
#ifndef VLG_RUNTIME_VLRUN_ASK_PRINT_H
#define VLG_RUNTIME_VLRUN_ASK_PRINT_H

#include "runtime/vlrun/answer.h"

/* A line for each answer: its text, a tab, and the confidence. */
void answers_print(const ModelAnswers *answers, FILE *out);

/* An object in a line: task, id, prompt, images, answer, confidence, and all answers as
 * "best". Bytes that are no UTF-8 become U+FFFD. */
void answers_print_json(const DataQuestion *question, const AskedQuestion *asked,
                        const ModelAnswers *answers, FILE *out);
/* Of a question that has none: its line, and what was wrong. */
void fault_print_json(Loc asked, const char *message, FILE *out);

#endif
