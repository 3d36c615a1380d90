// SPDX-License-Identifier: BSL-1.0
//
// A service that behaves as its first argument says. It prints "ready" when signals may come.
#include <curfew/service/run.hpp>
#include <curfew/stop/task_group.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#if CURFEW_POSIX
#include <fcntl.h>
#include <unistd.h>
#else
#include <curfew/host/windows/console_handler.hpp>
#endif

using namespace std::chrono_literals;
using curfew::service;

namespace {

const char* argument = "";
char buffer[256];

[[noreturn]] void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(1h);
}

void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

void wait_for_stop(service& s) {
  s.ready();
  say("ready");
  s.token().wait();
}

// --- clean -----------------------------------------------------------------------------------

void obey(service& s) { wait_for_stop(s); }
int obey_with_result(service& s) {
  wait_for_stop(s);
  return std::atoi(argument);
}
int finish(service&) { return std::atoi(argument); }
void ask_itself(service& s) {
  std::thread other([&s] { s.request_stop(); });
  s.token().wait();
  other.join();
}
void ask_itself_because_of_a_fault(service& s) { s.request_stop({curfew::stop_cause::fault}); }
void fault_while_stopping(service& s) {
  wait_for_stop(s);
  s.request_stop({curfew::stop_cause::fault});
}
void fault_while_released(service& s) {
  s.resources().defer("db-pool", [&s] { s.request_stop({curfew::stop_cause::fault}); });
  wait_for_stop(s);
}
void fault_and_exit(service& s) {
  s.request_stop({curfew::stop_cause::fault});
  std::exit(0);
}
void ask_itself_and_hang(service& s) {
  s.request_stop();
  say("ready");
  sleep_for_ever();
}
void leave_by_exception(service& s) {
  wait_for_stop(s);
  if (CURFEW_EXCEPTIONS) s.token().throw_if_stopped();
}
void tell_order(service& s) {
  s.resources().defer("first", [] { say("first released"); });
  s.resources().defer("second", [] { say("second released"); });
  wait_for_stop(s);
  say("main returns");
}
void tell_arguments(service& s) {
  for (const char* a : s.args()) say(a);
}
void stop_what_main_left_running(service& s) {
  auto& worker = s.resources().emplace<std::thread>("thread", [t = s.token()] { t.wait(); });
  s.resources().defer("worker", [&worker] { worker.join(); });
}

// --- slow --------------------------------------------------------------------------------------

void slow(service& s) {
  s.resources().defer("cache", [] {});
  s.resources().defer("db-pool", [&s] {
    s.progress("3 connections left");
    std::this_thread::sleep_for(900ms);
  });
  wait_for_stop(s);
  s.progress("14 requests left");
  std::this_thread::sleep_for(600ms);
}
void hurried_release(service& s) {
  s.resources().defer("drain", [](curfew::stop_token hurry) {
    say("draining");
    hurry.wait();
    say(to_string(hurry.reason().cause == curfew::stop_cause::deadline
                      ? curfew::stop_reason{curfew::stop_cause::deadline}
                      : curfew::stop_reason{curfew::stop_cause::signal, hurry.reason().code})
            .c_str());
  });
  wait_for_stop(s);
}
void hurried_release_after_finish(service& s) {
  s.resources().defer("drain", [](curfew::stop_token hurry) {
    say("draining");
    hurry.wait();
    say(hurry.reason().cause == curfew::stop_cause::signal ? "hurried by a signal" : "by time");
  });
}
void hurried_main(service& s) {
  wait_for_stop(s);
  say("stopping");
  s.hurry().wait();
}

// --- failing -----------------------------------------------------------------------------------

#if CURFEW_EXCEPTIONS
void fail(service&) { throw std::runtime_error("the disk is full"); }
void fail_oddly(service&) { throw 42; }
void fail_while_stopping(service& s) {
  wait_for_stop(s);
  throw std::runtime_error("the disk is full");
}
void fail_by_a_stop_of_its_own(service& s) {
  curfew::stop_source own;
  own.request_stop();
  wait_for_stop(s);
  own.get_token().throw_if_stopped();
}
void fail_to_release(service& s) {
  s.resources().defer("last", [] { say("last released"); });
  s.resources().defer("db-pool", [] { throw std::runtime_error("the\ndisk\x1b is full"); });
  wait_for_stop(s);
}
void fail_to_release_twenty(service& s) {
  for (int i = 0; i != 20; ++i) {
    s.resources().defer("part", [] { throw std::runtime_error("its data is lost"); });
  }
}
struct silent_error : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};
void fail_silently(service& s) {
  s.resources().defer("db-pool", [] { say("released"); });
  throw silent_error();
}
void fail_silently_in_a_task(service&) {
  curfew::task_group tasks;
  tasks.spawn([] { throw silent_error(); });
}
#endif
void run_inside(service& s) {
  const int code = curfew::run({.name = "inner"}, 0, nullptr, [](service&) { say("never"); });
  std::snprintf(buffer, sizeof buffer, "inner gave %d", code);
  say(buffer);
  wait_for_stop(s);
}

