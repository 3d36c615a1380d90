// SPDX-License-Identifier: BSL-1.0
//
// The file of a flight recorder on Windows: there the system refuses to cut a mapped file short,
// and shares one that is open to record with readers only.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_RECORDER_FILE_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_RECORDER_FILE_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/last_error.hpp>
#include <curfew/host/windows/wide_text.hpp>
#include <curfew/service/detail/windows/file_api.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

extern "C" {
__declspec(dllimport) unsigned long __stdcall GetFileSize(void*, unsigned long*);
__declspec(dllimport) int __stdcall SetEndOfFile(void*);
__declspec(dllimport) void* __stdcall CreateFileMappingW(void*, _SECURITY_ATTRIBUTES*,
                                                         unsigned long, unsigned long,
                                                         unsigned long, const wchar_t*);
#if defined(_WIN64)
__declspec(dllimport) void* __stdcall MapViewOfFile(void*, unsigned long, unsigned long,
                                                    unsigned long, unsigned long long);
#else
__declspec(dllimport) void* __stdcall MapViewOfFile(void*, unsigned long, unsigned long,
                                                    unsigned long, unsigned long);
#endif
__declspec(dllimport) int __stdcall UnmapViewOfFile(const void*);
}

CURFEW_BEGIN
namespace detail {

class recorder_file {
 public:
  recorder_file() noexcept = default;
  recorder_file(const recorder_file&) = delete;
  recorder_file& operator=(const recorder_file&) = delete;
  ~recorder_file() {
    if (memory_ != nullptr) UnmapViewOfFile(memory_);
    close();
  }

  void open_to_record(const std::string& path, std::error_code& ec) {
    constexpr unsigned long read_and_write = 0xc0000000, share_read = 1, made_if_missing = 4;
    for (int tries = 10;; --tries) {
      open(path, read_and_write, share_read, made_if_missing, ec);
      if (tries == 0 || ec != std::errc::device_or_resource_busy) return;
      Sleep(10);
    }
  }
  void open_to_read(const std::string& path, std::error_code& ec) {
    constexpr unsigned long read = 0x80000000, share_all = 7, existing = 3;
    std::error_code alone;  // nobody else may write: refused while somebody has it open for that
    open(path, read, 1, existing, alone);
    recorded_into_ = alone == std::errc::device_or_resource_busy;
    open(path, read, share_all, existing, ec);
  }

  [[nodiscard]] bool is_recorded_into() const noexcept { return recorded_into_; }

  [[nodiscard]] std::string read(std::size_t most, std::error_code& ec) const {
    std::string bytes(static_cast<std::size_t>(size() < most ? size() : most), '\0');
    unsigned long done = 0;
    SetFilePointer(file_, 0, nullptr, 0);
    const auto wanted = static_cast<unsigned long>(bytes.size());
    if (ReadFile(file_, bytes.data(), wanted, &done, nullptr) == 0) ec = last_error();
    bytes.resize(done);
    return bytes;
  }

  void write(const void* data, std::size_t n, std::error_code& ec) const noexcept {
    unsigned long done = 0;
    SetFilePointer(file_, 0, nullptr, 0);
    if (WriteFile(file_, data, static_cast<unsigned long>(n), &done, nullptr) == 0 || done != n) {
      ec = last_error();
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept {
    unsigned long high = 0;
    const unsigned long low = GetFileSize(file_, &high);
    return std::uint64_t{high} << 32 | low;
  }

  [[nodiscard]] unsigned char* map(std::size_t n, std::error_code& ec) noexcept {
    constexpr unsigned long page_readwrite = 4, map_write = 2;
    SetFilePointer(file_, static_cast<long>(n), nullptr, 0);
    if (SetEndOfFile(file_) == 0) return ec = last_error(), nullptr;
    void* const mapping = CreateFileMappingW(file_, nullptr, page_readwrite, 0, 0, nullptr);
    if (mapping == nullptr) return ec = last_error(), nullptr;
    memory_ = MapViewOfFile(mapping, map_write, 0, 0, n);
    if (memory_ == nullptr) ec = last_error();
    CloseHandle(mapping);  // the view keeps it
    return static_cast<unsigned char*>(memory_);
  }

  [[nodiscard]] bool is_intact() const noexcept { return true; }

 private:
  void close() noexcept {
    if (file_ != no_handle()) CloseHandle(file_);
    file_ = no_handle();
  }

  void open(const std::string& path, unsigned long access, unsigned long share, unsigned long how,
            std::error_code& ec) {
    constexpr unsigned long plain_and_no_link = 0x80 | 0x200000, disk = 1, sharing_violation = 32;
    close();
    const std::wstring wide = to_wide(path, ec);
    if (ec) return;
    file_ = CreateFileW(wide.c_str(), access, share, nullptr, how, plain_and_no_link, nullptr);
    if (file_ != no_handle() && GetFileType(file_) != disk) {
      ec = std::make_error_code(std::errc::invalid_argument);
    } else if (file_ == no_handle()) {
      const bool shared = GetLastError() == sharing_violation;
      ec = shared ? std::make_error_code(std::errc::device_or_resource_busy) : last_error();
    }
  }

  void* file_ = no_handle();
  void* memory_ = nullptr;
  bool recorded_into_ = false;
};

}  // namespace detail
CURFEW_END

#endif
#endif
