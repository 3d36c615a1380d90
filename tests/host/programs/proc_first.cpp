// SPDX-License-Identifier: BSL-1.0
//
// A program that may be process 1 of a container. It says whether it is, and how much time it has.
//   stop   makes the bridge first, then starts slowly, until a line of input has come; returns 5 on
//          the stop
//   reap   the same, and says how many children it has reaped, one of which is an orphan
//   leave  the same without reaping; says that the orphan is still in the table
#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/container.hpp>
#include <curfew/host/reaper.hpp>
#include <curfew/host/signals.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

template <class F>
void await(F condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

/// A child that ends at once and leaves one behind, which ends when it has lost its parent.
pid_t make_orphan() {
  int tell[2] = {};
  if (pipe(tell) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    const pid_t parent = getpid();
    const pid_t orphan = fork();
    if (orphan == 0) await([parent] { return getppid() != parent; });
    if (orphan != 0 && write(tell[1], &orphan, sizeof orphan) != sizeof orphan) _exit(1);
    _exit(0);
  }
  pid_t orphan = -1;
  if (read(tell[0], &orphan, sizeof orphan) != sizeof orphan) return -1;
  return orphan;
}

bool has_ended(pid_t pid) {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

void run_children(const std::string& mode, std::atomic<std::size_t>& reaped) {
  if (mode == "stop") return;
  const pid_t orphan = make_orphan();
  if (mode == "reap") {
    await([&] { return reaped == 2; });
    say("reaped 2, the orphan is " + std::string(kill(orphan, 0) == 0 ? "there" : "gone"));
  } else {
    await([&] { return has_ended(orphan); });
    say("the orphan is there");
  }
}

int run(const std::string& mode) {
  std::atomic<std::size_t> reaped{0};
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop);
  if (mode == "reap") bridge.on(SIGCHLD, [&] { reaped += curfew::detail::reap_children(); });
  const auto grace = curfew::grace_from_environment();
  const bool limited = grace != (curfew::time_source::duration::max)();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(grace).count();
  say(std::string(curfew::is_process_one() ? "process 1, " : "not process 1, ") +
      (limited ? std::to_string(seconds) + " s" : "no limit"));
  run_children(mode, reaped);
  say("starting");
  std::getchar();
  say("ready");
  await([&] { return stop.stop_requested(); });
  say(to_string(stop.get_token().reason()));
  return 5;
}

}  // namespace

int main(int argc, char** argv) { return run(argc > 1 ? argv[1] : ""); }

#else

int main() { return 2; }

#endif
