// SPDX-License-Identifier: BSL-1.0
//
// A file that grows at its end, on Windows: with the right to append, and none to write elsewhere,
// the system itself finds the end. Others may read it, append to it and rename it.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_APPEND_FILE_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_APPEND_FILE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/last_error.hpp>
#include <curfew/host/windows/wide_text.hpp>
#include <curfew/service/detail/windows/file_api.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

extern "C" {
__declspec(dllimport) int __stdcall FlushFileBuffers(void*);
}

CURFEW_BEGIN
namespace detail {

class append_file {
 public:
  append_file() noexcept = default;
  append_file(append_file&& other) noexcept : file_(std::exchange(other.file_, no_handle())) {}
  append_file& operator=(append_file&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~append_file() { close(); }

  /// Who may read it is what its folder says. To empty a file takes the right to write to it, so it
  /// is opened twice.
  void open(const std::string& path, bool anew, bool, unsigned, std::error_code& ec) {
    constexpr unsigned long append = 0x4, write = 0x40000000, if_missing = 4, anew_always = 2;
    const std::wstring wide = to_wide(path, ec);
    if (ec) return;
    append_file fresh;
    if (anew) fresh.file_ = create(wide, write, anew_always);
    if (!anew || fresh.is_open()) {
      fresh.close();
      fresh.file_ = create(wide, append, if_missing);
    }
    if (!fresh.is_open()) return static_cast<void>(ec = last_error());
    std::swap(file_, fresh.file_);
  }
  [[nodiscard]] bool is_open() const noexcept { return file_ != no_handle(); }

  std::size_t write(std::string_view text) noexcept {
    const auto size = static_cast<unsigned long>(text.size());
    unsigned long done = 0;
    return WriteFile(file_, text.data(), size, &done, nullptr) != 0 ? done : 0;
  }

  [[nodiscard]] static bool ends_torn(const std::string& path) {
    constexpr unsigned long read = 0x80000000, existing = 3, from_end = 2, disk = 1;
    std::error_code ec;
    append_file file;
    const std::wstring wide = to_wide(path, ec);
    if (!ec) file.file_ = create(wide, read, existing);
    if (!file.is_open() || GetFileType(file.file_) != disk) return false;
    long high = -1;
    char last = '\n';
    unsigned long done = 0;
    SetFilePointer(file.file_, -1, &high, from_end);  // refused for an empty one
    return ReadFile(file.file_, &last, 1, &done, nullptr) != 0 && done == 1 && last != '\n';
  }

  /// What has no buffers, as a pipe or a console, refuses by one of these.
  bool sync() noexcept {
    constexpr unsigned long invalid_function = 1, invalid_handle = 6;
    if (FlushFileBuffers(file_) != 0) return true;
    return GetLastError() == invalid_function || GetLastError() == invalid_handle;
  }

 private:
  static void* create(const std::wstring& path, unsigned long access, unsigned long how) noexcept {
    constexpr unsigned long share_all = 7, plain = 0x80;
    return CreateFileW(path.c_str(), access, share_all, nullptr, how, plain, nullptr);
  }
  void close() noexcept {
    if (file_ != no_handle()) CloseHandle(std::exchange(file_, no_handle()));
  }

  void* file_ = no_handle();
};

}  // namespace detail
CURFEW_END

#endif
#endif
