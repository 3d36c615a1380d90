# SPDX-License-Identifier: BSL-1.0
#
# x86-64 Windows with Debian's g++-mingw-w64-x86-64-posix; the tests run under Wine.
#
#   cmake -B build -G Ninja --toolchain tests/rigs/mingw-toolchain.cmake
#   ctest --test-dir build
#
# -DMINGW_CLANG=clang++-19 takes clang with MinGW's headers and runtime instead of g++.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(MINGW_CLANG "" CACHE STRING "clang++ to use instead of g++, such as clang++-19")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MINGW_CLANG)
set(triple x86_64-w64-mingw32)

# Without -static a program needs three DLLs of g++ beside it, and Wine ends it without a word.
set(static "-static")
if(MINGW_CLANG)
  set(CMAKE_CXX_COMPILER ${MINGW_CLANG})
  set(CMAKE_CXX_COMPILER_TARGET x86_64-w64-windows-gnu)
  # clang does not link winpthread by itself; GNU ld warns of libstdc++.a's duplicate sections.
  string(APPEND static " -pthread -fuse-ld=lld")
else()
  # The -posix variant is the one with std::thread, std::mutex and std::condition_variable.
  set(CMAKE_CXX_COMPILER ${triple}-g++-posix)
  # Without optimization a whole program has more functions than an object file has room for.
  set(CMAKE_CXX_FLAGS_INIT "-Wa,-mbig-obj")
endif()
set(CMAKE_RC_COMPILER ${triple}-windres)
set(CMAKE_EXE_LINKER_FLAGS_INIT ${static})
set(CMAKE_SHARED_LINKER_FLAGS_INIT ${static})

set(CMAKE_FIND_ROOT_PATH /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/under-wine)