// --- stuck -------------------------------------------------------------------------------------

void stuck_main(service& s) {
  s.resources().defer("never reached", [] { say("never"); });
  std::fputs("kept in a buffer", stdout);
  s.ready();
  say("");
  say("ready");
  std::fputs("not flushed", stdout);
  sleep_for_ever();
}
void stuck_release(service& s) {
  s.resources().defer("one", [] {});
  s.resources().defer("two", [] {});
  s.resources().defer("db-pool", [] { sleep_for_ever(); });
  s.resources().defer("quick", [] {});
  wait_for_stop(s);
}
void stuck_release_after_finish(service& s) {
  s.resources().defer("db-pool", [] { sleep_for_ever(); });
}
void stuck_callback(service& s) {
  // Never destroyed: a destructor would wait for it, and main would be what hangs.
  static auto* callback = new curfew::stop_callback(s.token(), [] { sleep_for_ever(); });
  static_cast<void>(callback);
  wait_for_stop(s);
}
/// Never destroyed, for the same reason.
void stuck_hurry(service& s) {
  static auto* callback = new curfew::stop_callback(s.hurry(), [] { sleep_for_ever(); });
  static_cast<void>(callback);
  hurried_main(s);
}
void stuck_with_stderr_locked(service& s) {
#if CURFEW_POSIX
  flockfile(stderr);
#endif
  s.ready();
  say("ready");
  sleep_for_ever();
}
void leave_by_exit(service&) { std::exit(5); }
void leave_by_exit_with_resources(service& s) {
  s.resources().defer("db-pool", [] { say("never"); });
  std::fputs("not flushed", stdout);
  std::exit(0);
}
void leave_by_exit_on_another_thread(service& s) {
  s.resources().defer("db-pool", [] { say("db-pool released"); });
  std::thread([] { std::exit(0); }).detach();
  sleep_for_ever();
}
void leave_by_exit_out_of_a_release(service& s) {
  s.resources().defer("db-pool", [] { std::exit(0); });
}
void ask_itself_oddly(service& s) {
  s.request_stop({curfew::stop_cause::signal, 128});
  sleep_for_ever();
}

#if CURFEW_POSIX
/// Descriptor 2 was closed before the run.
void open_without_stderr(service& s) {
  if (::open(argument, O_CREAT | O_TRUNC | O_WRONLY, 0600) == STDERR_FILENO) std::abort();
  wait_for_stop(s);
}
/// Late until a second signal comes.
void late(service& s) {
  const auto release = [t = s.hurry()] { t.wait(); };
  s.resources().defer("db-pool", release, {.timeout = 50ms});
  wait_for_stop(s);
}
void stuck_reload(service& s) {
  s.bridge().on(SIGUSR1, [] {
    say("reloading");
    sleep_for_ever();
  });
  wait_for_stop(s);
}
/// Longer than any time in which a run that is decided is watched.
void slow_reload(service& s) {
  s.bridge().on(SIGUSR1, [] {
    say("reloading");
    std::this_thread::sleep_for(2500ms);
    say("reloaded");
  });
  s.resources().defer("db-pool", [&s] {
    say("db-pool released");
    std::error_code ec;
    s.bridge().on(
        SIGUSR2, [] { say("never"); }, ec);
    ::raise(SIGUSR1);
    if (!ec) say("never");
  });
  wait_for_stop(s);
}
/// Tells of its end in a file, since its terminal goes before it does.
void reload_at_a_terminal(service& s) {
  s.on_reload([] { say("reloaded"); });
  s.resources().defer("note", [&s] {
    std::FILE* const file = std::fopen(argument, "w");
    if (file == nullptr) std::abort();
    std::fputs(curfew::to_string(s.token().reason()).c_str(), file);
    std::fclose(file);
  });
  wait_for_stop(s);
}
void fork_child(service& s) {
  if (::fork() == 0) ::_exit(3);
  wait_for_stop(s);
}
#else
/// The console is closed: there is no way to do that from outside, so its handler is called.
void close_console(service&) {
  std::thread([] { curfew::detail::on_console_event(2); }).detach();
  sleep_for_ever();
}
void close_console_while_stopping(service& s) {
  s.request_stop();
  close_console(s);
}
#endif

