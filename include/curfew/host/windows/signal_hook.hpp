// SPDX-License-Identifier: BSL-1.0
//
// What a bridge holds of Windows: a console control handler. Not the C library's signal(), which
// forgets its handler on delivery and knows nothing of CLOSE.
#ifndef CURFEW_HOST_WINDOWS_SIGNAL_HOOK_HPP
#define CURFEW_HOST_WINDOWS_SIGNAL_HOOK_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/signal_source.hpp>
#include <curfew/host/windows/console_handler.hpp>

#include <cstdio>
#include <system_error>

CURFEW_BEGIN
namespace detail {

class signal_hook final : public signal_source {
 public:
  signal_inbox& inbox() noexcept override { return desk.inbox; }
  bool open(const signal_options& options, std::error_code& ec) noexcept override;
  signal_set stopping(signal_set asked) const noexcept override;
  bool take(int signal, route way, std::error_code& ec) noexcept override;
  bool ignores(int) const noexcept override { return false; }
  void give_back(int signal) noexcept override { desk.inbox.set_route(signal, route::none); }
  void adopt() const noexcept override {}
  bool here() const noexcept override { return true; }
  void close() noexcept override;
  void release() noexcept override;
  void leave() noexcept override { release(); }
  void set_outcome(int code) noexcept override { desk.outcome.store(code); }
  time_source::duration allowed(const stop_reason& reason) const noexcept override;

 private:
  bool claim(std::error_code& ec) noexcept;
  bool listen(std::error_code& ec) noexcept;

  void* mark_ = nullptr;
};

inline bool refuse(std::errc why, std::error_code& ec) noexcept {
  ec = std::make_error_code(why);
  return false;
}

inline bool refuse_last_error(std::error_code& ec) noexcept {
  ec.assign(static_cast<int>(GetLastError()), std::system_category());
  return false;
}

inline bool signal_hook::open(const signal_options& options, std::error_code& ec) noexcept {
  if (!claim(ec)) return false;
  close();  // what an earlier bridge has left
  desk.inbox.open(options);
  desk.in_service.store(options.in_service);
  desk.outcome.store(options.unfinished);
  desk.usable_ms.store(static_cast<long>(usable(console_limit()).count()));
  if (listen(ec)) return true;
  release();
  return false;
}

/// The named mutex is seen by every module of the process, each of which has a desk of its own.
inline bool signal_hook::claim(std::error_code& ec) noexcept {
  constexpr unsigned long already_exists = 183;
  if (desk.claimed.exchange(true)) return refuse(std::errc::device_or_resource_busy, ec);
  char name[48];
  std::snprintf(name, sizeof name, "Local\\curfew-signal-bridge-%lu", GetCurrentProcessId());
  mark_ = CreateMutexA(nullptr, 0, name);
  const unsigned long error = GetLastError();
  if (mark_ != nullptr && error != already_exists) return true;
  if (mark_ == nullptr) ec.assign(static_cast<int>(error), std::system_category());
  if (mark_ != nullptr) refuse(std::errc::device_or_resource_busy, ec);
  release();
  return false;
}

/// Registered anew for each bridge: the last one registered is asked first, and AllocConsole has
/// emptied the table perhaps. The handler is never taken out, since the system holds a lock of its
/// own while a handler holds; without a bridge it passes everything on. Hence the module must stay.
inline bool signal_hook::listen(std::error_code& ec) noexcept {
  constexpr unsigned long pin_by_address = 1 | 4;
  HINSTANCE__* module = nullptr;
  GetModuleHandleExA(pin_by_address, reinterpret_cast<const char*>(&on_console_event), &module);
  if (desk.holding.load() == 0) {
    SetConsoleCtrlHandler(&on_console_event, 0);
    if (SetConsoleCtrlHandler(&on_console_event, 1) == 0) return refuse_last_error(ec);
  }
  desk.listening.store(true);
  return true;
}

inline signal_set signal_hook::stopping(signal_set asked) const noexcept {
  if (asked.contains(SIGTERM)) asked.insert(console_sigbreak);
  return asked;
}

inline bool signal_hook::take(int signal, route way, std::error_code& ec) noexcept {
  ec.clear();
  if (!signal_set::valid(signal)) return refuse(std::errc::invalid_argument, ec);
  const bool comes = signal == console_sigint || signal == console_sigbreak;
  if (!comes && way == route::call) return refuse(std::errc::not_supported, ec);
  desk.inbox.set_route(signal, way);
  return true;
}

inline void signal_hook::close() noexcept {
  desk.listening.store(false);
  for (unsigned spins = 0; desk.inside.load() != 0; ++spins) relax(spins);
}

inline void signal_hook::release() noexcept {
  if (mark_ != nullptr) CloseHandle(mark_);
  mark_ = nullptr;
  desk.claimed.store(false);
}

inline time_source::duration signal_hook::allowed(const stop_reason& reason) const noexcept {
  if (reason.cause != stop_cause::console) return (time_source::duration::max)();
  return std::chrono::milliseconds(desk.usable_ms.load());
}

}  // namespace detail
CURFEW_END

#endif
#endif
