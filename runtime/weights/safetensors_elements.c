/* What elements of tensors are, and converting them. */
#include "runtime/weights/safetensors_file.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensor bytes are little-endian");

const char *const tensor_dtype_names[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) #name,
#include "runtime/weights/tensor_dtypes.def"
    "another type",
};

TensorDType tensor_dtype_of(const char *type)
{
    for (int i = 0; i < TENSOR_OTHER; i++)
        if (strcmp(type, tensor_dtype_names[i]) == 0)
            return (TensorDType)i;
    return TENSOR_OTHER;
}

int64_t tensor_dtype_bytes(TensorDType dtype)
{
    static const int64_t bytes_of[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) bytes,
#include "runtime/weights/tensor_dtypes.def"
    };
    return bytes_of[dtype];
}

/* Unaligned little-endian loads. */
#define LOAD(type, name)                                                                 \
    static type load_##name(const unsigned char *at, int64_t i)                          \
    {                                                                                    \
        type value;                                                                      \
        memcpy(&value, at + (size_t)i * sizeof value, sizeof value);                     \
        return value;                                                                    \
    }
LOAD(double, f64)
LOAD(float, f32)
LOAD(uint16_t, u16)
LOAD(int64_t, i64)
LOAD(int32_t, i32)
LOAD(int16_t, i16)
LOAD(int8_t, i8)
LOAD(uint8_t, u8)
#undef LOAD

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sign, 5 bits of exponent (bias 15), 10 of fraction. */
float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    uint32_t exponent = (half >> 10) & 0x1fU, fraction = half & 0x3ffU;
    if (exponent == 0) { /* zero or subnormal: fraction 2^-24 */
        float size = (float)fraction * 0x1p-24F;
        return sign ? -size : size;
    }
    uint32_t wide = exponent == 31 ? 0xffU : exponent + (127 - 15);
    return float_of_bits(sign | wide << 23 | fraction << 13);
}

uint16_t float_to_half(float x)
{
    enum { FRACTION_DROPPED = 13, BIAS_DIFFERENCE = 127 - 15 };
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000U);
    float size = fabsf(x);
    if (isnan(x))
        return sign | 0x7e00U;
    if (size >= 65520.0F) /* half way from the largest to the next power of two */
        return sign | 0x7c00U;
    if (size < 0x1p-14F) /* subnormal: fraction 2^-24 */
        return sign | (uint16_t)lrintf(size * 0x1p24F);
    bits &= 0x7fffffffU;
    bits += (1U << (FRACTION_DROPPED - 1)) - 1 + (bits >> FRACTION_DROPPED & 1);
    bits >>= FRACTION_DROPPED;
    return sign | (uint16_t)(bits - ((uint32_t)BIAS_DIFFERENCE << 10));
}

static bool is_floating(TensorDType dtype)
{
    return dtype == TENSOR_F64 || dtype == TENSOR_F32 || dtype == TENSOR_F16 ||
           dtype == TENSOR_BF16;
}

static double floating_at(const Tensor *tensor, int64_t i)
{
    const unsigned char *at = tensor->bytes;
    switch (tensor->dtype) {
    case TENSOR_F64:
        return load_f64(at, i);
    case TENSOR_F32:
        return (double)load_f32(at, i);
    case TENSOR_F16:
        return (double)half_to_float(load_u16(at, i));
    default:
        return (double)float_of_bits((uint32_t)load_u16(at, i) << 16);
    }
}

static int64_t integer_at(const Tensor *tensor, int64_t i)
{
    const unsigned char *at = tensor->bytes;
    switch (tensor->dtype) {
    case TENSOR_I64:
        return load_i64(at, i);
    case TENSOR_I32:
        return load_i32(at, i);
    case TENSOR_I16:
        return load_i16(at, i);
    case TENSOR_I8:
        return load_i8(at, i);
    default:
        return load_u8(at, i);
    }
}

void tensor_read_f32(const Tensor *tensor, int64_t first, int64_t count, float *out)
{
    if (tensor->dtype == TENSOR_F32 && count > 0) {
        memcpy(out, (const unsigned char *)tensor->bytes + (size_t)first * sizeof *out,
               (size_t)count * sizeof *out);
        return;
    }
    bool floats = is_floating(tensor->dtype);
    for (int64_t i = 0; i < count && tensor->dtype != TENSOR_OTHER; i++)
        out[i] = floats ? (float)floating_at(tensor, first + i)
                        : (float)integer_at(tensor, first + i);
}

bool tensor_read_i32(const Tensor *tensor, int64_t first, int64_t count, int32_t *out)
{
    bool floats = is_floating(tensor->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t value;
        if (tensor->dtype == TENSOR_OTHER)
            return false;
        if (floats) {
            double real = floating_at(tensor, first + i);
            if (!(real >= INT32_MIN && real <= INT32_MAX) ||
                real != (double)(int32_t)real)
                return false;
            value = (int64_t)real;
        } else {
            value = integer_at(tensor, first + i);
        }
        if (value < INT32_MIN || value > INT32_MAX)
            return false;
        out[i] = (int32_t)value;
    }
    return true;
}
