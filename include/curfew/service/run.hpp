// SPDX-License-Identifier: BSL-1.0
//
// A whole program that starts cleanly, stops on time, and says how it ended.
#ifndef CURFEW_SERVICE_RUN_HPP
#define CURFEW_SERVICE_RUN_HPP

#include <curfew/host/host_kind.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/release/resource_stack.hpp>
#include <curfew/service/detail/foreground.hpp>
#include <curfew/stop/stop_token.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>

CURFEW_BEGIN

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

  /// What main was started for works now. For whoever started the program and waits for that; in
  /// the foreground, which is all there is so far, nobody does.
  void ready() noexcept {}

  /// What is being done just now, while it moves: shown beside what is still closing.
  void progress(std::string_view what) noexcept { state_.progress(what); }

  /// Always `console`, so far.
  [[nodiscard]] host_kind host() const noexcept { return host_kind::console; }
  [[nodiscard]] const service_spec& spec() const noexcept { return state_.spec; }

  /// argc and argv as they came, the program's own name first.
  [[nodiscard]] std::span<char* const> args() const noexcept { return state_.args; }

  /// For signals that mean something else than a stop: bridge().on(SIGHUP, reload). When main has
  /// returned, and before anything is released, what runs is waited for and none runs any more.
  [[nodiscard]] signal_bridge& bridge() noexcept { return *state_.bridge; }

 private:
  template <class Main>
  friend int run(const service_spec&, int, char**, Main);
  service(const service_spec& spec, std::span<char* const> args) : state_(spec, args) {}

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
/// Ctrl-C, SIGTERM, SIGINT or a console event stop s.token(); a second signal stops s.hurry(); a
/// third ends the process at once. When main returns by itself that is the stop, and one signal
/// hurries. Signals within a fifth of a second count as one. Main is expected to return when asked,
/// and the resources are released. All of that has spec.stop_timeout from the moment of the stop,
/// or less where the system leaves less. When it is spent, whatever hangs, what is still open is
/// named on stderr and the process ends without running destructors.
///
/// The exit code says what happened: see host/outcome.hpp. An exception out of main is told on
/// stderr and is a failure, except for the stopped_error of this very stop.
///
/// On stderr, a terminal sees how the stop goes; anything else gets a line at the end of a stop
/// that was asked for, and a line for each part that is late, fails or has to be left open; of many
/// the worst twelve, and how many more. A stderr that nobody reads is given up after half a second.
///
/// One run, or one signal_bridge, at a time in a process: another is refused, with a message and
/// the exit code of a failure. main runs on the calling thread. A child that main makes by fork has
/// no part in the run, and leaves by exec or _exit.
///
/// exit() out of main releases nothing. Where main has put something on the resource stack, or out
/// of a release, it is told on stderr and ends the process as a failure, whatever its argument, and
/// without destructors of statics. Called on another thread it is what it always is.
///
/// The signals stay caught when run() has returned, so that one that comes late gives the program
/// no other end than what was told: they are counted, and no more than the third ends the process.
/// Another run or bridge takes them over.
template <class Main>
int run(const service_spec& spec, int argc, char** argv, Main main);

// ---------------------------------------------------------------------------------------------

namespace detail {

template <class Main>
int call_main(Main& main, service& s) {
  using result = std::invoke_result_t<Main&, service&>;
  static_assert(std::is_void_v<result> || std::is_same_v<result, int>,
                "curfew::run: main must return int or nothing");
  if constexpr (std::is_void_v<result>) {
    std::invoke(main, s);
    return 0;
  } else {
    return std::invoke(main, s);
  }
}

}  // namespace detail

template <class Main>
int run(const service_spec& spec, int argc, char** argv, Main main) {
  static_assert(std::is_invocable_v<Main&, service&>,
                "curfew::run: main must be callable as main(curfew::service&)");
  const std::size_t count = argv != nullptr && argc > 0 ? static_cast<std::size_t>(argc) : 0;
  return detail::run_or_refuse([&] {
    service self(spec, {argv, count});
    auto call = [&] { return detail::call_main(main, self); };
    return detail::run_foreground(self.state_, detail::main_call(call));
  });
}

CURFEW_END

#endif
