/* What names stand for, and what calls make. */
#include <string.h>

#include "runtime/weights/torch/pickle_machine.h"

static const char SCRIPT[] = "__torch__."; /* modules of TorchScript's classes */

typedef PickleValue *PickleMake(Pickle *pickle, const PickleValue *arguments);

struct PickleCall {
    const char *module, *name;
    PickleMake *make;
};

/* The argument at `index`, of that kind; NULL and an error. */
static PickleValue *argument(Pickle *pickle, const PickleValue *arguments, size_t index,
                             PickleKind kind)
{
    if (index < arguments->count && arguments->items[index]->kind == kind)
        return arguments->items[index];
    (void)pickle_fault(pickle, "argument %zu of a call is missing or of another kind",
                       index + 1);
    return NULL;
}

/* -- containers -------------------------------------------------------------------- */

static PickleValue *pickle_make_nothing(Pickle *pickle, const PickleValue *arguments)
{
    (void)arguments;
    return pickle_value(pickle, PICKLE_plain);
}

/* The value that is given: a parameter is its tensor, a size its numbers. */
static PickleValue *pickle_make_first(Pickle *pickle, const PickleValue *arguments)
{
    if (arguments->count)
        return arguments->items[0];
    return pickle_value(pickle, PICKLE_plain);
}

/* Nothing here changes what it is given, so that it need not be copied. */
static PickleValue *pickle_make_list(Pickle *pickle, const PickleValue *arguments)
{
    PickleValue *given = arguments->count ? arguments->items[0] : NULL;
    return given && given->kind == PICKLE_list ? given
                                               : pickle_value(pickle, PICKLE_list);
}

/* A list of pairs. One list may be given many times: what is copied is counted. */
static PickleValue *dict_of_pairs(Pickle *pickle, const PickleValue *pairs)
{
    PickleValue *dict = pickle_value(pickle, PICKLE_dict);
    pickle->copied += pairs->count;
    for (size_t i = 0; i < pairs->count && pickle->copied <= pickle->source->len; i++) {
        const PickleValue *pair = argument(pickle, pairs, i, PICKLE_list);
        if (pair && pair->count != 2)
            (void)pickle_fault(pickle, "a pair of %zu values", pair->count);
        if (!pair || pair->count != 2)
            return NULL;
        pickle_append(pickle, dict, pair->items, 2);
    }
    if (pickle->copied <= pickle->source->len)
        return dict;
    (void)pickle_fault(pickle, "copies more than it holds");
    return NULL;
}

/* Of a dict, of a list of pairs, or empty. */
static PickleValue *pickle_make_dict(Pickle *pickle, const PickleValue *arguments)
{
    PickleValue *given = arguments->count ? arguments->items[0] : NULL;
    if (given && given->kind == PICKLE_dict)
        return given;
    if (given && given->kind == PICKLE_list)
        return dict_of_pairs(pickle, given);
    return pickle_value(pickle, PICKLE_dict);
}

/* -- tensors ----------------------------------------------------------------------- */

/* A tuple of at most TORCH_MAX_RANK integers. */
static bool read_sizes(Pickle *pickle, const PickleValue *arguments, size_t index,
                       uint32_t *out_count, int64_t out[TORCH_MAX_RANK])
{
    const PickleValue *list = argument(pickle, arguments, index, PICKLE_list);
    if (!list)
        return false;
    if (list->count > TORCH_MAX_RANK)
        return pickle_fault(pickle, "a tensor has %zu axes, at most %d are read",
                            list->count, TORCH_MAX_RANK);
    *out_count = (uint32_t)list->count;
    for (uint32_t i = 0; i < *out_count; i++) {
        const PickleValue *size = argument(pickle, list, i, PICKLE_integer);
        if (!size)
            return false;
        out[i] = size->integer;
    }
    return true;
}

/* Arguments: storage, offset, size, stride, and what only training wants. */
static PickleValue *make_tensor(Pickle *pickle, const PickleValue *arguments,
                                const TorchDtype *dtype)
{
    const PickleValue *storage = argument(pickle, arguments, 0, PICKLE_storage),
                      *offset =
                          storage ? argument(pickle, arguments, 1, PICKLE_integer) : NULL;
    uint32_t strides;
    if (!offset)
        return NULL;
    TorchView *view = arena_alloc(pickle->source->arena, sizeof *view);
    view->storage = storage->storage;
    view->dtype = dtype ? dtype : storage->storage->dtype;
    view->offset = offset->integer;
    if (!read_sizes(pickle, arguments, 2, &view->rank, view->dims) ||
        !read_sizes(pickle, arguments, 3, &strides, view->strides))
        return NULL;
    const char *fault = view->dtype == &torch_untyped ? "has no type"
                        : strides != view->rank       ? "has other strides than axes"
                                                      : torch_view_check(view);
    if (fault) {
        (void)pickle_fault(pickle, "a tensor %s", fault);
        return NULL;
    }
    PickleValue *value = pickle_value(pickle, PICKLE_tensor);
    value->view = view;
    return value;
}

