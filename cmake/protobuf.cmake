# add_messages(<target> <directory> <file.proto>): the messages of a .proto file, made by protoc-c, join the sources of
# <target>, which includes them as <file.pb-c.h>. What protoc-c writes is not held to our warnings.
function(add_messages target directory file)
  string(REGEX REPLACE "[.]proto$" ".pb-c" messages ${CMAKE_CURRENT_BINARY_DIR}/${file})
  add_custom_command(OUTPUT ${messages}.c ${messages}.h
    COMMAND ${PROTOC_C} --c_out=${CMAKE_CURRENT_BINARY_DIR} -I ${directory} ${file}
    DEPENDS ${directory}/${file} VERBATIM)
  set_source_files_properties(${messages}.c PROPERTIES COMPILE_OPTIONS -w)
  target_sources(${target} PRIVATE ${messages}.c ${messages}.h)
  target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
