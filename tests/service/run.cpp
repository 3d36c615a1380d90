// SPDX-License-Identifier: BSL-1.0
//
// Real processes and real signals; what Windows does is tested by run.py.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if !CURFEW_POSIX

TEST_CASE("processes with POSIX signals do not exist on this system") {
  CHECK(CURFEW_WINDOWS == 1);
}

#else

#include "child.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::vector<std::string> subject(const char* behaviour, const char* argument = nullptr) {
  std::vector<std::string> words = {CURFEW_TEST_PROGRAM_DIR "/service_subject", behaviour};
  if (argument != nullptr) words.emplace_back(argument);
  return words;
}

/// Starts it, waits until it is ready, sends the signal, and gives the exit code.
int stop(child& c, int signal = SIGTERM) {
  CHECK(c.says("ready"));
  c.send(signal);
  return c.end();
}

#if defined(__SANITIZE_THREAD__)
constexpr bool under_thread_sanitizer = true;
#elif defined(__has_feature)
constexpr bool under_thread_sanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool under_thread_sanitizer = false;
#endif

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::string from_me() { return " from pid " + std::to_string(getpid()); }

}  // namespace

TEST_CASE("a service that obeys ends with 0 and one line that says who asked") {
  child c(subject("obey"));
  CHECK(stop(c) == 0);
  CHECK(c.err.starts_with("subject: stopped: signal SIGTERM" + from_me()));
  CHECK(c.err.find('\n') == c.err.size() - 1);
}

TEST_CASE("an interrupt is told as what it was") {
  child c(subject("obey"));
  CHECK(stop(c, SIGINT) == 0);
  CHECK(has(c.err, "stopped: signal SIGINT"));
}

TEST_CASE("a main that returns by itself says nothing and ends with 0") {
  child c(subject("finish", "0"));
  CHECK(c.end() == 0);
  CHECK(c.err.empty());
}

TEST_CASE("what main returns is passed on") {
  child finished(subject("finish", "3"));
  CHECK(finished.end() == 3);
  CHECK(finished.err.empty());
  child stopped(subject("obey_with_result", "3"));
  CHECK(stop(stopped) == 3);
  CHECK(has(stopped.err, "subject: failed: signal SIGTERM"));
  CHECK(has(stopped.err, "exit code 3"));
}

TEST_CASE("a result of which the system would make a zero is a failure all the same") {
  child c(subject("finish", "256"));
  CHECK(c.end() == 70);
}

TEST_CASE("a stop that the program asked for itself is clean") {
  child c(subject("ask_itself"));
  CHECK(c.end() == 0);
  CHECK(has(c.err, "stopped: requested"));
}

TEST_CASE("a stop that was asked for because of a fault is a failure") {
  child c(subject("ask_itself_because_of_a_fault"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, "subject: failed: fault"));
}

TEST_CASE("resources are released after main has returned newest first") {
  child c(subject("tell_order"));
  CHECK(stop(c) == 0);
  CHECK(has(c.out, "main returns\nsecond released\nfirst released\n"));
}

TEST_CASE("what main left running is stopped when main returns") {
  child c(subject("stop_what_main_left_running"));
  CHECK(c.end() == 0);
  CHECK(c.err.empty());
}

TEST_CASE("main gets the arguments as they came") {
  child c(subject("tell_arguments", "--help"));
  CHECK(c.end() == 0);
  CHECK(has(c.out, "/service_subject\ntell_arguments\n--help\n"));
}

TEST_CASE("one run after another is allowed") {
  child c(subject("finish_twice", "0"));
  CHECK(c.end() == 0);
}

TEST_CASE("a run inside a run is refused with a message and a failure") {
  child c(subject("run_inside"));
  CHECK(stop(c) == 0);
  CHECK(has(c.out, "inner gave 70"));
  CHECK_FALSE(has(c.out, "never"));
  CHECK(has(c.err, "inner: cannot start: this process already has a run()"));
}

TEST_CASE("a run after another is stopped by a signal like the first") {
  child c(subject("finish_and_obey", "0"));
  CHECK(stop(c) == 0);
  CHECK(has(c.err, "subject: stopped: signal SIGTERM"));
}

TEST_CASE("a signal that comes after the run does not undo what was told") {
  child finished(subject("hurried_main", "raise"));
  CHECK(finished.says("ready"));
  finished.send(SIGTERM);
  CHECK(finished.says("stopping"));
  finished.send(SIGTERM);
  CHECK(finished.end() == 143);  // the third
  child stopped(subject("obey", "raise"));
  CHECK(stop(stopped) == 0);
  CHECK(has(stopped.err, "subject: stopped: signal SIGTERM"));
}

TEST_CASE("main may fork a child that ends at once") {
  child c(subject("fork_child"));
  CHECK(stop(c) == 0);
}

TEST_CASE("a call of exit in main is obeyed") {
  child c(subject("leave_by_exit"));
  CHECK(c.end() == 5);
  CHECK(c.err.empty());
}

