/* The commit is in a header that every build looks at, and writes if it has changed. Only
 * this file includes it, and only programs and the library link this file. */
#include "ir/version/version.h"

#include "commit.h"

const char version_number[] = VLG_VERSION;
const char version_commit[] = VLG_COMMIT;
const char version_llvm[] = VLG_LLVM_VERSION;
const char version_text[] = VLG_VERSION VLG_COMMIT_SHOWN ", LLVM " VLG_LLVM_VERSION;
