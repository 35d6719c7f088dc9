# A Debian package of what is installed: cmake --build --preset release --target deb, or cpack -G DEB once all is
# built. What it depends on is found by dpkg-shlibdeps.
set(CPACK_PACKAGE_NAME vlgraph)
set(CPACK_PACKAGE_CONTACT "VLGraph developers <vlgraph@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compile and train vision-language models on CPUs")
set(CPACK_PACKAGE_DESCRIPTION "VLGraph compiles declarative descriptions of vision-language models and of ways to
tune few of their parameters, and trains them on the processor at hand. The package has
the programs vlc and vlrun, the models, the library libvlgraph with its header, and its
module for Python.")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when it is asked for, and only needed by the module for Python.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libopenblas0, python3-cffi, python3-numpy")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES LICENSE DESTINATION share/doc/vlgraph RENAME copyright)
install(FILES CHANGELOG.md README.md DESTINATION share/doc/vlgraph)
install(FILES python/README.md DESTINATION share/doc/vlgraph/python)
install(DIRECTORY docs examples DESTINATION share/doc/vlgraph USE_SOURCE_PERMISSIONS PATTERN node_modules EXCLUDE)
install(FILES python/vlgraph/__init__.py python/vlgraph/_library.py python/vlgraph/batch.py python/vlgraph/data.py
              python/vlgraph/plan.py python/vlgraph/session.py python/vlgraph/py.typed library/vlgraph.h
        DESTINATION lib/python3/dist-packages/vlgraph)
# Only what is installed is built for a package, and no tests.
set(CMAKE_SKIP_PACKAGE_ALL_DEPENDENCY ON)
include(CPack)
add_custom_target(installed DEPENDS vlc_pages vlrun_pages vlgraph)
add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} -G DEB --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake
                  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} DEPENDS installed VERBATIM USES_TERMINAL)
