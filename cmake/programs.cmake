# add_program_pages(PROGRAM): what the program prints about itself, and where all of it is installed.
# The commands are those of commands.def beside its CMakeLists.txt.
function(add_program_pages program)
  set(def ${CMAKE_CURRENT_SOURCE_DIR}/commands.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
  set(share ${CMAKE_BINARY_DIR}/share)
  file(MAKE_DIRECTORY ${share}/man ${share}/bash ${share}/zsh)
  file(STRINGS ${def} rows REGEX "^COMMAND[(]")
  set(pages)
  foreach(row "" ${rows})
    string(REGEX REPLACE "^COMMAND[(]([a-z_]*).*" "\\1" command "${row}")
    string(REPLACE "_" "-" command "${command}")
    set(page ${share}/man/${program}.1)
    if(command)
      set(page ${share}/man/${program}-${command}.1)
    endif()
    add_custom_command(OUTPUT ${page} COMMAND ${program} --man ${command} > ${page}
                       DEPENDS ${program} VERBATIM)
    list(APPEND pages ${page})
  endforeach()
  add_custom_command(OUTPUT ${share}/bash/${program} ${share}/zsh/_${program}
    COMMAND ${program} --completion bash > ${share}/bash/${program}
    COMMAND ${program} --completion zsh > ${share}/zsh/_${program}
    DEPENDS ${program} VERBATIM)
  add_custom_target(${program}_pages ALL
    DEPENDS ${pages} ${share}/bash/${program} ${share}/zsh/_${program})
  install(TARGETS ${program} RUNTIME DESTINATION bin)
  install(FILES ${pages} DESTINATION share/man/man1)
  install(FILES ${share}/bash/${program} DESTINATION share/bash-completion/completions)
  # Where Debian's zsh looks below /usr, and others below their prefix.
  install(CODE "
    set(zsh site-functions)
    if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\")
      set(zsh vendor-completions)
    endif()
    file(INSTALL \"${share}/zsh/_${program}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/zsh/\${zsh}\")")
endfunction()
