/* What every program of ours does about its standard streams and the signals that ask it
 * to end. */
#ifndef VLG_IR_BASE_STANDARD_H
#define VLG_IR_BASE_STANDARD_H

enum { EXIT_SIGNAL = 128 }; /* and the signal's number: 130 for SIGINT */

/* Call it first. A standard stream that is closed is opened where nothing can be written,
 * so that no file of ours takes its number; SIGINT and SIGTERM end the program at once,
 * with exit code 130 or 143, also where the parent has them ignored, as shells do in the
 * background. A file that grows over its limit is a failed write. */
void standard_begin(void);

/* Call it last, with the exit code so far. Writes out what is left for standard output;
 * if any of it was lost, says so and returns 1 in place of 0. Nothing can be printed
 * after. */
int standard_end(const char *program, int code);

#endif
