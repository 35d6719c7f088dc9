# How tests are declared. The name of each is its path under tests/; its label is quick unless others
# are given: slow for what takes more than some seconds, torch for what needs PyTorch, unsanitized for
# what judges numbers of generated code, files or whole trainings, in which sanitizers would find nothing
# that shorter tests do not show them.

# Debian's own Python, which sees Debian's packages, before any other.
find_program(VLG_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(VLG_PYTHON python3 REQUIRED)

# Kernels and built-in data that one test has made serve the others, of this build alone.
set(test_environment VLG_PYTHON=${VLG_PYTHON} XDG_CACHE_HOME=${CMAKE_BINARY_DIR}/tests/cache)

# add_named_test(NAME COMMAND... [ENVIRONMENT VARIABLE=VALUE...] [LABELS LABEL...])
# A test that ends with 77 is skipped.
function(add_named_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "COMMAND;ENVIRONMENT;LABELS")
  file(RELATIVE_PATH room ${CMAKE_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  string(REGEX REPLACE "^/" "" path "${room}/${name}")
  if(NOT test_LABELS)
    set(test_LABELS quick)
  endif()
  add_test(NAME ${path} COMMAND ${test_COMMAND})
  set_tests_properties(${path} PROPERTIES SKIP_RETURN_CODE 77 LABELS "${test_LABELS}"
                       ENVIRONMENT "${test_environment};${test_ENVIRONMENT}")
endfunction()

# c_test(NAME LINKS LIBRARY... [ARGUMENTS ARGUMENT...] [properties]): NAME.c, an executable.
function(c_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "LINKS;ARGUMENTS;ENVIRONMENT;LABELS")
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE ${test_LINKS})
  add_named_test(${name} COMMAND ${name} ${test_ARGUMENTS} ENVIRONMENT ${test_ENVIRONMENT}
                 LABELS ${test_LABELS})
endfunction()

# script_test(SCRIPT [ARGUMENTS ARGUMENT...] [properties]): a program of the shell or of Python, which is
# given the build directory and the arguments.
function(script_test script)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "ARGUMENTS;ENVIRONMENT;LABELS")
  get_filename_component(name ${script} NAME_WE)
  set(command ${CMAKE_CURRENT_SOURCE_DIR}/${script})
  if(script MATCHES "[.]py$")
    list(PREPEND command ${VLG_PYTHON})
  endif()
  add_named_test(${name} COMMAND ${command} ${CMAKE_BINARY_DIR} ${test_ARGUMENTS}
                 ENVIRONMENT ${test_ENVIRONMENT} LABELS ${test_LABELS})
endfunction()
