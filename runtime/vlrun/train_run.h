/* A run that is open is trained. */
#ifndef VLG_RUNTIME_VLRUN_TRAIN_RUN_H
#define VLG_RUNTIME_VLRUN_TRAIN_RUN_H

#include "ir/base/interrupt.h"
#include "runtime/vlrun/train_arguments.h"

/* Opens the data, writes the record, and trains to the end. */
ExitCode train_run(const TrainArguments *command, Run *run, const Interrupt *interrupt,
                   Diags *diags);

#endif
