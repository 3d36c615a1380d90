// SPDX-License-Identifier: BSL-1.0
//
// A service under a host that a test plays: the SCM of Windows, systemd, or a console, on a clock
// that stands still until it is advanced. Every path of a service's life in milliseconds, on any
// system, without an operating system's service.
#ifndef CURFEW_TESTING_HOST_IN_A_BOX_HPP
#define CURFEW_TESTING_HOST_IN_A_BOX_HPP

#include <curfew/service/run.hpp>
#include <curfew/testing/detail/box_host.hpp>
#include <curfew/testing/detail/box_record.hpp>
#include <curfew/testing/detail/scripted_signals.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// Runs a program's main as run() would, on a thread of the box:
///
///     curfew::host_in_a_box box(curfew::host_kind::scm);
///     box.start({.name = "web", .stop_timeout = 10s}, serve);
///     CHECK(box.await_ready());
///     box.scm_stop();
///     box.advance(5s);
///     CHECK(box.await_end() == 0);
///
/// Time stands still but for advance(): a timeout happens when the test says so, and never else.
/// What the box is asked has begun when the call returns: after scm_stop() or signal() the stop has
/// been noticed, and the time for stopping counts from there. (One exception: hang_up() of a
/// program with on_reload(); see await_stopping().) What the program does about it is waited for
/// with the await functions, which give up when the run is over, and look at the real clock only to
/// give up after 30 s.
///
/// A process that would be ended by force, or by a third signal, is not: await_end() tells the exit
/// code, main runs on until it returns, and what is told then is not heard. The destructor asks it
/// to stop and to hurry, and waits for that. Standard error, the real signals and the working
/// directory are left alone, and boxes may stand side by side.
///
/// Thread safety: one thread at a time, which is not the program's.
class host_in_a_box {
 public:
  using duration = time_source::duration;
  using status = detail::scm_status;
  using state = detail::scm_state;

  explicit host_in_a_box(host_kind kind = host_kind::console) : kind_(kind) {}
  host_in_a_box(const host_in_a_box&) = delete;
  host_in_a_box& operator=(const host_in_a_box&) = delete;
  ~host_in_a_box();

  /// Once in a box. On return main has been called, or the run is over.
  template <class Main>
  void start(service_spec spec, Main main, std::vector<std::string> args = {});

  // ---- time