TEST_CASE("a call of exit that loses resources is told and is a failure") {
  child c(subject("leave_by_exit_with_resources"));
  CHECK(c.end() == 70);
  CHECK(c.err ==
        "subject: exit() was called before all was released, and releases nothing; return from "
        "main\n");
  CHECK(c.out == "not flushed");
}

TEST_CASE("a call of exit out of a release is told and is a failure") {
  child c(subject("leave_by_exit_out_of_a_release"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, "subject: exit() was called"));
}

TEST_CASE("a forced end is no success whatever the reason of the stop holds") {
  child c(subject("ask_itself_oddly"));
  CHECK(c.end() == 124);
}

#if CURFEW_EXCEPTIONS

TEST_CASE("leaving main by the exception of the stop is a clean end") {
  child c(subject("leave_by_exception"));
  CHECK(stop(c) == 0);
  CHECK(has(c.err, "subject: stopped: signal SIGTERM"));
}

TEST_CASE("leaving main by the exception of another stop is a failure") {
  child c(subject("fail_by_a_stop_of_its_own"));
  CHECK(stop(c) == 70);
}

TEST_CASE("a main that throws is a failure and what it said is told") {
  child c(subject("fail"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, "subject: main: failed"));
  CHECK(has(c.err, ": the disk is full\n"));
  CHECK(has(c.err, "subject: failed: fault"));
  CHECK(has(c.err, "exit code 70\n"));
}

TEST_CASE("a main that throws something odd is a failure") {
  child c(subject("fail_oddly"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, "an exception of an unknown type"));
}

TEST_CASE("a main that throws while it stops is a failure with the reason of the stop") {
  child c(subject("fail_while_stopping"));
  CHECK(stop(c) == 70);
  CHECK(has(c.err, "the disk is full"));
  CHECK(has(c.err, "subject: failed: signal SIGTERM"));
}

TEST_CASE("a release that throws is a failure and is told in one line and the others go on") {
  child c(subject("fail_to_release"));
  CHECK(stop(c) == 70);
  CHECK(has(c.out, "last released"));
  CHECK(has(c.err, "subject: db-pool: failed"));
  CHECK(has(c.err, "service_subject.cpp:"));
  CHECK(has(c.err, ": the disk  is full\n"));
}

TEST_CASE("of many failures the worst are told and the others counted") {
  child c(subject("fail_to_release_twenty"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, ": its data is lost\n"));
  CHECK(has(c.err, "subject: 8 more failed or were late\n"));
}

TEST_CASE("an exception that has no text is a failure like others and the rest is released") {
  child c(subject("fail_silently"));
  CHECK(c.end() == 70);
  CHECK(has(c.out, "released"));
  CHECK(has(c.err, "subject: main: failed"));
  CHECK(has(c.err, "an exception that says nothing"));
  child task(subject("fail_silently_in_a_task"));
  CHECK(task.end() == 0);
  CHECK(has(task.err, "an exception that says nothing"));
}

#endif

TEST_CASE("a late release is named while it is late and makes the run a failure") {
  child c(subject("late"));
  CHECK(c.says("ready"));
  c.send(SIGTERM);
  CHECK(c.complains("subject: db-pool: late, "));
  CHECK_FALSE(has(c.err, "exit code"));
  c.send(SIGTERM);
  CHECK(c.end() == 70);
  CHECK(has(c.err, " of 50 ms, registered at "));
  CHECK(has(c.err, "subject: late: signal SIGTERM"));
}

TEST_CASE("a second signal hurries what is being released") {
  child c(subject("hurried_release"));
  CHECK(c.says("ready"));
  c.send(SIGTERM);
  CHECK(c.says("draining"));
  c.send(SIGINT);
  CHECK(c.end() == 0);
  CHECK(has(c.out, "signal SIGINT"));
}

TEST_CASE("when main has returned by itself the first signal hurries") {
  child c(subject("hurried_release_after_finish"));
  CHECK(c.says("draining"));
  c.send(SIGINT);
  CHECK(c.end() == 0);
  CHECK(has(c.out, "hurried by a signal"));
}

TEST_CASE("a second signal hurries main") {
  child c(subject("hurried_main"));
  CHECK(c.says("ready"));
  c.send(SIGTERM);
  CHECK(c.says("stopping"));
  c.send(SIGTERM);
  CHECK(c.end() == 0);
}

TEST_CASE("a third signal ends the process at once") {
  child c(subject("stuck_main_without_limit"));
  CHECK(c.says("ready"));
  for (const int signal : {SIGTERM, SIGINT, SIGINT}) c.send(signal);
  CHECK(c.end() == 130);
}

TEST_CASE("when the time is nearly spent what is left is hurried") {
  child c(subject("hurried_release_by_time"));
  CHECK(stop(c) == 0);
  CHECK(has(c.out, "deadline"));
}

TEST_CASE("a main that is stuck is ended when the time is spent with the code of the signal") {
  child c(subject("stuck_main"));
  CHECK(stop(c) == 143);
  CHECK(has(c.err, "subject: main: still open after "));
  CHECK(has(c.err, " of 700 ms\n"));
  CHECK(has(c.err, "subject: forced to end: signal SIGTERM" + from_me()));
  CHECK(has(c.err, "exit code 143\n"));
  CHECK(has(c.out, "not flushed"));
  CHECK_FALSE(has(c.out, "never"));
}

