/* The program hdf5_reader.c in memory; HDF5_READER is its file while we are built. */
#include "runtime/data/features/features.h"

__asm__(".section .rodata\n"
        ".balign 16\n"
        "vlg_hdf5_image: .incbin \"" HDF5_READER "\"\n"
        "vlg_hdf5_image_end:\n"
        ".previous\n");

extern const unsigned char vlg_hdf5_image[], vlg_hdf5_image_end[];

const IsolateProgram hdf5_program = {vlg_hdf5_image, vlg_hdf5_image_end};