  [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
  template <class Rep, class Period>
  void advance(std::chrono::duration<Rep, Period> d) {
    clock_.advance(d);
  }

  // ---- what people and systems do

  /// from_pid 0: a process outside of this container. from_uid -1: the system itself.
  void signal(int number, std::int64_t from_pid = 4711, std::int64_t from_uid = 0);
  /// The terminal is closed: SIGHUP, from the system.
  void hang_up() { signal(detail::hangup, 0, -1); }
  /// Events of a Windows console, on any system. A service is not asked by the last two.
  void console_ctrl_c() { signal(SIGINT, 0, -1); }
  void console_break() { signal(detail::console_break_signal, 0, -1); }
  void console_close() { console_event(detail::console_close_event); }
  void console_logoff() { console_event(detail::console_logoff_event); }
  void console_shutdown() { console_event(detail::console_shutdown_event); }

  /// As ControlService or the system does; the answer is the handler's. 0: done; 120: not
  /// implemented; 1061: not now.
  std::uint32_t scm_control(std::uint32_t code, std::uint32_t event_type = 0,
                            const void* event_data = nullptr);
  std::uint32_t scm_stop() { return scm_control(detail::scm_control::stop); }
  std::uint32_t scm_shutdown() { return scm_control(detail::scm_control::shutdown); }
  std::uint32_t scm_preshutdown() { return scm_control(detail::scm_control::preshutdown); }
  std::uint32_t scm_pause() { return scm_control(detail::scm_control::pause); }
  std::uint32_t scm_continue() { return scm_control(detail::scm_control::resume); }
  std::uint32_t scm_interrogate() { return scm_control(detail::scm_control::interrogate); }
  std::uint32_t scm_param_change() { return scm_control(detail::scm_control::param_change); }
  std::uint32_t scm_user(std::uint32_t code) { return scm_control(code); }
  std::uint32_t scm_power(std::uint32_t type, const void* data = nullptr) {
    return scm_control(detail::scm_control::power_event, type, data);
  }
  std::uint32_t scm_session(std::uint32_t type, const void* data = nullptr) {
    return scm_control(detail::scm_control::session_change, type, data);
  }

  // ---- what the program did

  [[nodiscard]] bool await_ready() {
    return record_.await([](const auto& c) { return c.ready; });
  }
  /// A stop has begun, and the time for it counts.
  [[nodiscard]] bool await_stopping() {
    return record_.await([](const auto& c) { return c.stopping; });
  }
  /// The exit code; empty: it has not ended.
  [[nodiscard]] std::optional<int> await_end();
  /// Until the SCM has been told so often that this is the state.
  [[nodiscard]] bool await_status(state wanted, int times = 1);
  /// Until systemd has been told so many datagrams with that line: "READY=1".
  [[nodiscard]] bool await_datagram(std::string_view line, int times = 1);
  /// Until so many lines for people contain that.
  [[nodiscard]] bool await_line(std::string_view part, int times = 1);

  /// All that has been told until now.
  [[nodiscard]] std::vector<status> statuses() const { return record_.read().statuses; }
  [[nodiscard]] std::vector<std::string> datagrams() const { return record_.read().datagrams; }
  [[nodiscard]] std::vector<std::string> lines() const { return record_.read().lines; }
  [[nodiscard]] bool ended() const { return record_.read().over(); }

 private:
  using contents = detail::box_record::contents;

  void console_event(int event);
  void run(const detail::program& p);
  void enter(service& s);
  void leave();
  template <class F>
  void with_state(F f);
  void await_stop();
  [[nodiscard]] stop_token next_stop();
  template <class List, class Predicate>
  [[nodiscard]] bool await_in(List contents::*list, int times, Predicate is);

  const host_kind kind_;
  manual_clock clock_;
  manual_clock still_;  // in a box nothing hangs in the system
  detail::box_record record_;
  detail::scripted_signals signals_;
  service_spec spec_;
  std::vector<std::string> words_;
  std::vector<char*> args_;
  std::optional<detail::box_host> host_;
  std::mutex reach_;                    // of state_
  detail::run_state* state_ = nullptr;  // from the call of main until the run is over
  std::thread thread_;
};

// ---------------------------------------------------------------------------------------------

template <class Main>
void host_in_a_box::start(service_spec spec, Main main, std::vector<std::string> args) {
  spec_ = std::move(spec);
  words_ = std::move(args);
  words_.insert(words_.begin(), spec_.name);
  for (std::string& word : words_) args_.push_back(word.data());
  host_.emplace(kind_, spec_, clock_, record_, [this] { leave(); });
  thread_ = std::thread([this, main = std::move(main)]() mutable {
    auto called = [&](service& self) {
      enter(self);
      return main(self);
    };
    run(detail::program(spec_, called));
  });
  static_cast<void>(record_.await([](const auto& c) { return c.entered; }));
}

/// As the host does it: the outcome is told when nothing of the run is left.
inline void host_in_a_box::run(const detail::program& p) {
  const detail::hosted place{*host_, args_, &record_};
  const outcome o = detail::run_access::run(p, {place, record_, clock_, still_, &signals_});
  host_->stopped(o);
  record_.change([&](auto& c) { c.returned = exit_code(o); });
}

inline void host_in_a_box::enter(service& s) {
  {
    const std::lock_guard lock(reach_);
    state_ = &detail::run_access::state(s);
  }
  record_.change([](auto& c) { c.entered = true; });
}

inline void host_in_a_box::leave() {
  const std::lock_guard lock(reach_);
  state_ = nullptr;
}

template <class F>
void host_in_a_box::with_state(F f) {
  const std::lock_guard lock(reach_);
  if (state_ != nullptr) f(*state_);
}

/// The stop is noticed here and now, so that the test's clock cannot run ahead of it.
inline void host_in_a_box::await_stop() {
  stop_token stop;
  with_state([&](detail::run_state& s) { stop = s.root.get_token(); });
  if (!stop.wait()) return;
  with_state([](detail::run_state& s) { s.noticed(); });
}

/// What stops next, of a run that stops already; else empty.
inline stop_token host_in_a_box::next_stop() {
  stop_token hurry;
  with_state([&](detail::run_state& s) {
    if (s.root.stop_requested()) hurry = s.hurry.get_token();
  });
  return hurry;
}

inline void host_in_a_box::signal(int number, std::int64_t from_pid, std::int64_t from_uid) {
  using detail::signal_inbox;
  const stop_token hurry = next_stop();
  const auto way = signals_.inbox().route_of(number);
  const bool first = way == detail::route::first_press && !hurry.stop_possible();
  const bool presses = way == detail::route::press || first;
  const stop_reason reason{stop_cause::signal, number, from_pid, from_uid};
  const auto answer = signals_.inbox().arrived(reason, detail::any_time);
  if (answer == signal_inbox::answer::end) record_.end(128 + number);
  if (!presses || answer != signal_inbox::answer::noted) return;
  await_stop();
  static_cast<void>(hurry.wait());
}

/// During a stop it leaves less time than there was, and that is to be known as well.
inline void host_in_a_box::console_event(int event) {
  const stop_token hurry = next_stop();
  if (!signals_.console_event(event)) return;
  await_stop();
  if (hurry.wait()) with_state([](detail::run_state& s) { s.limit(); });
}

inline std::uint32_t host_in_a_box::scm_control(std::uint32_t code, std::uint32_t event_type,
                                                const void* event_data) {
  namespace control = detail::scm_control;
  detail::scm_host* const scm = host_ ? host_->scm() : nullptr;
  if (scm == nullptr) return detail::scm_answer::not_implemented;
  const std::uint32_t answer = scm->control(code, event_type, event_data);
  const bool ends =
      code == control::stop || code == control::shutdown || code == control::preshutdown;
  if (ends && answer == detail::scm_answer::done) await_stop();
  return answer;
}

inline std::optional<int> host_in_a_box::await_end() {
  static_cast<void>(record_.await([](const auto& c) { return c.over(); }));
  const auto c = record_.read();
  return c.ended ? c.ended : c.returned;
}

template <class List, class Predicate>
bool host_in_a_box::await_in(List contents::*list, int times, Predicate is) {
  return record_.await([&](const contents& c) {
    return std::count_if((c.*list).begin(), (c.*list).end(), is) >= times;
  });
}

inline bool host_in_a_box::await_status(state wanted, int times) {
  return await_in(&contents::statuses, times, [&](const status& s) { return s.state == wanted; });
}

inline bool host_in_a_box::await_datagram(std::string_view line, int times) {
  const std::string wanted = "\n" + std::string(line) + "\n";
  return await_in(&contents::datagrams, times, [&](const std::string& d) {
    return ("\n" + d + "\n").find(wanted) != std::string::npos;
  });
}

inline bool host_in_a_box::await_line(std::string_view part, int times) {
  return await_in(&contents::lines, times,
                  [&](const std::string& l) { return l.find(part) != std::string::npos; });
}

inline host_in_a_box::~host_in_a_box() {
  if (!thread_.joinable()) return;
  with_state([](detail::run_state& s) {
    s.bridge->request_stop({stop_cause::requested});
    s.bridge->request_stop({stop_cause::requested});
  });
  thread_.join();
}

CURFEW_END

#endif
