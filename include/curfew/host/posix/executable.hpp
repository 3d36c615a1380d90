// SPDX-License-Identifier: BSL-1.0
//
// Where the program that runs lies, on POSIX systems. POSIX itself has no way to ask.
#ifndef CURFEW_HOST_POSIX_EXECUTABLE_HPP
#define CURFEW_HOST_POSIX_EXECUTABLE_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>
#if CURFEW_APPLE
#include <mach-o/dyld.h>
#endif

CURFEW_BEGIN
namespace detail {

inline constexpr const char* separators = "/";

[[nodiscard]] inline std::size_t root_size(std::string_view path) noexcept {
  return path.substr(0, 1) == "/" ? 1 : 0;
}

/// What a symbolic link says, however long that is.
[[nodiscard]] inline std::string read_link(const char* link, std::error_code& ec) {
  for (std::string text(256, '\0');; text.resize(text.size() * 2)) {
    const ssize_t n = ::readlink(link, text.data(), text.size());
    if (n < 0) {
      ec.assign(errno, std::system_category());
      return {};
    }
    if (static_cast<std::size_t>(n) < text.size())
      return text.substr(0, static_cast<std::size_t>(n));
  }
}

[[nodiscard]] inline bool same_file(const char* a, const char* b) noexcept {
  struct stat of_a = {};
  struct stat of_b = {};
  return ::stat(a, &of_a) == 0 && ::stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

/// The system adds this to the name of a file that is gone, but a file may be called so, too.
[[nodiscard]] inline std::string without_deleted(std::string path, const char* link) {
  constexpr std::string_view mark = " (deleted)";
  const bool marked = path.size() > mark.size() && std::string_view(path).ends_with(mark);
  if (marked && !same_file(path.c_str(), link)) path.resize(path.size() - mark.size());
  return path;
}

#if CURFEW_LINUX

/// Outside of this process's root directory it is "(unreachable)/...", which is no path.
[[nodiscard]] inline std::string find_executable(std::error_code& ec) {
  constexpr const char* link = "/proc/self/exe";
  std::string path = read_link(link, ec);
  if (!ec && root_size(path) == 0) ec = std::make_error_code(std::errc::no_such_file_or_directory);
  return ec ? std::string() : without_deleted(std::move(path), link);
}

#elif CURFEW_APPLE

[[nodiscard]] inline std::string find_executable(std::error_code& ec) {
  std::uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  char* const real =
      _NSGetExecutablePath(path.data(), &size) == 0 ? ::realpath(path.c_str(), nullptr) : nullptr;
  if (real == nullptr) ec.assign(errno, std::system_category());
  path = real == nullptr ? "" : real;
  std::free(real);
  return path;
}

#else

[[nodiscard]] inline std::string find_executable(std::error_code& ec) {
  ec = std::make_error_code(std::errc::not_supported);
  return {};
}

#endif

}  // namespace detail
CURFEW_END

#endif
#endif
