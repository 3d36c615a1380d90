// SPDX-License-Identifier: BSL-1.0
//
// A control endpoint on Windows: a named pipe for its user and administrators, and what is
// connected to it.
#ifndef CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_PORT_HPP
#define CURFEW_SERVICE_DETAIL_WINDOWS_CONTROL_PORT_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/wide_text.hpp>
#include <curfew/service/detail/control_peer.hpp>
#include <curfew/service/detail/windows/control_access.hpp>
#include <curfew/service/detail/windows/control_api.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/windows/event.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// Wakes a wait of the system's, once for each ring or for several.
class control_bell {
 public:
  explicit control_bell(std::error_code& ec) noexcept : event_(ec) {}
  void ring() const noexcept { event_.signal(); }
  void settle() const noexcept { ResetEvent(event_.native_handle()); }
  [[nodiscard]] void* handle() const noexcept { return event_.native_handle(); }

 private:
  native_event event_;
};

/// One operation of the system's at a time that goes on by itself. Nothing it writes to goes before
/// it has ended or been taken back.
class pipe_operation {
 public:
  explicit pipe_operation(std::error_code& ec) noexcept : done_(ec) {
    request_.event = done_.native_handle();
  }
  pipe_operation(const pipe_operation&) = delete;
  pipe_operation& operator=(const pipe_operation&) = delete;

  /// start(_OVERLAPPED*) calls the system. False: it has failed, and there is nothing to wait for.
  template <class F>
  bool begin(void* pipe, F start) noexcept {
    constexpr unsigned long pending = 997;
    ResetEvent(request_.event);
    going_on_ = start(overlapped()) != 0 || GetLastError() == pending;
    pipe_ = pipe;
    return going_on_;
  }
  [[nodiscard]] bool going_on() const noexcept { return going_on_; }
  control_io wait(const control_bell& bell, control_time limit) const noexcept;
  /// How many bytes it has moved; 0: it has failed. Waits for its end.
  unsigned long end() noexcept {
    unsigned long moved = 0;
    const bool good = GetOverlappedResult(pipe_, overlapped(), &moved, 1) != 0;
    going_on_ = false;
    return good ? moved : 0;
  }
  unsigned long take_back() noexcept {
    if (!going_on_) return 0;
    CancelIoEx(pipe_, overlapped());
    return end();
  }

 private:
  [[nodiscard]] _OVERLAPPED* overlapped() noexcept {
    return reinterpret_cast<_OVERLAPPED*>(&request_);
  }

  native_event done_;
  pipe_overlapped request_;
  void* pipe_ = nullptr;
  bool going_on_ = false;
};

class control_connection {
 public:
  static constexpr bool knows_peer_at_once = false;

  explicit control_connection(std::error_code& ec) noexcept
      : bell_(ec), reading_(ec), writing_(ec) {}
  control_connection(const control_connection&) = delete;
  control_connection& operator=(const control_connection&) = delete;
  ~control_connection() { drop(); }

  void connect(const std::string& path, control_time limit, std::error_code& ec);
  /// Of one that has read and written nothing yet.
  void adopt(control_connection& from) noexcept { adopt(std::exchange(from.pipe_, no_handle())); }
  void adopt(void* pipe) noexcept {
    drop();
    pipe_ = pipe;
  }
  void drop() noexcept;

  control_io wait(control_time limit) noexcept;
  control_io read(void* to, std::size_t size, control_time limit) noexcept;
  control_io write(const void* from, std::size_t size, control_time limit) noexcept;

  void ring() noexcept { bell_.ring(); }
  void cut() noexcept {
    cut_.store(true, std::memory_order_release);
    ring();
  }
  [[nodiscard]] bool identify(control_peer& peer) const { return identify_client(pipe_, peer); }
  [[nodiscard]] std::int64_t server_pid() const noexcept {
    unsigned long pid = 0;
    return GetNamedPipeServerProcessId(pipe_, &pid) != 0 ? pid : 0;
  }

 private:
  [[nodiscard]] bool is_cut() const noexcept { return cut_.load(std::memory_order_acquire); }
  template <class F>
  control_io all_of(std::size_t size, pipe_operation& operation, control_time limit,
                    F start) noexcept;
  control_io await_end(pipe_operation& operation, control_time limit) noexcept;

