/* Which version of the sources this is. */
#ifndef VLG_IR_VERSION_VERSION_H
#define VLG_IR_VERSION_VERSION_H

extern const char version_number[]; /* "0.1" */
extern const char version_commit[]; /* "4898de1", "4898de1-dirty"; "" outside of git */
extern const char version_llvm[];   /* "19.1.7" */

/* All of it in a line: "0.1 (4898de1), LLVM 19.1.7". */
extern const char version_text[];

#endif
