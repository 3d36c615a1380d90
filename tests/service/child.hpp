// SPDX-License-Identifier: BSL-1.0
//
// A child process on POSIX: started with pipes, sent signals, read and waited for. Whatever takes a
// minute is hung, and is killed.
#ifndef CURFEW_TESTS_SERVICE_CHILD_HPP
#define CURFEW_TESTS_SERVICE_CHILD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

class child {
 public:
  enum class errors { piped, closed, unread, hung_up };

  explicit child(std::vector<std::string> words, errors how = errors::piped) : errors_(how) {
    const int his_out = open_pipe(out_);
    const int his_err = open_pipe(err_);
    if (how == errors::unread) fill(his_err);
    pid_ = fork();
    if (pid_ == 0) become(words, his_out, his_err);
    if (how == errors::hung_up) dup2(nothing(), err_);  // the last reader of his_err goes
    close(his_out);
    close(his_err);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (!done_) kill(pid_, SIGKILL);
    if (!done_) waitpid(pid_, nullptr, 0);
    close(out_);
    close(err_);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Long enough after the one before not to be the same press.
  void send(int signal) {
    if (sent_) usleep(300'000);
    sent_ = true;
    kill(pid_, signal);
  }

  /// Reads its stdout until this has come.
  bool says(const std::string& text) {
    while (out.find(text) == out.npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  bool complains(const std::string& text) {
    while (err.find(text) == err.npos) {
      if (!read_some()) return false;
    }
    return true;
  }

  /// Its exit code; minus the signal that killed it.
  int end() {
    while (read_some()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    done_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string out;
  std::string err;

 private:
  static int open_pipe(int& reading_end) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    for (const int fd : ends) fcntl(fd, F_SETFD, FD_CLOEXEC);
    reading_end = ends[0];
    return ends[1];
  }
  static int nothing() {
    static const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd;
  }
  static void fill(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (write(fd, page.data(), page.size()) > 0) {
    }
    while (write(fd, page.data(), 1) > 0) {
    }
    fcntl(fd, F_SETFL, 0);
  }
  [[noreturn]] void become(std::vector<std::string>& words, int his_out, int his_err) const {
    dup2(his_out, STDOUT_FILENO);
    if (errors_ == errors::closed)
      close(STDERR_FILENO);
    else
      dup2(his_err, STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }

  /// False at the end of both pipes, or when nothing has come for too long.
  bool read_some() {
    pollfd fds[] = {{out_open_ ? out_ : -1, POLLIN, 0}, {err_open_ ? err_ : -1, POLLIN, 0}};
    if (errors_ == errors::unread) fds[1].fd = -1;
    if (fds[0].fd < 0 && fds[1].fd < 0) return false;
    if (poll(fds, 2, 60'000) <= 0) {
      kill(pid_, SIGKILL);
      return false;
    }
    if (fds[0].revents != 0) out_open_ = take(out_, out);
    if (fds[1].revents != 0) err_open_ = take(err_, err);
    return true;
  }
  static bool take(int fd, std::string& into) {
    char bytes[4096];
    const ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0) into.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  const errors errors_;
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  bool out_open_ = true;
  bool err_open_ = true;
  bool done_ = false;
  bool sent_ = false;
};

#endif
#endif