  control_bell bell_;
  pipe_operation reading_;
  pipe_operation writing_;
  void* pipe_ = no_handle();
  // A pipe does not say that there is something to read, but by reading: a byte ahead.
  char ahead_ = 0;
  bool has_ahead_ = false;
  // The release store of cut() comes before the ring that ends a wait, and pairs with the acquire
  // load that follows every wait.
  std::atomic<bool> cut_{false};
};

class control_listener {
 public:
  explicit control_listener(std::error_code& ec) noexcept : bell_(ec), connecting_(ec) {}
  control_listener(const control_listener&) = delete;
  control_listener& operator=(const control_listener&) = delete;
  ~control_listener() { close(); }

  void open(const std::string& path, std::error_code& ec);
  control_io accept(control_connection& into) noexcept;
  void ring() noexcept { bell_.ring(); }
  void close() noexcept;

 private:
  [[nodiscard]] void* make_pipe(unsigned long first) noexcept;
  [[nodiscard]] bool begin() noexcept;

  control_bell bell_;
  pipe_operation connecting_;
  std::wstring name_;
  local_memory security_;
  void* next_ = no_handle();
};

// ---------------------------------------------------------------------------------------------

/// "orders" is "\\.\pipe\orders".
[[nodiscard]] inline std::wstring pipe_name(const std::string& path, std::error_code& ec) {
  constexpr std::wstring_view folder = L"\\\\.\\pipe\\";
  constexpr std::size_t longest = 256;
  std::wstring name = to_wide(path, ec);
  if (name.find(L'\\') == name.npos) name.insert(0, folder);
  const bool strange = name.size() <= folder.size() || !name.starts_with(folder) ||
                       path.front() == '@' || path.find('\0') != path.npos;
  if (strange) ec = std::make_error_code(std::errc::invalid_argument);
  if (name.size() > longest) ec = std::make_error_code(std::errc::filename_too_long);
  return name;
}

inline control_io pipe_operation::wait(const control_bell& bell,
                                       control_time limit) const noexcept {
  void* const both[] = {done_.native_handle(), bell.handle()};
  for (;;) {
    const auto left = static_cast<unsigned long>(milliseconds_until(limit));
    const unsigned long which = WaitForMultipleObjects(2, both, 0, left);
    if (which == 0) return control_io::done;
    if (which == 1) return bell.settle(), control_io::rung;
    if (which != 258) return control_io::closed;
    if (std::chrono::steady_clock::now() >= limit) return control_io::late;
  }
}

/// A server whose pipes are all taken has another one in a moment.
inline void control_connection::connect(const std::string& path, control_time limit,
                                        std::error_code& ec) {
  constexpr unsigned long read_and_write = 0xc0000000, existing = 3, not_found = 2, denied = 5;
  constexpr unsigned long overlapped = 0x40000000, identify_me_only = 0x00100000 | 0x00010000;
  constexpr unsigned long busy = 231;
  const std::wstring name = pipe_name(path, ec);
  while (!ec) {
    adopt(CreateFileW(name.c_str(), read_and_write, 0, nullptr, existing,
                      overlapped | identify_me_only, nullptr));
    if (pipe_ != no_handle()) return;
    const unsigned long error = GetLastError();
    ec = last_error();
    if (error == not_found) ec = std::make_error_code(std::errc::no_such_file_or_directory);
    if (error == denied) ec = std::make_error_code(std::errc::permission_denied);
    if (error != busy || is_cut() || std::chrono::steady_clock::now() >= limit) return;
    WaitForSingleObject(bell_.handle(), 10);
    ec.clear();
  }
}

inline void control_connection::drop() noexcept {
  if (pipe_ == no_handle()) return;
  reading_.take_back();
  writing_.take_back();
  has_ahead_ = false;
  CloseHandle(std::exchange(pipe_, no_handle()));
}

inline control_io control_connection::wait(control_time limit) noexcept {
  if (is_cut()) return control_io::closed;
  if (has_ahead_) return control_io::done;
  const auto read_one = [this](_OVERLAPPED* o) { return ReadFile(pipe_, &ahead_, 1, nullptr, o); };
  if (!reading_.going_on() && !reading_.begin(pipe_, read_one)) return control_io::done;
  const control_io io = reading_.wait(bell_, limit);
  if (is_cut()) return control_io::closed;
  if (io == control_io::done) has_ahead_ = reading_.end() == 1;
  return io;
}

/// A ring is for whoever waits for news, and not lost to him: he looks for them before he waits.
inline control_io control_connection::await_end(pipe_operation& operation,
                                                control_time limit) noexcept {
  for (;;) {
    const control_io io = is_cut() ? control_io::closed : operation.wait(bell_, limit);
    if (io != control_io::rung) return io;
  }
}

