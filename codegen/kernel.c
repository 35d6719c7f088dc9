/* One kernel: description, LLVM module, object code. */
#include "codegen/kernel.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/dump.h"
#include "codegen/names.h"
#include "codegen/object_cache.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"

/* Emitters write vector code with loops in place, so little is left to do: share what
 * they computed twice, hoist what does not change in a loop, drop what nobody needs. */
static const char pass_pipeline[] =
    "function(sroa,early-cse<memssa>,instsimplify,simplifycfg,loop-mssa(licm),early-cse,"
    "adce,simplifycfg)";

/* -- description --------------------------------------------------------------- */

/* Which of the kernel's axes it is, and what code may know about it. */
static void describe_axis(const KernelStep *step, int32_t index, FILE *out)
{
    if (index == AXIS_STATIC) {
        fputs(" static", out);
        return;
    }
    const Axis *axis = &step->graph->axes[index];
    uint32_t place = 0;
    while (place < step->axis_count && step->axes[place] != index)
        place++;
    if (place < step->axis_count)
        fprintf(out, " axis %u:", place);
    else
        fputs(" axis:", out);
    fprintf(out, " %s %" PRId64 " %" PRId64 " %" PRId64, axis_kind_names[axis->kind],
            axis->count, axis->images, axis->side);
}

static void describe_type(const KernelStep *step, Type type, FILE *out)
{
    fprintf(out, " %s", dtype_names[type.dtype]);
    describe_axis(step, type.axis, out);
    for (uint32_t i = 0; i < type.rank; i++)
        fprintf(out, " %" PRId64, type.dims[i]);
}

static void describe_attribute(const KernelStep *step, const AttrField *field,
                               const void *at, FILE *out)
{
    fprintf(out, " %s", field->name);
    switch (field->kind) {
    case ATTR_flag:
        fprintf(out, " %d", *(const attr_flag *)at);
        break;
    case ATTR_int:
        fprintf(out, " %" PRId64, *(const attr_int *)at);
        break;
    case ATTR_real: /* to the bit */
        fprintf(out, " %a", *(const attr_real *)at);
        break;
    case ATTR_name:
        fprintf(out, " %s", *(const attr_name *)at);
        break;
    case ATTR_axis:
        describe_axis(step, *(const attr_axis *)at, out);
        break;
    case ATTR_type:
        describe_type(step, *(const attr_type *)at, out);
        break;
    case ATTR_precision:
        fprintf(out, " %s", precision_names[*(const attr_precision *)at]);
        break;
    case ATTR_rule:
        fprintf(out, " %" PRId32, *(const attr_rule *)at);
        break;
    }
}

/* Every attribute but salts, which are among the numbers that kernels are called with. */
static void describe_attributes(const KernelStep *step, const Node *node, FILE *out)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    fputs(op_info(node->op)->name, out);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, "salt") != 0)
            describe_attribute(step, &fields[i],
                               (const char *)&node->attr + fields[i].offset, out);
    fputc('\n', out);
}

char *kernel_describe(const KernelClass *kernel_class, const KernelStep *step,
                      size_t *out_len)
{
    char *text = NULL;
    FILE *out = heap_stream(&text, out_len);
    fprintf(out, "%s\n", kernel_class->name);
    for (uint32_t i = 0; i < step->node_count; i++)
        describe_attributes(step, step->nodes[i], out);
    kernel_class->describe(step, out);
    fclose(out);
    return text;
}

typedef struct KernelKey {
    const KernelTable *table;
    const char *description;
    size_t len;
} KernelKey;

static bool is_kernel(uint32_t place, const void *context)
{
    const KernelKey *key = context;
    const Kernel *kernel = key->table->kernels[place];
    return kernel->description_len == key->len &&
           memcmp(kernel->description, key->description, key->len) == 0;
}

static void append(KernelTable *table, const KernelClass *kernel_class,
                   const KernelStep *step, const KernelKey *key)
{
    Kernel *kernel = ARENA_ARRAY(table->arena, Kernel, 1);
    kernel->kernel_class = kernel_class;
    kernel->number = table->count;
    kernel->step = *step;
    kernel->description = arena_string(table->arena, key->description, key->len);
    kernel->description_len = key->len;
    ARENA_LIST_ROOM(table->arena, table->kernels, table->count + 1, table->capacity);
    table->kernels[table->count++] = kernel;
}

