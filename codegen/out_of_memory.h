/* Memory that libraries ask for and cannot have: the program says so and ends with exit
 * code 1, where they would abort it. */
#ifndef VLG_CODEGEN_OUT_OF_MEMORY_H
#define VLG_CODEGEN_OUT_OF_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

/* For all of C++ and LLVM in this process, from here on. */
void out_of_memory_install(void);
/* Says what the limit is, and ends the program. */
void out_of_memory_end(void);

#ifdef __cplusplus
}
#endif

#endif
