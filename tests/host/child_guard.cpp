// SPDX-License-Identifier: BSL-1.0
//
// What a process that is started gets back.
#include <curfew/host/child_guard.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "doctest/doctest.h"

namespace {

const std::string programs = CURFEW_TEST_PROGRAM_DIR;

}  // namespace

#if CURFEW_POSIX

#include <curfew/host/signals.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <pthread.h>
#include <spawn.h>
#include <sys/stat.h>

#include "posix_support.hpp"
#include "support.hpp"

namespace {

using curfew::child_guard;
using curfew::inherited;

std::string child = programs + "/proc_child";

/// The signals that the calling thread blocks while a test runs.
class blocked {
 public:
  explicit blocked(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : signals) sigaddset(&set, s);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  blocked(const blocked&) = delete;
  blocked& operator=(const blocked&) = delete;
  ~blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

inherited nothing_special() {
  inherited i;
  sigemptyset(&i.mask);
  return i;
}

std::vector<std::string> read_lines(int fd) {
  std::string text;
  char bytes[4096];
  for (ssize_t n = 0; (n = read(fd, bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(n));
  close(fd);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  lines.resize((std::max)(lines.size(), std::size_t{3}));
  return lines;
}

/// What the program sees that is started by fork and exec.
std::vector<std::string> forked(const child_guard& guard) {
  int out[2] = {};
  REQUIRE(pipe(out) == 0);
  auto environment = guard.environment();
  char* argv[] = {child.data(), nullptr};
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    dup2(out[1], 1);
    guard.in_child();
    execve(argv[0], argv, environment.data());
    _exit(126);
  }
  close(out[1]);
  auto lines = read_lines(out[0]);
  CHECK(test::wait_for_end(pid) == 0);
  return lines;
}

/// The same by posix_spawn.
std::vector<std::string> spawned(const child_guard& guard) {
  int out[2] = {};
  REQUIRE(pipe(out) == 0);
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  CHECK_FALSE(guard.prepare(attributes));
  short flags = 0;
  posix_spawnattr_getflags(&attributes, &flags);
  CHECK(flags == (POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  child_guard::close_on_exec();
  auto environment = guard.environment();
  char* argv[] = {child.data(), nullptr};
  pid_t pid = 0;
  REQUIRE(posix_spawn(&pid, argv[0], &actions, &attributes, argv, environment.data()) == 0);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  auto lines = read_lines(out[0]);
  CHECK(test::wait_for_end(pid) == 0);
  return lines;
}

void leave(int) { _exit(77); }

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

bool names(const std::vector<char*>& environment, const std::string& name) {
  return std::any_of(environment.begin(), environment.end(), [&](const char* variable) {
    return variable != nullptr && std::string(variable).rfind(name + "=", 0) == 0;
  });
}

/// A variable for the time of a test.
class variable {
 public:
  variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("POSIX rule 33 - a child gets the mask that the process was started with") {
  const child_guard guard(nothing_special());
  const blocked some({SIGTERM, SIGUSR1});
  CHECK(forked(guard)[0] == "blocked");
  CHECK(spawned(guard)[0] == "blocked");
  const child_guard as_now;
  CHECK(forked(as_now)[0] == "blocked 10 15");
  CHECK(spawned(as_now)[0] == "blocked 10 15");
}

TEST_CASE("POSIX rule 33 - what the program ignores for itself the child does not ignore") {
  const test::plain plain;
  const inherited at_start = inherited::now();
  const test::disposition ours(SIGPIPE, SIG_IGN);
  const child_guard guard(at_start);
  CHECK(forked(guard)[1] == "ignored");
  CHECK(spawned(guard)[1] == "ignored");
  CHECK(forked(child_guard())[1] == "ignored 13");
  CHECK(spawned(child_guard())[1] == "ignored 13");
}

TEST_CASE("POSIX rule 33 - what was ignored at the start stays ignored for the child") {
  inherited at_start = nothing_special();
  at_start.ignored = {SIGHUP};
  const child_guard guard(at_start);
  {
    const test::disposition ignored(SIGHUP, SIG_IGN);
    CHECK(forked(guard)[1] == "ignored 1");
    CHECK(spawned(guard)[1] == "ignored 1");
  }
  const test::disposition caught(SIGHUP, leave);
  CHECK(forked(guard)[1] == "ignored 1");
  const test::disposition defaulted(SIGHUP, SIG_DFL);
  CHECK(forked(guard)[1] == "ignored 1");
}

TEST_CASE("pain 23 - a signal that waits in the child does not run a handler of the parent") {
  const test::disposition caught(SIGUSR1, leave);
  const child_guard guard(nothing_special());
  const int how = test::in_child([&] {
    const blocked one({SIGUSR1});
    raise(SIGUSR1);
    guard.in_child();
    return 5;
  });
  CHECK(how == 1000 + SIGUSR1);
}

TEST_CASE("POSIX rule 34 - a signal of the child does not reach the bridge of the parent") {
  const test::plain plain;
  curfew::stop_source stop;
  curfew::signal_bridge bridge(stop);
  const child_guard guard(nothing_special());
  const int how = test::in_child([&] {
    guard.in_child();
    raise(SIGTERM);
    return 5;
  });
  CHECK(how == 1000 + SIGTERM);
  CHECK_FALSE(stop.stop_requested());
}

TEST_CASE("POSIX rule 34 - no descriptor above stderr lives on in a program that is started") {
  const child_guard guard(nothing_special());
  const int kept = open("/dev/null", O_RDONLY);
  const int high = fcntl(kept, F_DUPFD, 200);
  REQUIRE(kept > 2);
  REQUIRE(high >= 200);
  CHECK(forked(guard)[2] == "open 0 1 2");
  CHECK(fcntl(kept, F_GETFD) == 0);
  CHECK(spawned(guard)[2] == "open 0 1 2");
  CHECK(fcntl(kept, F_GETFD) == FD_CLOEXEC);
  close(kept);
  close(high);
}

TEST_CASE("where the system marks no descriptors at once each one is marked") {
  const int answer = test::in_child([] {
    const int kept = open("/dev/null", O_RDONLY);
    curfew::detail::mark_each_descriptor();
    for (int fd = 0; fd < 3; ++fd) {
      if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0) return 1;
    }
    return fcntl(kept, F_GETFD) == FD_CLOEXEC ? 0 : 2;
  });
  CHECK(answer == 0);
}

TEST_CASE("a child made by vfork leaves the parent as it was") {
  const child_guard guard(nothing_special());
  const test::disposition ours(SIGUSR2, SIG_IGN);
  const blocked some({SIGUSR1});
  const int kept = open("/dev/null", O_RDONLY);
  char* argv[] = {child.data(), nullptr};
  const pid_t pid = vfork();
  if (pid == 0) {
    dup2(kept, 1);
    guard.in_child();
    execv(argv[0], argv);
    _exit(126);
  }
  CHECK(test::wait_for_end(pid) == 0);
  CHECK(test::has_action(SIGUSR2, SIG_IGN));
  CHECK(fcntl(kept, F_GETFD) == 0);
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGUSR1) == 1);
  close(kept);
}

#if CURFEW_LINUX

TEST_CASE("POSIX rule 36 - what systemd has told the service alone is not told its children") {
  const variable variables[] = {
      {"NOTIFY_SOCKET", "/run/x"}, {"WATCHDOG_USEC", "1"},    {"WATCHDOG_PID", "1"},
      {"LISTEN_FDS", "1"},         {"LISTEN_PID", "1"},       {"LISTEN_FDNAMES", "x"},
      {"NOTIFY_SOCKET_COPY", "x"}, {"WATCHDOG", "dog"},       {"LISTEN_PORT", "80"},
      {"CURFEW_TEST_EMPTY", ""},   {"JOURNAL_STREAM", "1:2"}, {"INVOCATION_ID", "1"}};
  const child_guard guard;
  const auto environment = guard.environment();
  CHECK(environment.back() == nullptr);
  for (const char* gone : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                           "LISTEN_PID", "LISTEN_FDNAMES", "JOURNAL_STREAM"}) {
    CAPTURE(gone);
    CHECK_FALSE(names(environment, gone));
  }
  for (const char* there : {"NOTIFY_SOCKET_COPY", "WATCHDOG", "LISTEN_PORT", "CURFEW_TEST_EMPTY",
                            "INVOCATION_ID", "PATH"}) {
    CAPTURE(there);
    CHECK(names(environment, there));
  }
  const auto seen = forked(guard);
  CHECK(has(seen, "LISTEN_PORT=80"));
  CHECK_FALSE(has(seen, "NOTIFY_SOCKET=/run/x"));
}

TEST_CASE("POSIX rule 42 - a child whose stderr is the journal is told so") {
  int ends[2] = {};
  REQUIRE(pipe(ends) == 0);
  struct stat s = {};
  fstat(ends[1], &s);
  const variable stream("JOURNAL_STREAM",
                        std::to_string(s.st_dev) + ":" + std::to_string(s.st_ino));
  const int answer = test::in_child([&] {
    const child_guard guard;
    const int errors = dup(2);
    dup2(ends[1], 2);
    const bool with_stderr = names(guard.environment(), "JOURNAL_STREAM");
    dup2(errors, 2);
    dup2(ends[1], 1);
    const bool with_stdout = names(guard.environment(), "JOURNAL_STREAM");
    dup2(errors, 1);
    return with_stderr && with_stdout && !names(guard.environment(), "JOURNAL_STREAM") ? 0 : 1;
  });
  CHECK(answer == 0);
  close(ends[0]);
  close(ends[1]);
}

#endif

#else

#include <windows.h>
#include <winternl.h>

namespace {

using curfew::child_guard;

/// A child of the guard's, whose output is read.
class started {
 public:
  started(child_guard& guard, const std::string& mode) {
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, nullptr, TRUE};
    HANDLE writing = nullptr;
    REQUIRE(CreatePipe(&reading_, &writing, &inheritable, 0));
    SetHandleInformation(reading_, HANDLE_FLAG_INHERIT, 0);
    std::string command = "\"" + programs + "/proc_child.exe\" " + mode;
    STARTUPINFOA start = {};
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdOutput = writing;
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    const DWORD flags = child_guard::creation_flags() | CREATE_SUSPENDED;
    REQUIRE(CreateProcessA(nullptr, command.data(), nullptr, nullptr, TRUE, flags, nullptr, nullptr,
                           &start, &info_));
    CloseHandle(writing);
    std::error_code ec;
    CHECK(guard.adopt(info_.hProcess, ec));
    CHECK_FALSE(ec);
    ResumeThread(info_.hThread);
  }
  started(const started&) = delete;
  started& operator=(const started&) = delete;
  ~started() {
    TerminateProcess(info_.hProcess, 1);
    CloseHandle(info_.hProcess);
    CloseHandle(info_.hThread);
    CloseHandle(reading_);
  }