Kernel *kernel_table_add(KernelTable *table, const KernelClass *kernel_class,
                         const KernelStep *step)
{
    KernelKey key = {.table = table};
    char *text = kernel_describe(kernel_class, step, &key.len);
    key.description = text;
    uint64_t hash = hash_secret(text, key.len);
    uint32_t place = map_find(&table->places, hash, is_kernel, &key);
    if (place == MAP_ABSENT) {
        place = table->count;
        append(table, kernel_class, step, &key);
        table->places.arena = table->arena;
        map_add(&table->places, hash, place);
    }
    free(text);
    return table->kernels[place];
}

static void emit_begin(Emit *e, const Kernel *kernel, const Processor *processor)
{
    e->step = &kernel->step;
    e->arena = arena_new();
    e->context = LLVMContextCreate();
    e->module = LLVMModuleCreateWithNameInContext(kernel->symbol, e->context);
    e->builder = LLVMCreateBuilderInContext(e->context);
    e->width = processor->vector_width;
    e->f32 = LLVMFloatTypeInContext(e->context);
    e->i1 = LLVMInt1TypeInContext(e->context);
    e->i8 = LLVMInt8TypeInContext(e->context);
    e->i32 = LLVMInt32TypeInContext(e->context);
    e->i64 = LLVMInt64TypeInContext(e->context);
    e->ptr = LLVMPointerTypeInContext(e->context, 0);
    e->vf = LLVMVectorType(e->f32, e->width);
    e->vi = LLVMVectorType(e->i32, e->width);
    e->vm = LLVMVectorType(e->i1, e->width);
    LLVMTypeRef arguments[] = {e->ptr, e->ptr, e->ptr, e->ptr};
    LLVMTypeRef type =
        LLVMFunctionType(LLVMVoidTypeInContext(e->context), arguments, 4, 0);
    e->function = LLVMAddFunction(e->module, kernel->symbol, type);
    processor_set_attributes(processor, e->context, e->function);
    e->operands = LLVMGetParam(e->function, 0);
    e->axes = LLVMGetParam(e->function, 1);
    e->lane = LLVMGetParam(e->function, 2);
    e->numbers = LLVMGetParam(e->function, 3);
    emit_name(e, e->operands, "operands");
    emit_name(e, e->axes, "axes");
    emit_name(e, e->lane, "lane");
    emit_name(e, e->numbers, "numbers");
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, e->function, "entry"));
}

static void emit_finish(Emit *e)
{
    LLVMDisposeBuilder(e->builder);
    LLVMDisposeModule(e->module);
    LLVMContextDispose(e->context);
    arena_free(e->arena);
}

/* Takes over LLVM's message. */
static void fail(Kernel *kernel, char *message)
{
    kernel->error = heap_string(message ? message : "unknown error");
    LLVMDisposeMessage(message);
}

static bool optimize(Kernel *kernel, Emit *e, LLVMTargetMachineRef machine)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(e->module, pass_pipeline, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error)
        return true;
    char *message = LLVMGetErrorMessage(error);
    kernel->error = heap_string(message);
    LLVMDisposeErrorMessage(message);
    return false;
}

static void emit_function(Emit *e, const Kernel *kernel, const Processor *processor,
                          LLVMTargetMachineRef machine)
{
    emit_begin(e, kernel, processor);
    LLVMSetTarget(e->module, processor->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(e->module, layout);
    LLVMDisposeTargetData(layout);
    kernel->kernel_class->emit(e, &kernel->step);
}

static bool verify(Kernel *kernel, const Emit *e)
{
    char *message = NULL;
    if (LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message)) {
        fail(kernel, message);
        return false;
    }
    LLVMDisposeMessage(message);
    return true;
}

static void make_object(Kernel *kernel, const Emit *e, LLVMTargetMachineRef machine)
{
    char *message = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, e->module, LLVMObjectFile, &message,
                                            &kernel->object))
        fail(kernel, message);
}

/* Each part is dumped before the work that may fail over it. */
void kernel_compile(Kernel *kernel, const Processor *processor,
                    LLVMTargetMachineRef machine, KernelDump *dump)
{
    Emit e = {.has_names = dump};
    if (dump)
        dump_nodes(dump, kernel);
    emit_function(&e, kernel, processor, machine);
    if (dump)
        dump_ir(dump, kernel, e.module, false);
    if (verify(kernel, &e) && optimize(kernel, &e, machine)) {
        if (dump) {
            dump_ir(dump, kernel, e.module, true);
            dump_assembly(dump, kernel, e.module, machine);
        }
        make_object(kernel, &e, machine);
        if (dump)
            kernel->code_bytes = dump_code_bytes(kernel);
    }
    emit_finish(&e);
}
