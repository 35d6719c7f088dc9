/* Kernels as files. */
#include "codegen/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Object.h>

#include "codegen/dump_names.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/text.h"

static void write_file(KernelDump *dump, const char *name, const char *bytes, size_t len)
{
    char *path = heap_format("%s/%s", dump->dir, name);
    if (!file_replace(path, bytes, len, dump->diags))
        dump->has_failed = true;
    free(path);
}

static void write_part(KernelDump *dump, const Kernel *kernel, DumpPart part,
                       const char *bytes, size_t len)
{
    char name[DUMP_NAME_BYTES];
    dump_name(name, kernel->number, kernel->kernel_class->name, part);
    write_file(dump, name, bytes, len);
}

/* -- nodes ------------------------------------------------------------------------- */

/* The description's lines, as comments. */
static void print_description(const Kernel *kernel, FILE *out)
{
    bool is_first = true;
    for (size_t i = 0; i < kernel->description_len; i++) {
        if (is_first)
            fputs("# ", out);
        fputc(kernel->description[i], out);
        is_first = kernel->description[i] == '\n';
    }
    if (!is_first)
        fputc('\n', out);
}

static void print_operands(const KernelStep *step, FILE *out)
{
    for (uint32_t i = 0; i < step->operand_count; i++) {
        const Operand *operand = &step->operands[i];
        char type[96];
        type_print(step->graph, operand->node->type, type, sizeof type);
        fprintf(out, "# operand %u, %s: %%%u %s\n", i,
                operand->written ? "written" : "read", operand->node->id, type);
    }
}

/* Every node the step has to do with: 1 for its own, 2 for what these read. */
static unsigned char *mark_nodes(const KernelStep *step)
{
    unsigned char *marks = HEAP_ARRAY(unsigned char, step->graph->node_count + 1);
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        marks[node->id] = 1;
        for (uint32_t j = 0; j < node->arg_count; j++)
            if (!marks[node->args[j]->id])
                marks[node->args[j]->id] = 2;
    }
    for (uint32_t i = 0; i < step->operand_count; i++)
        if (!marks[step->operands[i].node->id])
            marks[step->operands[i].node->id] = 2;
    return marks;
}

void dump_nodes(KernelDump *dump, const Kernel *kernel)
{
    const KernelStep *step = &kernel->step;
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    fprintf(out, "# %s of @%s; lines after # are not in the kernel\n", kernel->symbol,
            step->graph->name);
    unsigned char *marks = mark_nodes(step);
    for (uint32_t i = 0; i < step->graph->node_count; i++) {
        const Node *node = step->graph->nodes[i];
        if (marks[node->id] == 2)
            fputc('#', out);
        if (marks[node->id])
            node_print(step->graph, node, out);
    }
    print_operands(step, out);
    fputs("# its code depends on nothing but this:\n", out);
    print_description(kernel, out);
    fclose(out);
    write_part(dump, kernel, DUMP_nodes, text, len);
    free(marks);
    free(text);
}

/* -- what LLVM makes of them --------------------------------------------------------- */

void dump_ir(KernelDump *dump, const Kernel *kernel, LLVMModuleRef module, bool optimized)
{
    char *text = LLVMPrintModuleToString(module);
    write_part(dump, kernel, optimized ? DUMP_optimized : DUMP_emitted, text,
               strlen(text));
    LLVMDisposeMessage(text);
}

void dump_assembly(KernelDump *dump, const Kernel *kernel, LLVMModuleRef module,
                   LLVMTargetMachineRef machine)
{
    LLVMModuleRef copy = LLVMCloneModule(module); /* which LLVM changes on the way */
    LLVMMemoryBufferRef text = NULL;
    char *message = NULL;
    LLVMSetTargetMachineAsmVerbosity(machine, 1);
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, copy, LLVMAssemblyFile, &message,
                                            &text)) {
        diag_error(dump->diags, kernel->step.nodes[0]->loc,
                   "LLVM cannot write the kernel's assembly: %s", message);
        LLVMDisposeMessage(message);
        dump->has_failed = true;
    } else {
        write_part(dump, kernel, DUMP_assembly, LLVMGetBufferStart(text),
                   LLVMGetBufferSize(text));
        LLVMDisposeMemoryBuffer(text);
    }
    LLVMDisposeModule(copy);
}

static uint64_t text_bytes(LLVMBinaryRef binary)
{
    uint64_t bytes = 0;
    LLVMSectionIteratorRef at = LLVMObjectFileCopySectionIterator(binary);
    for (; !LLVMObjectFileIsSectionIteratorAtEnd(binary, at); LLVMMoveToNextSection(at)) {
        const char *name = LLVMGetSectionName(at); /* NULL of ELF's first */
        if (name && strncmp(name, ".text", 5) == 0)
            bytes += LLVMGetSectionSize(at);
    }
    LLVMDisposeSectionIterator(at);
    return bytes;
}

uint64_t dump_code_bytes(const Kernel *kernel)
{
    char *message = NULL;
    LLVMBinaryRef binary =
        kernel->object ? LLVMCreateBinary(kernel->object, NULL, &message) : NULL;
    LLVMDisposeMessage(message);
    if (!binary)
        return 0;
    uint64_t bytes = text_bytes(binary);
    LLVMDisposeBinary(binary);
    return bytes;
}

/* -- the index --------------------------------------------------------------------- */

static void print_ops(const KernelStep *step, FILE *out)
{
    for (uint32_t i = 0; i < step->node_count; i++)
        fprintf(out, "%s%s", i ? "+" : "", op_info(step->nodes[i]->op)->name);
}

static void print_places(const KernelStep *step, FILE *out)
{
    const Node *last = step->nodes[step->node_count - 1];
    fprintf(out, "%s:%u", last->loc.file ? last->loc.file : "?", last->loc.line);
}

/* GRAPH:STEP:%NODE, where the node is the step's last. */
static void print_calls(const DumpIndex *index, const Kernel *kernel, FILE *out)
{
    const char *space = "";
    for (uint32_t g = 0; g < index->program_count; g++) {
        const Program *program = index->programs[g];
        for (uint32_t c = 0; program && c < program->call_count; c++) {
            if (index->kernels[g][c] != kernel)
                continue;
            const Call *call = &program->calls[c];
            fprintf(out, "%s@%s:%u:%%%u", space, program->graph->name, call->step,
                    call->node->id);
            space = " ";
        }
    }
}

void dump_index(KernelDump *dump, const DumpIndex *index)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    fputs(DUMP_INDEX_HEAD, out);
    for (uint32_t i = index->first; i < index->table->count; i++) {
        const Kernel *kernel = index->table->kernels[i];
        fprintf(out, DUMP_STEM "\t%s\t%" PRIu64 "\t", kernel->number,
                kernel->kernel_class->name, kernel->symbol, kernel->code_bytes);
        print_places(&kernel->step, out);
        fputc('\t', out);
        print_ops(&kernel->step, out);
        fputc('\t', out);
        print_calls(index, kernel, out);
        fputc('\n', out);
    }
    fclose(out);
    write_file(dump, DUMP_INDEX, text, len);
    free(text);
}
