// SPDX-License-Identifier: BSL-1.0
//
// A service of the plainest kind, made without curfew: it runs, takes new settings when its first
// argument is "reloads", and ends with its last argument as its own code. "win32" in front of that
// makes it one of the system's.
#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <cstdlib>
#include <string_view>

#include <windows.h>

namespace {

SERVICE_STATUS_HANDLE place = nullptr;
SERVICE_STATUS status{};
HANDLE stopped = nullptr;

DWORD WINAPI on_control(DWORD control, DWORD, void*, void*) {
  if (control == SERVICE_CONTROL_STOP) SetEvent(stopped);
  return NO_ERROR;
}

void tell(DWORD state, DWORD accepted) {
  status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  status.dwCurrentState = state;
  status.dwControlsAccepted = accepted;
  SetServiceStatus(place, &status);
}

void WINAPI serve(DWORD, wchar_t**) {
  const auto has = [](std::string_view word) {
    for (int n = 1; n < __argc; ++n) {
      if (word == __argv[n]) return true;
    }
    return false;
  };
  place = RegisterServiceCtrlHandlerExW(L"", on_control, nullptr);
  const DWORD reload = has("reloads") ? SERVICE_ACCEPT_PARAMCHANGE : 0;
  tell(SERVICE_RUNNING, SERVICE_ACCEPT_STOP | reload);
  WaitForSingleObject(stopped, INFINITE);
  const auto code = static_cast<DWORD>(std::strtoul(__argv[__argc - 1], nullptr, 10));
  if (has("win32")) {
    status.dwWin32ExitCode = code;
  } else if (code != 0) {
    status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
    status.dwServiceSpecificExitCode = code;
  }
  tell(SERVICE_STOPPED, 0);
}

}  // namespace

int main() {
  stopped = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  wchar_t any[] = L"";
  const SERVICE_TABLE_ENTRYW table[] = {{any, serve}, {nullptr, nullptr}};
  return StartServiceCtrlDispatcherW(table) != 0 ? 0 : 1;
}

#else

int main() { return 0; }

#endif
