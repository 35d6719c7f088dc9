/* Reading a Python pickle without running any of it.
 *
 * A pickle is a program for a small stack machine (docs.python.org/3/library/pickletools)
 * that may import and call anything. This reader knows containers, numbers, texts, and
 * the few functions by which PyTorch builds tensors (pickle_calls.def); a pickle that
 * names anything else is refused with that name. Protocols 2 to 5.
 *
 * Work and memory are in proportion to the pickle's length. Values may be shared, and may
 * contain themselves: who walks over them bounds the walk. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_PICKLE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_PICKLE_H

#include "runtime/weights/torch/torch_view.h"

typedef struct PickleValue PickleValue;
typedef struct PickleCall PickleCall;

typedef enum PickleKind {
    PICKLE_plain, /* None, a float, a large integer, a device: of no use to us */
    PICKLE_bool,
    PICKLE_integer,
    PICKLE_text,   /* or bytes */
    PICKLE_list,   /* or a tuple, a set, a size */
    PICKLE_dict,   /* keys and values by turns */
    PICKLE_call,   /* a function or a class */
    PICKLE_class,  /* of TorchScript */
    PICKLE_object, /* of such a class */
    PICKLE_dtype,
    PICKLE_storage,
    PICKLE_tensor
} PickleKind;

struct PickleValue {
    PickleKind kind;
    union {
        int64_t integer; /* of a bool, too */
        struct {
            const char *text; /* a 0 follows; there may be others in it */
            size_t len;
        };
        struct {
            PickleValue **items;
            size_t count, capacity;
        };
        const PickleCall *call;
        const PickleValue *state; /* of an object; NULL: none */
        const TorchDtype *dtype;
        const TorchStorage *storage;
        const TorchView *view;
    };
};

typedef struct PickleSource {
    const char *path, *name; /* of the file and of the pickle in it, for messages */
    const unsigned char *bytes;
    size_t len;
    bool is_script;          /* classes of TorchScript are bags of attributes */
    TorchStorages *storages; /* NULL: a pickle that needs one is refused */
    Arena *arena;            /* of the values */
} PickleSource;

/* The value that the pickle makes; NULL and an error. */
NODISCARD PickleValue *pickle_read(const PickleSource *source, Diags *diags);

#endif
