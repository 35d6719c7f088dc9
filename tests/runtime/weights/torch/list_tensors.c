/* Prints the tensors of files of weights, for the tests written in Python: a line
 * "NAME TYPE [DIMS] BYTES" each, in the order of names, the bytes in hexadecimal. Ends
 * with 1 where a file is refused. */
#include <inttypes.h>

#include "runtime/weights/tensor_set.h"

static void print_tensor(const Tensor *tensor)
{
    const unsigned char *bytes = tensor->bytes;
    printf("%s %s [", tensor->name, tensor->type);
    for (uint32_t i = 0; i < tensor->rank; i++)
        printf("%s%" PRId64, i ? "," : "", tensor->dims[i]);
    printf("] ");
    for (int64_t i = 0; i < tensor->byte_count; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    Diags *diags = diags_new(stderr);
    int code = 0;
    for (int i = 1; i < argc; i++) {
        TensorSet *set = tensor_set_open(argv[i], diags);
        for (uint32_t j = 0; set && j < tensor_set_count(set); j++)
            print_tensor(tensor_set_at(set, j));
        code |= !set;
        tensor_set_close(set);
    }
    diags_free(diags);
    return code;
}