template <class F>
control_io control_connection::all_of(std::size_t size, pipe_operation& operation,
                                      control_time limit, F start) noexcept {
  constexpr std::size_t most = std::size_t{1} << 20;
  for (std::size_t done = 0; done != size;) {
    const auto next = static_cast<unsigned long>(lesser(size - done, most));
    const auto some = [&](_OVERLAPPED* o) { return start(done, next, o); };
    if (is_cut() || !operation.begin(pipe_, some)) return control_io::closed;
    const control_io io = await_end(operation, limit);
    if (io != control_io::done) return operation.take_back(), io;
    const unsigned long moved = operation.end();
    if (moved == 0) return control_io::closed;
    done += moved;
  }
  return control_io::done;
}

inline control_io control_connection::read(void* to, std::size_t size,
                                           control_time limit) noexcept {
  char* at = static_cast<char*>(to);
  if (size == 0) return control_io::done;
  control_io io = reading_.going_on() ? control_io::rung : control_io::done;
  while (io == control_io::rung) io = wait(limit);
  if (io != control_io::done) return io;
  if (std::exchange(has_ahead_, false)) {
    *at++ = ahead_;
    --size;
  }
  const auto some = [&](std::size_t from, unsigned long count, _OVERLAPPED* o) {
    return ReadFile(pipe_, at + from, count, nullptr, o);
  };
  return all_of(size, reading_, limit, some);
}

inline control_io control_connection::write(const void* from, std::size_t size,
                                            control_time limit) noexcept {
  const char* const at = static_cast<const char*>(from);
  const auto some = [&](std::size_t done, unsigned long count, _OVERLAPPED* o) {
    return WriteFile(pipe_, at + done, count, nullptr, o);
  };
  return all_of(size, writing_, limit, some);
}

// ---- letting in

/// The first of a name has it; while one of ours is open nobody else can make the first.
inline void control_listener::open(const std::string& path, std::error_code& ec) {
  constexpr unsigned long first = 0x00080000, denied = 5, busy = 231;
  name_ = pipe_name(path, ec);
  if (!ec) make_security(security_, ec);
  if (ec) return;
  next_ = make_pipe(first);
  if (next_ != no_handle()) return;
  const unsigned long error = GetLastError();
  ec = last_error();
  if (error == denied || error == busy) ec = std::make_error_code(std::errc::address_in_use);
}

inline void* control_listener::make_pipe(unsigned long first) noexcept {
  constexpr unsigned long both_ways = 3, overlapped = 0x40000000, bytes_from_here_only = 8;
  constexpr unsigned long as_many_as_needed = 255, buffer = 1ul << 16;
  pipe_security security;
  security.descriptor = security_.at;
  return CreateNamedPipeW(name_.c_str(), both_ways | overlapped | first, bytes_from_here_only,
                          as_many_as_needed, buffer, buffer, 0,
                          reinterpret_cast<_SECURITY_ATTRIBUTES*>(&security));
}

/// False: somebody is connected already, or there is no pipe.
inline bool control_listener::begin() noexcept {
  if (connecting_.going_on()) return true;
  if (next_ == no_handle()) next_ = make_pipe(0);
  if (next_ == no_handle()) return false;
  const auto connect = [this](_OVERLAPPED* o) { return ConnectNamedPipe(next_, o); };
  return connecting_.begin(next_, connect);
}

/// The next pipe is there before this one is given away, so that the name stays taken.
inline control_io control_listener::accept(control_connection& into) noexcept {
  constexpr unsigned long connected = 535;
  if (begin()) {
    const control_io io = connecting_.wait(bell_, (control_time::max)());
    if (io != control_io::done) return io;
    connecting_.end();
  } else if (next_ == no_handle() || GetLastError() != connected) {
    WaitForSingleObject(bell_.handle(), next_ == no_handle() ? 100 : 0);
    if (next_ != no_handle()) CloseHandle(std::exchange(next_, make_pipe(0)));
    return control_io::late;
  }
  into.adopt(std::exchange(next_, make_pipe(0)));
  return control_io::done;
}

inline void control_listener::close() noexcept {
  connecting_.take_back();
  if (next_ != no_handle()) CloseHandle(std::exchange(next_, no_handle()));
}

}  // namespace detail
CURFEW_END

#endif
#endif
