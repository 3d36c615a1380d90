// SPDX-License-Identifier: BSL-1.0
//
// Child processes for the tests of the host floor on POSIX systems.
#ifndef CURFEW_TESTS_HOST_POSIX_SUPPORT_HPP
#define CURFEW_TESTS_HOST_POSIX_SUPPORT_HPP

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

/// Gives a signal the action `how` for the time of a test.
class disposition {
 public:
  disposition(int signal, void (*how)(int)) : signal_(signal) {
    struct sigaction action = {};
    action.sa_handler = how;
    sigaction(signal, &action, &before_);
  }
  disposition(const disposition&) = delete;
  disposition& operator=(const disposition&) = delete;
  ~disposition() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ = {};
};

/// doctest has handlers of its own while a test case runs.
struct plain {
  disposition interrupt{SIGINT, SIG_DFL};
  disposition terminate{SIGTERM, SIG_DFL};
};

inline bool has_action(int signal, void (*how)(int)) {
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler == how;
}

/// The exit code, or 1000 + the signal that ended the child.
inline int wait_for_end(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs f in a child made by fork; its result is the exit code. A child that hangs is ended.
template <class F>
int in_child(F f) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    _exit(f());
  }
  return wait_for_end(pid);
}

/// A program whose output can be read line by line; killed and waited for in the end.
class program {
 public:
  explicit program(std::vector<std::string> arguments) {
    int out[2] = {};
    if (pipe(out) != 0) return;
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], 1);
      close(out[1]);
      execvp(argv[0], argv.data());
      _exit(126);
    }
    close(out[1]);
    out_ = out[0];
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) end();
    close(out_);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send(int signal) const { kill(pid_, signal); }

  /// The next line; "" at the end of the output, "hang" when none comes for long.
  std::string line() {
    std::string text;
    for (char c = 0; c != '\n';) {
      pollfd ready{out_, POLLIN, 0};
      if (poll(&ready, 1, 60'000) == 0) return "hang";
      if (read(out_, &c, 1) != 1) return text;
      if (c != '\n') text += c;
    }
    return text;
  }

  int end() {
    const int result = wait_for_end(pid_);
    pid_ = 0;
    return result;
  }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
};

}  // namespace test

#endif
