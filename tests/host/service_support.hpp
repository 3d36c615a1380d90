// SPDX-License-Identifier: BSL-1.0
//
// What the tests of the service manager of Windows share.
#ifndef CURFEW_TESTS_HOST_SERVICE_SUPPORT_HPP
#define CURFEW_TESTS_HOST_SERVICE_SUPPORT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/service_installer.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace test {

/// A name that no other service has, nor had: process numbers come again. Whatever has it in the
/// end is removed, with its event source.
class service_name {
 public:
  service_name() = default;
  service_name(const service_name&) = delete;
  service_name& operator=(const service_name&) = delete;
  ~service_name() {
    curfew::detail::service_handle service;
    constexpr DWORD rights = curfew::detail::right_to_delete | SERVICE_STOP;
    SERVICE_STATUS status{};
    if (curfew::detail::open_service(name_, rights, service) == 0) {
      ControlService(service.get(), SERVICE_CONTROL_STOP, &status);
      DeleteService(service.get());
    }
    static_cast<void>(curfew::detail::remove_source(name_));
  }
  operator const std::string&() const { return name_; }

 private:
  static std::string fresh() {
    static std::atomic<int> count{0};
    return "curfew-test-" + std::to_string(GetCurrentProcessId()) + '-' +
           std::to_string(GetTickCount64()) + '-' + std::to_string(++count);
  }
  const std::string name_ = fresh();
};

inline std::string own_path() {
  wchar_t path[1024] = {};
  GetModuleFileNameW(nullptr, path, 1024);
  return curfew::detail::utf8(path);
}

inline std::string beside_us(const std::string& program) {
  const std::string self = own_path();
  return self.substr(0, self.find_last_of('\\') + 1) + program;
}

/// A process and what it writes.
class process {
 public:
  explicit process(const std::string& command_line) {
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, 1};
    HANDLE theirs = nullptr;
    if (CreatePipe(&output_, &theirs, &inherited, 0) == 0) return;
    SetHandleInformation(output_, HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOW how{};
    how.cb = sizeof how;
    how.dwFlags = STARTF_USESTDHANDLES;
    how.hStdOutput = theirs;
    PROCESS_INFORMATION made{};
    std::wstring line = curfew::detail::utf16(command_line);
    if (CreateProcessW(nullptr, line.data(), nullptr, nullptr, 1, 0, nullptr, nullptr, &how,
                       &made) != 0) {
      CloseHandle(made.hThread);
      CloseHandle(made.hProcess);
    }
    CloseHandle(theirs);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() { CloseHandle(output_); }

  /// All of it, to the end of the process, without the carriage returns.
  std::string output() {
    std::string text;
    char bytes[4096];
    DWORD size = 0;
    while (ReadFile(output_, bytes, sizeof bytes, &size, nullptr) != 0 && size > 0) {
      text.append(bytes, size);
    }
    std::erase(text, '\r');
    return text;
  }

 private:
  HANDLE output_ = nullptr;
};

inline curfew::install_request request(const std::string& name) {
  curfew::install_request asked;
  asked.spec.name = name;
  asked.executable = "C:\\Program Files\\curfew test\\app.exe";
  return asked;
}

}  // namespace test

#endif
#endif
