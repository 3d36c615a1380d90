// SPDX-License-Identifier: BSL-1.0
//
// A program for tests to send signals to. It says "ready", then what happens, a line each.
//   stop     waits for the stop, then for the hurry, then for ever
//   main     returns 5 on the stop, after its destructors
//   busy     the same as stop, while every thread of the bridge that runs user code is blocked
//   ignore   asks for HUP too; says which of HUP, INT and TERM the system ignores
//   fork     forks a child that waits for the signals that the parent passes on
// Windows only; the console event is simulated by a call of the handler:
//   close N  main never returns: the process ends with 9 after N ms
//   unsaid N the same without an outcome told
//   leave    main returns 5 on the close
//   logoff N, service N   event LOGOFF, outside and inside of a service
#include <curfew/host/signals.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#if CURFEW_POSIX
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

/// Tests do not wait between signals.
constexpr curfew::signal_options each_counts{.same_press = {}};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

struct says_goodbye {
  ~says_goodbye() { say("destructor"); }
};

std::string tell(const curfew::stop_reason& r) {
  return std::to_string(static_cast<int>(r.cause)) + " " + std::to_string(r.code) + " " +
         std::to_string(r.pid) + " " + std::to_string(r.uid);
}

/// Not one long wait: the thread sanitizer delivers signals only when its functions are called.
void await(const curfew::stop_token& token) {
  while (!token.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

[[noreturn]] void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

[[noreturn]] void follow(const curfew::stop_token& stop, const curfew::stop_token& hurry) {
  say("ready");
  await(stop);
  say("stop " + tell(stop.reason()));
  await(hurry);
  say("hurry " + tell(hurry.reason()));
  sleep_for_ever();
}

int run_main() {
  const says_goodbye goodbye;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, each_counts);
  say("ready");
  await(stop.get_token());
  return 5;
}

void run_stop() {
  const says_goodbye goodbye;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, each_counts);
  follow(stop.get_token(), bridge.hurry());
}

void run_busy() {
  const says_goodbye goodbye;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, each_counts);
  curfew::stop_callback first(stop.get_token(), sleep_for_ever);
  curfew::stop_callback second(bridge.hurry(), sleep_for_ever);
#if CURFEW_POSIX
  std::atomic<bool> busy{false};
  bridge.on(SIGHUP, [&] {
    busy = true;
    sleep_for_ever();
  });
  raise(SIGHUP);
  while (!busy) std::this_thread::sleep_for(std::chrono::milliseconds(1));
#endif
  follow(stop.get_token(), bridge.hurry());
}

#if CURFEW_POSIX

void run_ignore() {
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, {.stop_on = {SIGHUP, SIGINT, SIGTERM}, .same_press = {}});
  std::string ignored = "ignored";
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) ignored += " " + std::to_string(signal);
  }
  say(ignored);
  follow(stop.get_token(), bridge.hurry());
}

/// The child has no bridge of its own, so TERM ends it; the parent goes on.
void run_fork() {
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, each_counts);
  const pid_t child = fork();
  if (child == 0) sleep_for_ever();
  say("child " + std::to_string(child));
  int status = 0;
  waitpid(child, &status, 0);
  say("ended by " + std::to_string(WTERMSIG(status)));
  say(stop.stop_requested() ? "stopped" : "not stopped");
  follow(stop.get_token(), bridge.hurry());
}

int run_system(const std::string& mode, int) {
  if (mode == "ignore") run_ignore();
  if (mode == "fork") run_fork();
  return 2;
}

#else

void simulate(unsigned long event, long limit_ms) {
  curfew::detail::desk.usable_ms = limit_ms;
  std::thread([event] {
    say("handler " + std::to_string(curfew::detail::on_console_event(event)));
  }).detach();
}

int run_console(unsigned long event, int limit_ms, const curfew::signal_options& options) {
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, options);
  if (limit_ms != 0) simulate(event, limit_ms);
  await(stop.get_token());
  say("stop " + tell(stop.get_token().reason()));
  sleep_for_ever();
}

int run_leave() {
  const says_goodbye goodbye;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, each_counts);
  simulate(2, 100'000);
  await(stop.get_token());
  return 5;
}

int run_service(int limit_ms) {
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop, {.in_service = true});
  simulate(5, limit_ms);
  std::this_thread::sleep_for(std::chrono::milliseconds(3 * limit_ms));
  say(stop.stop_requested() ? "stopped" : "not stopped");
  return 6;
}

int run_system(const std::string& mode, int limit_ms) {
  if (mode == "close") return run_console(2, limit_ms, {.unfinished = 9});
  if (mode == "unsaid") return run_console(2, limit_ms, {});
  if (mode == "logoff") return run_console(5, limit_ms, {.unfinished = 9});
  if (mode == "leave") return run_leave();
  if (mode == "service") return run_service(limit_ms);
  return 2;
}

#endif

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "stop") run_stop();
  if (mode == "main") return run_main();
  if (mode == "busy") run_busy();
  return run_system(mode, argc > 2 ? std::atoi(argv[2]) : 0);
}
