# Compiler settings that every target shares, and the options of the build.
include(GNUInstallDirs)

option(VENVOY_BUILD_TESTS "Build the tests" ON)
option(VENVOY_PRECOMPILE "Compile the common headers once" ON)
option(VENVOY_WARNINGS_AS_ERRORS "Stop at warnings; for developers, not for users' builds" OFF)
set(VENVOY_SANITIZE "" CACHE STRING "Value of -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

# -O3, CMake's default, takes a third longer to compile and gains nothing here: time goes to children and disks.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(VENVOY_CCACHE ccache)
if(VENVOY_CCACHE)
  # ccache can work with precompiled headers only when it may overlook what they define.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${VENVOY_CCACHE}")
endif()

add_library(venvoy_settings INTERFACE)
target_include_directories(venvoy_settings INTERFACE "${CMAKE_SOURCE_DIR}")
target_link_libraries(venvoy_settings INTERFACE Threads::Threads)
target_compile_options(venvoy_settings INTERFACE
  -pthread -fPIC -fpch-preprocess -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
# g++ 12 warns of the frames of coroutines: in a unity build for types of unnamed namespaces, and for their memory, which
# Asio recycles.
target_compile_options(venvoy_settings INTERFACE
  -Wno-subobject-linkage -Wno-mismatched-new-delete -Wno-free-nonheap-object)
if(VENVOY_WARNINGS_AS_ERRORS)
  target_compile_options(venvoy_settings INTERFACE -Werror)
endif()
if(VENVOY_SANITIZE)
  target_compile_options(venvoy_settings INTERFACE
    -fsanitize=${VENVOY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1
    -Wno-maybe-uninitialized)  # g++ 12 sees ghosts there in instrumented code
  # What is instrumented for addresses takes longer to compile than to run; the tests of threads run long.
  if(VENVOY_SANITIZE STREQUAL "thread")
    target_compile_options(venvoy_settings INTERFACE -O1)
  endif()
  target_link_options(venvoy_settings INTERFACE -fsanitize=${VENVOY_SANITIZE})
endif()

# Asio's and Process' function bodies are compiled once, in os/asio_impl.cpp.
target_compile_definitions(venvoy_settings INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_HAS_STD_INVOKE_RESULT
  BOOST_PROCESS_V2_SEPARATE_COMPILATION
  # Boost.Process with the paths of the standard library: Boost.Filesystem is then not needed.
  BOOST_PROCESS_USE_STD_FS)
