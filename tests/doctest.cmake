# SPDX-License-Identifier: BSL-1.0
#
# Target `doctest`: one header. An installed one is copied, because a cross build that looked into
# the directory where it is installed would find the host's own headers there. Otherwise it is
# fetched (offline: -DFETCHCONTENT_SOURCE_DIR_DOCTEST=<a copy of doctest>).
add_library(doctest INTERFACE)
find_file(DOCTEST_HEADER doctest/doctest.h PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH)
if(DOCTEST_HEADER AND NOT FETCHCONTENT_SOURCE_DIR_DOCTEST)
  set(doctest_SOURCE_DIR ${CMAKE_CURRENT_BINARY_DIR}/installed)
  configure_file(${DOCTEST_HEADER} ${doctest_SOURCE_DIR}/doctest/doctest.h COPYONLY)
else()
  include(FetchContent)
  FetchContent_Declare(doctest  # v2.5.0
    GIT_REPOSITORY https://github.com/doctest/doctest.git
    GIT_TAG d44d4f6e66232d716af82f00a063759e9d0e50d6
    SOURCE_SUBDIR the-header-is-enough)
  FetchContent_MakeAvailable(doctest)
endif()
target_include_directories(doctest SYSTEM INTERFACE ${doctest_SOURCE_DIR})
# Its macros count with __COUNTER__, which clang 22 and later call an extension.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT MSVC)
  target_compile_options(doctest INTERFACE -Wno-unknown-warning-option -Wno-c2y-extensions)
endif()
if(CMAKE_CXX_FLAGS MATCHES "-fno-exceptions")
  target_compile_definitions(doctest INTERFACE DOCTEST_CONFIG_NO_EXCEPTIONS_BUT_WITH_ALL_ASSERTS)
endif()
