// SPDX-License-Identifier: BSL-1.0
//
// The standard streams on Windows, of which there are three kinds: the handles of the process, the
// descriptors of the C library, and its FILEs, on which std::cout stands.
#ifndef CURFEW_HOST_WINDOWS_STANDARD_STREAMS_HPP
#define CURFEW_HOST_WINDOWS_STANDARD_STREAMS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/standard_streams.hpp>
#include <curfew/host/windows/kernel32.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include <fcntl.h>
#include <io.h>

extern "C" {
__declspec(dllimport) void* __stdcall GetStdHandle(unsigned long);
__declspec(dllimport) int __stdcall SetStdHandle(unsigned long, void*);
__declspec(dllimport) unsigned long __stdcall GetFileType(void*);
}

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline bool handle_works(void* handle) noexcept {
  constexpr unsigned long unknown = 0;
  return handle != nullptr && handle != reinterpret_cast<void*>(~std::uintptr_t{0}) &&
         GetFileType(handle) != unknown;
}

/// A FILE that has no descriptor, or one without a handle behind it. Asking about a descriptor that
/// is negative would call the C library's handler for invalid parameters.
[[nodiscard]] inline bool file_works(std::FILE* file) noexcept {
  const int fd = _fileno(file);
  return fd >= 0 && handle_works(reinterpret_cast<void*>(_get_osfhandle(fd)));
}

/// For a C library whose freopen refuses a FILE without a descriptor, as Wine's does, and whose
/// FILE is not opaque. The library of Windows never comes here.
template <class File>
void use_descriptor(File* file, int fd) noexcept {
  if constexpr (requires { file->_file = fd; }) file->_file = fd;
}

/// The descriptor first: the FILE gets another one from freopen, and both are used.
inline void connect_to_nothing(int fd, std::FILE* file, const char* mode) noexcept {
  const int nothing = _open("NUL", _O_RDWR);
  if (nothing >= 0 && nothing != fd) {
    _dup2(nothing, fd);
    _close(nothing);
  }
  if (std::freopen("NUL", mode, file) == nullptr) use_descriptor(file, fd);
}

/// Whether the handle was missing. A program may have opened either kind itself before: that stays.
inline bool fill_stream(unsigned long name, int fd, std::FILE* file, const char* mode) noexcept {
  const bool missing = !handle_works(GetStdHandle(name));
  if (!file_works(file)) connect_to_nothing(fd, file, mode);
  if (missing && file_works(file)) {
    SetStdHandle(name, reinterpret_cast<void*>(_get_osfhandle(_fileno(file))));
  }
  return missing;
}

inline missing_streams fill_standard_streams() noexcept {
  constexpr auto name = [](int fd) { return 0xFFFFFFF6ul - static_cast<unsigned long>(fd); };
  missing_streams missing;
  missing.input = fill_stream(name(0), 0, stdin, "r");
  missing.output = fill_stream(name(1), 1, stdout, "w");
  missing.error = fill_stream(name(2), 2, stderr, "w");
  if (missing.error) std::setvbuf(stderr, nullptr, _IONBF, 0);
  return missing;
}

}  // namespace detail
CURFEW_END

#endif
#endif
