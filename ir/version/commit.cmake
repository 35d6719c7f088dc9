# cmake -DOUT=commit.h -DSOURCE=DIR -P commit.cmake: writes OUT if it says another commit.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --match=none --abbrev=7
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
execute_process(COMMAND git -C ${SOURCE} rev-parse --show-toplevel
                OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(REAL_PATH ${SOURCE} source)
# Sources without git may lie in another repository.
if(failed OR NOT top STREQUAL source)
  set(commit "")
endif()
set(shown "")
if(commit)
  set(shown " (${commit})")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT
     "#define VLG_COMMIT \"${commit}\"\n#define VLG_COMMIT_SHOWN \"${shown}\"\n" @ONLY)
