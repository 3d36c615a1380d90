// SPDX-License-Identifier: BSL-1.0
//
// A whole program that starts cleanly, stops on time, and says how it ended.
#ifndef CURFEW_SERVICE_RUN_HPP
#define CURFEW_SERVICE_RUN_HPP

#include <curfew/host/child_guard.hpp>
#include <curfew/host/detail/find_host.hpp>
#include <curfew/host/host_event.hpp>
#include <curfew/host/host_kind.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/host/standard_streams.hpp>
#include <curfew/host/working_directory.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/detail/one_run.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {
struct run_access;
}

/// What a program's main gets from run(): why and when to stop, and where to put what must be given
/// back. It lives until main has returned and everything has been released.
///
/// Thread safety: resources() belongs to main's thread, everything else may be called from any.
class service {
 public:
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Stops when somebody asks the program to, and at the latest when main returns.
  [[nodiscard]] stop_token token() const noexcept { return state_.root.get_token(); }

  /// Stops at the second signal, and when nine tenths of the time for stopping are spent (or all
  /// but one second of it, whichever is later): cut short what can be cut.
  [[nodiscard]] stop_token hurry() const noexcept { return state_.hurry.get_token(); }

  /// Asks for a stop from inside, just as a signal does from outside; a signal that comes then is
  /// the second one. The cause `fault` makes the run a failure, however cleanly it ends.
  bool request_stop(stop_reason reason = {}) noexcept { return state_.request_stop(reason); }

  /// Released when main has returned, newest first, whether it returned or threw.
  [[nodiscard]] resource_stack& resources() noexcept { return state_.resources; }

  /// What main was started for works now. Whoever started the program and waits for that is told:
  /// systemd (READY=1), the service manager of Windows (RUNNING). Under these a program that is not
  /// ready within spec.start_timeout has failed. A supervisor as s6 or dinit is told by the pipe
  /// that CURFEW_READY_FD names (host/posix/ready_descriptor.hpp). In the foreground nobody waits.
  void ready() noexcept { state_.ready(); }

  /// Work has moved on, and will have again before `need` is over. Shown beside what is still
  /// closing, and told to the host, which waits longer while a start or a stop makes progress; but
  /// the time for stopping stays spec.stop_timeout. Each call is a message to the host: call it
  /// when there is something to say.
  void progress(std::string_view what, detail::saturated need = std::chrono::seconds(10)) noexcept {
    state_.progress(what, need);
  }

  /// The work that spec.watchdog watches is alive. To be called from that work itself, at least
  /// every half of the watchdog's time; told to the host no more often than it needs.
  void heartbeat() noexcept { state_.host.alive(); }

  /// Functions for what the host asks beside a stop. They run one after the other, on a thread of
  /// their own, until main has returned; what they use must live as long. To be called before
  /// ready(). An exception out of one is told as its failure, and the service goes on. Throws
  /// system_error when there is no thread.
  ///
  /// f(): SIGHUP, `systemctl reload`, a changed parameter of a Windows service. A hang-up of the
  /// terminal is a stop all the same.
  template <class F>
  void on_reload(F f) {
    on(host_event::reload, [f = std::move(f)](int) mutable { f(); });
  }
  /// Both as f(): a Windows service can be paused and continued.
  template <class Pause, class Resume>
  void on_pause(Pause pause, Resume resume) {
    on(host_event::pause, [f = std::move(pause)](int) mutable { f(); });
    on(host_event::resume, [f = std::move(resume)](int) mutable { f(); });
  }
  /// f(int code): what is sent to a Windows service by its users, 128 to 255.
  template <class F>
  void on_user_code(F f) {
    on(host_event::user, std::move(f));
  }
  /// std::uint32_t f(const system_event&): power and session changes of Windows. It runs on the
  /// system's own thread, which waits for the answer; so it must return at once, throw nothing, and
  /// wait for nothing. 0 grants.
  template <class F>
  void on_system_event(F f) {
    state_.on_system(detail::event_desk::system_function::of(std::move(f)));
  }

