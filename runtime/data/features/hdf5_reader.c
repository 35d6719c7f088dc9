/* The program that reads HDF5 files for others (runtime/isolate): it has the one library
 * that it needs, so that a process of it is forked for a fraction of what one of a whole
 * program costs. It is part of that program (hdf5_image.c), never a file of its own. */
#include "runtime/data/features/hdf5_read.h"

int main(int argc, char **argv)
{
    static const IsolateHandler *const readers[] = {&hdf5_handler};
    isolate_serve(argc, argv, readers, 1);
    return 2;
}
