/* The names of files in a dump of kernels. */
#ifndef VLG_CODEGEN_DUMP_NAMES_H
#define VLG_CODEGEN_DUMP_NAMES_H

#include <stdint.h>

#define DUMP_INDEX "kernels.tsv"
/* The index begins with it, and so does that of a dump which did not end. */
#define DUMP_INDEX_HEAD "file\tkey\tcode_bytes\tat\tops\tcalls\n"
#define DUMP_STEM "%04u_%s" /* the kernel's number and class */

typedef enum DumpPart {
    DUMP_nodes,
    DUMP_emitted,
    DUMP_optimized,
    DUMP_assembly,
    DUMP_PARTS
} DumpPart;
extern const char *const dump_endings[DUMP_PARTS];

enum { DUMP_NAME_BYTES = 64 };
void dump_name(char name[DUMP_NAME_BYTES], uint32_t number, const char *kernel_class,
               DumpPart part);

#endif