  /// Where lines for people go: the terminal, the journal, the event log.
  [[nodiscard]] message_sink& log() noexcept { return state_; }

  /// What the process was given by whoever started it, for a child_guard.
  [[nodiscard]] const inherited& given() const noexcept { return state_.given; }

  /// Who started the program: a person or a script, systemd, the service manager of Windows.
  [[nodiscard]] host_kind host() const noexcept { return state_.host.kind(); }
  /// What only systemd has: sockets passed on, stored descriptors. Null under any other host.
  [[nodiscard]] systemd_link* systemd() const noexcept { return state_.setting.place.systemd; }
  /// As it was given to run().
  [[nodiscard]] const service_spec& spec() const noexcept { return state_.spec; }

  /// argc and argv as they came, the program's own name first. Under the service manager of Windows
  /// the arguments of that start stand behind those of the installed command line.
  [[nodiscard]] std::span<char* const> args() const noexcept { return state_.setting.place.args; }

  /// For signals that mean something else than a stop: bridge().on(SIGHUP, reload). When main has
  /// returned, and before anything is released, what runs is waited for and none runs any more.
  [[nodiscard]] signal_bridge& bridge() noexcept { return *state_.bridge; }

 private:
  friend struct detail::run_access;
  service(const service_spec& spec, const detail::run_setting& where) : state_(spec, where) {}

  template <class F>
  void on(host_event what, F f) {
    state_.on(what, detail::event_desk::function::of(std::move(f)));
  }

  detail::run_state state_;
};

/// Runs `void main(service&)` or `int main(service&)` until it is done, and returns the exit code:
///
///     void serve(curfew::service& s) {
///       auto& pool = s.resources().emplace<connection_pool>("pool", 16);
///       answer_requests(pool, s.token());
///     }
///
///     int main(int argc, char** argv) {
///       return curfew::run({.name = "web", .stop_timeout = 10s}, argc, argv, serve);
///     }
///
/// Who started the program is found out by trying: the service manager of Windows, systemd, or
/// neither. Call it first thing in main, before there are other threads: the service manager waits
/// half a minute, what systemd has left in the environment is taken out, standard streams that do
/// not exist are opened, and spec.working_directory becomes the whole process's.
///
/// Ctrl-C, SIGTERM, SIGINT, the hang-up of a terminal, a console event or a control of the service
/// manager stop s.token(); a second signal stops s.hurry(); a third ends the process at once. When
/// main returns by itself that is the stop, and one signal hurries. Signals within 5 ms count as
/// one. Main is expected to return when asked, and the resources are released. All of that has
/// spec.stop_timeout from the moment of the stop, or less where the system leaves less. When it is
/// spent, whatever hangs, what is still open is named on stderr and the process ends without
/// running destructors.
///
/// The exit code says what happened: see host/outcome.hpp. An exception out of main is told on
/// stderr and is a failure, except for the stopped_error of this very stop.
///
/// What is told goes to stderr, or to the journal or the event log where one of them listens. A
/// terminal sees how the stop goes; anything else gets a line at the end of a stop
/// that was asked for, and a line for each part that is late, fails or has to be left open; of many
/// the worst twelve, and how many more. A stderr that nobody reads is given up after half a second.
///
/// One run, or one signal_bridge, at a time in a process: another is refused, with a message and
/// the exit code of a failure. main runs on the calling thread, but as a service of Windows on one
/// that the system makes for it. A child that main makes by fork has no part in the run, and leaves
/// by exec or _exit.
///
/// exit() out of main releases nothing. Where main has put something on the resource stack, or out
/// of a release, it is told on stderr and ends the process as a failure, whatever its argument, and
/// without destructors of statics. So does one on any other thread while the run lasts.
///
/// The signals stay caught when run() has returned, so that one that comes late gives the program
/// no other end than what was told: they are counted, and no more than the third ends the process.
/// Another run or bridge takes them over, and knows nothing of one that came in between. Under
/// systemd and the service manager of Windows the run is the service: when it is over the process
/// has to end.
template <class Main>
int run(const service_spec& spec, int argc, char** argv, Main main);