struct behaviour {
  std::string_view name;
  void (*main)(service&);
  std::chrono::milliseconds stop_timeout = 30s;
};

const behaviour behaviours[] = {
    {"obey", obey},
    {"ask_itself", ask_itself},
    {"ask_itself_because_of_a_fault", ask_itself_because_of_a_fault},
    {"fault_while_stopping", fault_while_stopping},
    {"fault_while_released", fault_while_released},
    {"fault_and_exit", fault_and_exit},
    {"ask_itself_and_hang", ask_itself_and_hang},
    {"leave_by_exception", leave_by_exception},
    {"tell_order", tell_order},
    {"tell_arguments", tell_arguments},
    {"stop_what_main_left_running", stop_what_main_left_running},
    {"slow", slow},
    {"hurried_release", hurried_release},
    {"hurried_release_by_time", hurried_release, 3s},
    {"hurried_release_after_finish", hurried_release_after_finish},
    {"hurried_main", hurried_main},
#if CURFEW_EXCEPTIONS
    {"fail", fail},
    {"fail_oddly", fail_oddly},
    {"fail_while_stopping", fail_while_stopping},
    {"fail_by_a_stop_of_its_own", fail_by_a_stop_of_its_own},
    {"fail_to_release", fail_to_release},
    {"fail_to_release_twenty", fail_to_release_twenty},
    {"fail_silently", fail_silently},
    {"fail_silently_in_a_task", fail_silently_in_a_task},
#endif
    {"run_inside", run_inside},
    {"stuck_main", stuck_main, 700ms},
    {"stuck_main_without_limit", stuck_main, std::chrono::milliseconds::max()},
    {"no_time", stuck_main, 0ms},
    {"stuck_release", stuck_release, 700ms},
    {"stuck_release_after_finish", stuck_release_after_finish, 300ms},
    {"stuck_callback", stuck_callback, 500ms},
    {"stuck_hurry", stuck_hurry, 2s},
    {"stuck_with_stderr_locked", stuck_with_stderr_locked, 300ms},
    {"leave_by_exit", leave_by_exit},
    {"leave_by_exit_with_resources", leave_by_exit_with_resources},
    {"leave_by_exit_on_another_thread", leave_by_exit_on_another_thread},
    {"leave_by_exit_out_of_a_release", leave_by_exit_out_of_a_release},
    {"ask_itself_oddly", ask_itself_oddly, 200ms},
#if CURFEW_POSIX
    {"open_without_stderr", open_without_stderr},
    {"stuck_reload", stuck_reload, 700ms},
    {"slow_reload", slow_reload},
    {"fork_child", fork_child},
    {"reload_at_a_terminal", reload_at_a_terminal},
    {"late", late},
#else
    {"close_console", close_console},
    {"close_console_while_stopping", close_console_while_stopping},
#endif
};

int run_with_result(int argc, char** argv, int (*main)(service&)) {
  return curfew::run({.name = "subject"}, argc, argv, main);
}

int after_the_run(int code) {
  if (std::string_view(argument) == "tell") say("run returned");
#if CURFEW_POSIX
  if (std::string_view(argument) == "raise") {
    std::this_thread::sleep_for(300ms);  // not the same press as the one before
    ::raise(SIGTERM);
  }
#endif
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (argc > 2) argument = argv[2];
  if (name == "finish") return run_with_result(argc, argv, finish);
  if (name == "obey_with_result") return run_with_result(argc, argv, obey_with_result);
  if (name == "finish_twice" && run_with_result(argc, argv, finish) != 0) return 1;
  if (name == "finish_twice") return run_with_result(argc, argv, finish);
  if (name == "finish_and_obey" && run_with_result(argc, argv, finish) != 0) return 1;
  if (name == "finish_and_obey") return run_with_result(argc, argv, obey_with_result);
  for (const behaviour& b : behaviours) {
    if (b.name != name) continue;
    const curfew::service_spec spec{.name = "subject", .stop_timeout = b.stop_timeout};
    return after_the_run(curfew::run(spec, argc, argv, b.main));
  }
  std::fputs("no such behaviour\n", stderr);
  return 2;
}