static PickleValue *pickle_make_tensor(Pickle *pickle, const PickleValue *arguments)
{
    return make_tensor(pickle, arguments, NULL);
}

/* The type is the seventh argument. */
static PickleValue *pickle_make_typed_tensor(Pickle *pickle, const PickleValue *arguments)
{
    const PickleValue *dtype = argument(pickle, arguments, 6, PICKLE_dtype);
    return dtype ? make_tensor(pickle, arguments, dtype->dtype) : NULL;
}

/* A tensor with attributes: what makes it, its class, the arguments, the attributes. */
static PickleValue *pickle_make_subclass(Pickle *pickle, const PickleValue *arguments)
{
    const PickleValue *function = argument(pickle, arguments, 0, PICKLE_call),
                      *list =
                          function ? argument(pickle, arguments, 2, PICKLE_list) : NULL;
    if (!list)
        return NULL;
    if (function->call->make != pickle_make_subclass)
        return pickle_call(pickle, function, list);
    (void)pickle_fault(pickle, "a tensor that is made by itself");
    return NULL;
}

/* -- names and calls --------------------------------------------------------------- */

static const PickleCall calls[] = {
#define PICKLE_CALL(module, name, make) {module, name, pickle_make_##make},
#include "runtime/weights/torch/pickle_calls.def"
};

static const PickleCall *find_call(const char *module, const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].module, module) == 0 && strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}

/* What a file wants with a name that is not known. */
static PickleValue *refuse(Pickle *pickle, const char *module, const char *name)
{
    (void)pickle_fault(pickle,
                       "wants to call '%.200s.%.200s'; nothing was run: only tensors and "
                       "plain containers are read",
                       module, name);
    diag_note(pickle->diags, (Loc){0},
              "if you trust it, write its parameters alone, in Python: "
              "torch.save(model.state_dict(), 'parameters.pt')");
    return NULL;
}

PickleValue *pickle_name(Pickle *pickle, const char *module, const char *name)
{
    const PickleCall *call = find_call(module, name);
    if (call) {
        PickleValue *value = pickle_value(pickle, PICKLE_call);
        value->call = call;
        return value;
    }
    if (pickle->source->is_script && strncmp(module, SCRIPT, strlen(SCRIPT) - 1) == 0)
        return pickle_value(pickle, PICKLE_class);
    bool is_torch = strcmp(module, "torch") == 0;
    const TorchDtype *storage = is_torch || strcmp(module, "torch.storage") == 0
                                    ? torch_dtype_of_storage(name)
                                    : NULL;
    const TorchDtype *dtype = is_torch ? torch_dtype_of_name(name) : NULL;
    if (!storage && !dtype)
        return refuse(pickle, module, name);
    PickleValue *value = pickle_value(pickle, storage ? PICKLE_class : PICKLE_dtype);
    value->dtype = storage ? storage : dtype;
    return value;
}

PickleValue *pickle_call(Pickle *pickle, const PickleValue *function,
                         const PickleValue *arguments)
{
    if (arguments->kind != PICKLE_list) {
        (void)pickle_fault(pickle, "a call without a tuple of arguments");
        return NULL;
    }
    if (function->kind == PICKLE_call)
        return function->call->make(pickle, arguments);
    if (function->kind == PICKLE_class && !function->dtype)
        return pickle_value(pickle, PICKLE_object);
    (void)pickle_fault(pickle, "calls what is no function");
    return NULL;
}

/* ("storage", class, key, device, number of elements). */
PickleValue *pickle_persistent(Pickle *pickle, const PickleValue *id)
{
    const PickleValue *parts[5] = {0};
    static const PickleKind kinds[] = {PICKLE_text, PICKLE_class, PICKLE_text,
                                       PICKLE_text, PICKLE_integer};
    bool ok = id->kind == PICKLE_list && pickle->source->storages;
    for (size_t i = 0; ok && i < 5; i++) {
        parts[i] = argument(pickle, id, i, kinds[i]);
        ok = parts[i];
    }
    if (!ok || strcmp(parts[0]->text, "storage") != 0 || !parts[1]->dtype) {
        (void)pickle_fault(pickle, "an object outside of the pickle that is no storage");
        return NULL;
    }
    const TorchStorage *storage =
        torch_storage(pickle->source->storages, parts[2]->text, parts[1]->dtype,
                      parts[4]->integer, pickle->diags);
    if (!storage)
        return NULL;
    PickleValue *value = pickle_value(pickle, PICKLE_storage);
    value->storage = storage;
    return value;
}
