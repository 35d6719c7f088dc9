/* SIGINT and SIGTERM as a flag that a loop may look at, without a handler or a system
 * call. */
#ifndef VLG_IR_BASE_INTERRUPT_H
#define VLG_IR_BASE_INTERRUPT_H

#include <stdbool.h>

typedef struct Interrupt Interrupt;

/* Blocks both signals in this thread and those it starts from now on, and starts one that
 * waits for them: call it before any other thread is started. The second signal ends the
 * program at once. NULL if there can be no thread. */
Interrupt *interrupt_new(void);
/* NULL allowed; the signals work as before again */
void interrupt_free(Interrupt *interrupt);
bool interrupt_is_set(const Interrupt *interrupt); /* false for NULL */
/* The exit code of a program that was interrupted: 128 and the signal's number; 0 if it
 * was not. */
int interrupt_exit_code(const Interrupt *interrupt);

#endif
