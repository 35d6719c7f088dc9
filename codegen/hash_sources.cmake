# Writes a header with one hash of all FILES, which are in order, and of COMPILER.
#     cmake -DOUT=... -DFILES=... -DCOMPILER=... -P hash_sources.cmake
set(hashes "${COMPILER}")
foreach(source ${FILES})
  file(SHA256 ${source} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 hash "${hashes}")
file(WRITE ${OUT} "#define EMITTERS_VERSION \"${hash}\"\n")