TEST_CASE("no time for stopping means the end at once") {
  child c(subject("no_time"));
  CHECK(stop(c) == 143);
}

TEST_CASE("a release that is stuck is named with its place and those behind it are counted") {
  child c(subject("stuck_release"));
  CHECK(stop(c, SIGINT) == 130);
  CHECK(has(c.err, "subject: db-pool: still open after "));
  CHECK(has(c.err, "registered at "));
  CHECK(has(c.err, "service_subject.cpp:"));
  CHECK(has(c.err, "subject: 2 more not released\n"));
  CHECK_FALSE(has(c.err, "quick"));
}

TEST_CASE(
    "a stuck release after main has returned by itself is a forced end with a code of its own") {
  child c(subject("stuck_release_after_finish"));
  CHECK(c.end() == 124);
  CHECK(has(c.err, "subject: forced to end, "));
  CHECK(has(c.err, ", exit code 124\n"));
}

TEST_CASE("a stuck stop callback is named when nothing else is open") {
  child c(subject("stuck_callback"));
  CHECK(stop(c) == 143);
  CHECK(has(c.err, "subject: stop callbacks: still open after "));
}

TEST_CASE("a signal function that hangs is named and its signal is not the end of the run") {
  child c(subject("stuck_reload"));
  CHECK(c.says("ready"));
  c.send(SIGUSR1);
  CHECK(c.says("reloading"));
  c.send(SIGTERM);
  CHECK(c.end() == 143);
  CHECK(has(c.err, "subject: signal functions: still open after "));
}

TEST_CASE("a signal function is waited for before what it uses is released and no other begins") {
  child c(subject("slow_reload", "tell"));
  CHECK(c.says("ready"));
  c.send(SIGUSR1);
  CHECK(c.says("reloading"));
  c.send(SIGTERM);
  CHECK(c.end() == 0);
  CHECK(has(c.out, "reloading\nreloaded\ndb-pool released\nrun returned\n"));
}

TEST_CASE("a callback on the hurry that hangs is named whoever hurried") {
  child by_signal(subject("stuck_hurry"));
  CHECK(by_signal.says("ready"));
  by_signal.send(SIGTERM);
  CHECK(by_signal.says("stopping"));
  by_signal.send(SIGTERM);
  CHECK(by_signal.end() == 143);
  CHECK(has(by_signal.err, "subject: hurry callbacks: still open after "));
  child by_time(subject("stuck_hurry"));
  CHECK(stop(by_time) == 143);
  CHECK(has(by_time.err, "subject: hurry callbacks: still open after "));
}

// The thread sanitizer takes the locks of stdio itself, in its _exit.
TEST_CASE("the end is forced in time although the locks of stdio are held" *
          doctest::skip(under_thread_sanitizer)) {
  child c(subject("stuck_with_stderr_locked"));
  CHECK(stop(c) == 143);
  CHECK(has(c.err, "subject: main: still open"));
}

// The thread sanitizer tells of the thread that such an end leaves, to the stderr nobody reads.
TEST_CASE("the end is forced although nobody reads what is told" *
          doctest::skip(under_thread_sanitizer)) {
  child c(subject("stuck_main"), child::errors::unread);
  CHECK(stop(c) == 143);
}

TEST_CASE("a clean end stays clean and run returns although nobody reads what is told") {
  child c(subject("obey", "tell"), child::errors::unread);
  CHECK(stop(c) == 0);
  CHECK(has(c.out, "run returned"));
}

TEST_CASE("a run that is refused returns although nobody reads why") {
  child c(subject("run_inside"), child::errors::unread);
  CHECK(stop(c) == 0);
  CHECK(has(c.out, "inner gave 70"));
}

TEST_CASE("a clean end stays clean although nobody is left to be told") {
  child c(subject("obey"), child::errors::hung_up);
  CHECK(stop(c) == 0);
}

TEST_CASE("an exit on another thread is told and is a failure") {
  child c(subject("leave_by_exit_on_another_thread"));
  CHECK(c.end() == 70);
  CHECK(has(c.err, "subject: exit() was called before all was released"));
}

TEST_CASE("a fault that is told after the stop is a failure all the same") {
  child stopping(subject("fault_while_stopping"));
  CHECK(stop(stopping) == 70);
  child released(subject("fault_while_released"));
  CHECK(stop(released) == 70);
  child left(subject("fault_and_exit"));
  CHECK(left.end() == 70);
}

TEST_CASE("a signal during a stop leaves no more time than its sender grants") {
  ::setenv("CURFEW_GRACE_SECONDS", "1", 1);
  child c(subject("ask_itself_and_hang"));
  ::unsetenv("CURFEW_GRACE_SECONDS");
  CHECK(stop(c) == 124);
}

TEST_CASE("nothing gets the number of a closed stderr") {
  char path[] = "/tmp/curfew-stderr-XXXXXX";
  close(mkstemp(path));
  child c(subject("open_without_stderr", path), child::errors::closed);
  CHECK(stop(c) == 0);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}).empty());
  std::remove(path);
}

#endif
