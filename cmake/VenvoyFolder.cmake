# What nearly every file includes is compiled once: see precompiled.hpp and precompiled_asio.hpp.
#
# venvoy_precompile(TARGET headers… LINK other-targets…): a target that others take their precompiled headers from.
function(venvoy_precompile target)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(WRITE "${CMAKE_BINARY_DIR}/generated/precompiled.cpp" "")
  add_library(${target} OBJECT "${CMAKE_BINARY_DIR}/generated/precompiled.cpp")
  target_link_libraries(${target} PRIVATE venvoy_settings fmt::fmt Boost::headers ${ARG_LINK})
  target_precompile_headers(${target} PRIVATE ${ARG_UNPARSED_ARGUMENTS})
endfunction()

# venvoy_use_precompiled(TARGET FROM): does nothing when the build is without precompiled headers.
function(venvoy_use_precompiled target from)
  if(VENVOY_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()

if(VENVOY_PRECOMPILE)
  venvoy_precompile(venvoy_precompiled "${CMAKE_CURRENT_LIST_DIR}/precompiled.hpp")
  venvoy_precompile(venvoy_precompiled_asio "${CMAKE_CURRENT_LIST_DIR}/precompiled_asio.hpp")
endif()

# venvoy_folder(NAME LINK other-targets… EXCLUDE files… PRECOMPILED target)
#
# The static library venvoy_NAME of all sources in the current folder, except those named after EXCLUDE (programs
# with a main of their own).
function(venvoy_folder name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "LINK;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "*.cpp" "internal/*.cpp")
  if(ARG_EXCLUDE)
    list(REMOVE_ITEM sources ${ARG_EXCLUDE})
  endif()
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED venvoy_precompiled)
  endif()
  add_library(venvoy_${name} STATIC ${sources})
  target_link_libraries(venvoy_${name} PUBLIC venvoy_settings fmt::fmt ${ARG_LINK})
  venvoy_use_precompiled(venvoy_${name} ${ARG_PRECOMPILED})
endfunction()

# venvoy_unit_tests(NAME LINK more-targets…)
#
# The program NAME_tests of all sources in the current folder of tests/unit, run by ctest as one test.
function(venvoy_unit_tests name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "*.cpp")
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE venvoy_${name} venvoy_test_support ${ARG_LINK})
  venvoy_use_precompiled(${name}_tests venvoy_precompiled_for_tests)
  # Tests say what they need beside themselves, under short names that occur in several files.
  set_target_properties(${name}_tests PROPERTIES UNITY_BUILD OFF)
  add_test(NAME unit.${name} COMMAND ${name}_tests)
endfunction()