/// The same in the foreground, whoever started the program: no host is looked for.
template <class Main>
int run_in_foreground(const service_spec& spec, int argc, char** argv, Main main);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// A program: what is declared of it, and its main, whatever that is made of.
class program {
 public:
  template <class Main>
  program(const service_spec& s, Main& main) noexcept
      : spec(s),
        main_(&main),
        call_([](void* f, service& self) -> int { return invoke(*static_cast<Main*>(f), self); }) {}

  int operator()(service& self) const { return call_(main_, self); }

  const service_spec& spec;

 private:
  template <class Main>
  static int invoke(Main& main, service& self) {
    using result = decltype(main(self));
    static_assert(std::is_void_v<result> || std::is_same_v<result, int>,
                  "curfew::run: main must return int or nothing");
    if constexpr (std::is_void_v<result>) {
      main(self);
      return 0;
    } else {
      return main(self);
    }
  }

  void* main_;
  int (*call_)(void*, service&);
};

/// Runs a program where it is told to, once.
struct run_access {
  static outcome run(const program& p, const run_setting& where) noexcept {
    outcome o{.kind = outcome_kind::failed};
    const std::exception_ptr error = attempt([&] {
      service self(p.spec, where);
      auto call = [&] { return p(self); };
      o = run_once(self.state_, main_call(call));
    });
    if (error != nullptr) tell_refusal(p.spec, where.place.sink, error_text(error).view());
    return o;
  }

  static run_state& state(service& s) noexcept { return s.state_; }

  static void tell_refusal(const service_spec& spec, message_sink* sink,
                           std::string_view why) noexcept {
    terminal screen(sink);
    fixed_text<480> line(spec.name);
    line.append(spec.name.empty() ? "" : ": ").append("cannot start: ").append(why);
    screen.write(severity::error, line.view());
    if (sink == nullptr) screen.write("\n");
  }
};

/// In the process as it is, which a run changes in one thing: where it works.
inline outcome run_hosted(void* context, const hosted& place) noexcept {
  const program& p = *static_cast<const program*>(context);
  process_end end;
  std::error_code ec;
  const std::exception_ptr error =
      attempt([&] { enter_working_directory(p.spec.working_directory, place.host.kind(), ec); });
  if (error == nullptr && !ec) return run_access::run(p, {place, end});
  const error_note why = error != nullptr ? error_text(error) : error_note(ec.message());
  run_access::tell_refusal(p.spec, place.sink,
                           no_directory(p.spec.working_directory) + ": " + why.str());
  return {.kind = outcome_kind::failed, .error = error_number(ec)};
}

template <class Main>
int launch(const service_spec& spec, int argc, char** argv, Main& main, bool foreground) {
  static_assert(std::is_invocable_v<Main&, service&>,
                "curfew::run: main must be callable as main(curfew::service&)");
  fill_standard_streams();
  const std::size_t count = argv != nullptr && argc > 0 ? static_cast<std::size_t>(argc) : 0;
  program p(spec, main);
  int code = exit_code_failed;
  const auto find_and_run = [&] {
    code = with_host(spec, {argv, count}, foreground, &run_hosted, &p);
  };
  const std::exception_ptr error = attempt(find_and_run);
  if (error != nullptr) run_access::tell_refusal(spec, nullptr, error_text(error).view());
  return code;
}

}  // namespace detail

template <class Main>
int run(const service_spec& spec, int argc, char** argv, Main main) {
  return detail::launch(spec, argc, argv, main, false);
}

template <class Main>
int run_in_foreground(const service_spec& spec, int argc, char** argv, Main main) {
  return detail::launch(spec, argc, argv, main, true);
}

CURFEW_END

#endif
