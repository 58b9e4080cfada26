# What `cmake --install` and the Debian packages put where. Three components: `library` (the shared object, the keeper
# and the scripts that both need), `program` (the commands and their documents) and `development` (headers and the CMake
# package). Python packages take `library` alone.
include(CMakePackageConfigHelpers)

install(TARGETS venvoy_shared EXPORT venvoy
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT development)
# The keeper and the scripts are found from the place of the library or program: os/keeper.hpp.
install(TARGETS venvoy-keeper DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/venvoy" COMPONENT library)
install(DIRECTORY "${CMAKE_BINARY_DIR}/libexec/venvoy/" DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/venvoy"
  COMPONENT library FILES_MATCHING PATTERN "*.py")

if(TARGET venvoy)
  install(TARGETS venvoy DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
  # The same program answers as the Go engine under this name.
  install(FILES "${CMAKE_BINARY_DIR}/arcaflow" DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
  # Cleaners of /tmp leave the default store alone.
  install(FILES packaging/venvoy.tmpfiles DESTINATION lib/tmpfiles.d RENAME venvoy.conf COMPONENT program)
  install(FILES README.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program)
  install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program)

  # Made by the program itself, so that they never lag behind it.
  set(made "${CMAKE_BINARY_DIR}/share")
  add_custom_command(
    OUTPUT "${made}/venvoy.1" "${made}/venvoy.bash" "${made}/_venvoy" "${made}/venvoy.fish"
    COMMAND /usr/bin/python3 "${CMAKE_SOURCE_DIR}/packaging/share_files.py" "$<TARGET_FILE:venvoy>" "${made}"
    DEPENDS venvoy "${CMAKE_SOURCE_DIR}/packaging/share_files.py"
    VERBATIM)
  add_custom_target(venvoy-share ALL DEPENDS "${made}/venvoy.1")
  set(share "${CMAKE_INSTALL_DATAROOTDIR}")
  install(FILES "${made}/venvoy.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT program)
  install(FILES "${made}/venvoy.bash" DESTINATION "${share}/bash-completion/completions" RENAME venvoy COMPONENT program)
  install(FILES "${made}/_venvoy" DESTINATION "${share}/zsh/vendor-completions" COMPONENT program)
  install(FILES "${made}/venvoy.fish" DESTINATION "${share}/fish/vendor_completions.d" COMPONENT program)
endif()

install(DIRECTORY api/venvoy DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/venvoy")
install(EXPORT venvoy NAMESPACE venvoy:: FILE venvoy-targets.cmake DESTINATION "${package_dir}" COMPONENT development)
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/venvoy-config.cmake.in" "${CMAKE_BINARY_DIR}/venvoy-config.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_LIBEXECDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/venvoy-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/venvoy-config.cmake" "${CMAKE_BINARY_DIR}/venvoy-config-version.cmake"
  DESTINATION "${package_dir}" COMPONENT development)

# Debian packages: venvoy and libvenvoy-dev. `cpack --config build/release/CPackConfig.cmake`.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME venvoy)
set(CPACK_PACKAGE_VENDOR "the venvoy maintainers")
set(CPACK_PACKAGE_CONTACT "the venvoy maintainers <maintainers@venvoy.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library program development)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME venvoy)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# Plugins' environments are made by the interpreter's own venv, or faster by uv where that is installed.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "python3 (>= 3.9), python3-venv, ca-certificates")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "openssh-client, git")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_HEADERS_PACKAGE_NAME libvenvoy-dev)
set(CPACK_DEBIAN_HEADERS_PACKAGE_DEPENDS "venvoy (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_HEADERS_PACKAGE_SECTION libdevel)
include(CPack)
cpack_add_component_group(runtime)
cpack_add_component_group(headers)
cpack_add_component(library GROUP runtime)
cpack_add_component(program GROUP runtime)
cpack_add_component(development GROUP headers)