  /// The process id that it or its child says.
  DWORD said() const {
    char text[32] = {};
    DWORD n = 0;
    ReadFile(reading_, text, sizeof text - 1, &n, nullptr);
    return static_cast<DWORD>(std::strtoul(text, nullptr, 10));
  }
  [[nodiscard]] HANDLE process() const { return info_.hProcess; }
  [[nodiscard]] DWORD pid() const { return info_.dwProcessId; }

 private:
  HANDLE reading_ = nullptr;
  PROCESS_INFORMATION info_ = {};
};

bool ends(HANDLE process) { return WaitForSingleObject(process, 60'000) == WAIT_OBJECT_0; }
bool runs(HANDLE process) { return WaitForSingleObject(process, 0) == WAIT_TIMEOUT; }

/// What SetConsoleCtrlHandler(NULL, TRUE) sets, and what children inherit.
bool ignores_ctrl_c() {
  const auto* parameters = NtCurrentTeb()->ProcessEnvironmentBlock->ProcessParameters;
  return (reinterpret_cast<std::uintptr_t>(parameters->Reserved2[1]) & 1) != 0;
}

}  // namespace

TEST_CASE("pain 16 - children have a process group of their own") {
  CHECK(child_guard::creation_flags() == CREATE_NEW_PROCESS_GROUP);
}

TEST_CASE("pain 16 - children and their children end with the guard") {
  std::error_code ec;
  auto guard = std::make_unique<child_guard>(ec);
  REQUIRE_FALSE(ec);
  const started one(*guard, "hold");
  const started other(*guard, "hold_another");
  CHECK(one.said() == one.pid());
  const HANDLE grandchild = OpenProcess(SYNCHRONIZE, FALSE, other.said());
  REQUIRE(grandchild != nullptr);
  CHECK(runs(one.process()));
  CHECK(runs(other.process()));
  CHECK(runs(grandchild));
  guard.reset();
  CHECK(ends(one.process()));
  CHECK(ends(other.process()));
  CHECK(ends(grandchild));
  CloseHandle(grandchild);
}

TEST_CASE("console rule 29 - a stop is aimed at a child of this guard and at nobody else") {
  child_guard guard;
  child_guard stranger;
  const started child(guard, "hold");
  CHECK(child.said() == child.pid());
  std::error_code ec;
  CHECK_FALSE(guard.stop(0, ec));
  CHECK(ec == std::errc::no_such_process);
  CHECK_FALSE(guard.stop(GetCurrentProcessId(), ec));
  CHECK(ec == std::errc::no_such_process);
  CHECK_FALSE(stranger.stop(child.pid(), ec));
  CHECK(ec == std::errc::no_such_process);
}

/// Wine knows no Ctrl-Break, and without a console no system does: then it is an error.
TEST_CASE("console rule 28 - a stop leaves alone who ignores Ctrl-C") {
  child_guard guard;
  const started child(guard, "hold");
  CHECK(child.said() == child.pid());
  const bool before = ignores_ctrl_c();
  std::error_code ec;
  if (guard.stop(child.pid(), ec)) {
    CHECK(ends(child.process()));
  } else {
    CHECK(ec.category() == std::system_category());
    CHECK(runs(child.process()));
  }
  CHECK(ignores_ctrl_c() == before);
}

TEST_CASE("a handle that is none is an error") {
  child_guard guard;
  std::error_code ec;
  CHECK_FALSE(guard.adopt(nullptr, ec));
  CHECK(ec);
}

#endif
