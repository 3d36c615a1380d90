// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/posix/process_doctor.hpp>
#include <curfew/host/posix/run_program.hpp>

#include "doctest/doctest.h"

#if CURFEW_POSIX

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix_support.hpp"

namespace {

using namespace std::chrono_literals;
using curfew::run_program;

curfew::program_result sh(const std::string& script, curfew::program_options options = {}) {
  return run_program({"/bin/sh", "-c", script}, options);
}

bool has_no_children() { return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

bool finds(const curfew::findings& all, const std::string& what) {
  for (const auto& f : all) {
    if (f.what.find(what) != f.what.npos) return !f.fix.empty();
  }
  return false;
}

}  // namespace

TEST_CASE("a program gives its outputs and its exit code") {
  const auto r = sh("echo out; echo err >&2; exit 3");
  CHECK_FALSE(r.error);
  CHECK(r.in_time);
  CHECK(r.exit_code == 3);
  CHECK(r.output == "out\n");
  CHECK(r.errors == "err\n");
  CHECK_FALSE(r.ok());
  CHECK(sh("true").ok());
  CHECK(has_no_children());
}

TEST_CASE("arguments arrive as they are") {
  const auto r = run_program({"printf", "[%s]", "a b", "$HOME", "*", "", ";", "\"'\\"});
  CHECK(r.output == "[a b][$HOME][*][][;][\"'\\]");
}

TEST_CASE("a program that is not there is not started") {
  CHECK(run_program({"/nowhere/x"}).error == std::errc::no_such_file_or_directory);
  CHECK(run_program({"no-program-of-that-name"}).error == std::errc::no_such_file_or_directory);
  CHECK(run_program({"/dev/null"}).error == std::errc::permission_denied);
  CHECK(run_program({}).error);
  CHECK(run_program({"/nowhere/x"}).exit_code == -1);
  CHECK(has_no_children());
}

TEST_CASE("a program has the environment and what is added to it") {
  setenv("CURFEW_TEST_A", "old", 1);
  setenv("CURFEW_TEST_B", "kept", 1);
  const auto r = sh("echo $CURFEW_TEST_A $CURFEW_TEST_B", {.environment = {"CURFEW_TEST_A=new"}});
  CHECK(r.output == "new kept\n");
}

TEST_CASE("a program that a signal ends has its number") {
  CHECK(sh("kill -TERM $$").exit_code == 128 + SIGTERM);
}

TEST_CASE("a program that takes too long is killed with all that it has started") {
  const auto r = sh("echo begun; sleep 1000 & sleep 1000", {.limit = 100ms});
  CHECK_FALSE(r.in_time);
  CHECK_FALSE(r.ok());
  CHECK(r.exit_code == 128 + SIGKILL);
  CHECK(has_no_children());
}

TEST_CASE("what is left in the background is not waited for") {
  const auto r = sh("sleep 50 & echo $!");
  CHECK(r.ok());
  CHECK(kill(static_cast<pid_t>(std::atoi(r.output.c_str())), SIGKILL) == 0);
}

TEST_CASE("a program that closes its outputs is waited for") {
  CHECK(sh("exec >&- 2>&-; sleep 0.1; exit 4").exit_code == 4);
}

TEST_CASE("more output than may be kept is read and dropped") {
  const auto r = sh("head -c 300000 /dev/zero; echo end >&2", {.most = 1000});
  CHECK(r.ok());
  CHECK(r.output.size() == 1000);
  CHECK(r.errors == "end\n");
}

TEST_CASE("a program has nothing to read") { CHECK(sh("cat; exit 5").exit_code == 5); }

TEST_CASE("rule 33 - a program has default actions and an empty mask") {
  const test::disposition ignored(SIGUSR1, SIG_IGN);
  const test::disposition pipe(SIGPIPE, SIG_IGN);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto r = sh("grep -E '^Sig(Blk|Ign)' /proc/self/status; kill -USR1 $$; echo survived");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(r.exit_code == 128 + SIGUSR1);
  CHECK(r.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("a program has no descriptor but its three") {
  const int open_one = open("/dev/null", O_RDONLY);
  const int high = fcntl(open_one, F_DUPFD, 200);
  const auto r = sh("for f in /proc/self/fd/*; do test -e $f && echo ${f##*/}; done; true");
  CHECK(r.output == "0\n1\n2\n");
  close(open_one);
  close(high);
}

TEST_CASE("a process without standard descriptors can run programs") {
  const int result = test::in_child([] {
    for (const int fd : {0, 1, 2}) close(fd);
    const auto r = sh("echo out; echo err >&2");
    return r.ok() && r.output == "out\n" && r.errors == "err\n" ? 7 : 8;
  });
  CHECK(result == 7);
}

TEST_CASE("a process that ignores the end of its children loses only the exit code") {
  const test::disposition ignored(SIGCHLD, SIG_IGN);
  const auto r = sh("echo out");
  CHECK(r.output == "out\n");
  CHECK(r.exit_code == -1);
  CHECK_FALSE(r.ok());
  CHECK(r.errors.find("its exit code was lost (SIGCHLD is ignored") == 0);
  CHECK(finds(curfew::examine_process(), "SIGCHLD was ignored"));
}

TEST_CASE("a stop ends a program that is waited for") {
  curfew::stop_source source;
  std::thread stops([&source] { source.request_stop(); });
  const auto r = sh("sleep 1000", {.limit = 1h, .stop = source.get_token()});
  stops.join();
  CHECK(r.interrupted);
  CHECK(r.in_time);
  CHECK_FALSE(r.ok());
  CHECK(r.exit_code == 128 + SIGKILL);
  CHECK(has_no_children());
}

TEST_CASE("signals that interrupt the wait do not end it") {
  const test::disposition handled(SIGALRM, [](int) {});
  std::thread busy([self = pthread_self()] {
    for (int i = 0; i < 50; ++i) {
      pthread_kill(self, SIGALRM);
      usleep(2000);
    }
  });
  CHECK(sh("sleep 0.1; exit 6").exit_code == 6);
  busy.join();
}

TEST_CASE("many programs are run at once") {
  std::vector<std::thread> threads;
  std::vector<int> codes(8);
  for (int& code : codes) {
    threads.emplace_back([&code] { code = sh("echo x; exit 9").exit_code; });
  }
  for (auto& t : threads) t.join();
  CHECK(codes == std::vector<int>(8, 9));
}

TEST_CASE("the doctor finds signals that were ignored or blocked at the start") {
  {
    const test::plain defaults;
    const test::disposition hangup(SIGHUP, SIG_DFL);
    CHECK_FALSE(finds(curfew::examine_process(), "SIG"));
  }
  const test::disposition ignored(SIGTERM, SIG_IGN);
  CHECK(finds(curfew::examine_process(), "SIGTERM was ignored"));
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, SIGINT);
  pthread_sigmask(SIG_BLOCK, &one, &before);
  CHECK(finds(curfew::examine_process(), "SIGINT was blocked"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("the doctor finds a notify socket that nobody listens on") {
  unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(finds(curfew::examine_process(), "NOTIFY_SOCKET"));
  setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
  CHECK(finds(curfew::examine_process(), "NOTIFY_SOCKET is /nowhere/notify"));
  setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  CHECK(finds(curfew::examine_process(), "NOTIFY_SOCKET"));
  setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
  CHECK_FALSE(finds(curfew::examine_process(), "NOTIFY_SOCKET"));
  unsetenv("NOTIFY_SOCKET");
}

TEST_CASE("the doctor is content with a notify socket that is there") {
  char folder[] = "/tmp/curfew-notify-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/s";
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address = {};
  const socklen_t size = curfew::detail::socket_address(path, address);
  CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  CHECK_FALSE(finds(curfew::examine_process(), "NOTIFY_SOCKET"));
  unsetenv("NOTIFY_SOCKET");
  close(fd);
  unlink(path.c_str());
  rmdir(folder);
}

#else

TEST_CASE("programs are run so on POSIX systems alone") { CHECK(CURFEW_POSIX == 0); }

#endif
