# venvoy_folder(NAME LINK other-targets… EXCLUDE files…)
#
# The static library venvoy_NAME of all sources in the current folder, except those named after EXCLUDE (programs
# with a main of their own).
function(venvoy_folder name)
  cmake_parse_arguments(ARG "" "" "LINK;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "*.cpp" "internal/*.cpp")
  if(ARG_EXCLUDE)
    list(REMOVE_ITEM sources ${ARG_EXCLUDE})
  endif()
  if(NOT sources)
    add_library(venvoy_${name} INTERFACE)
    target_link_libraries(venvoy_${name} INTERFACE venvoy_settings ${ARG_LINK})
    return()
  endif()
  add_library(venvoy_${name} STATIC ${sources})
  target_link_libraries(venvoy_${name} PUBLIC venvoy_settings ${ARG_LINK})
endfunction()

# venvoy_unit_tests(NAME LINK more-targets…)
#
# The program NAME_tests of all sources in the current folder of tests/unit, run by ctest as one test.
function(venvoy_unit_tests name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "*.cpp")
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE venvoy_${name} venvoy_test_support ${ARG_LINK})
  add_test(NAME unit.${name} COMMAND ${name}_tests)
endfunction()
