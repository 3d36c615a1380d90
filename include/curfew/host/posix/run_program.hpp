// SPDX-License-Identifier: BSL-1.0
//
// Runs another program to its end, without a shell and not longer than it may take.
#ifndef CURFEW_HOST_POSIX_RUN_PROGRAM_HPP
#define CURFEW_HOST_POSIX_RUN_PROGRAM_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/host/posix/program_child.hpp>
#include <curfew/stop/detail/duration.hpp>
#include <curfew/stop/detail/posix/event.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

CURFEW_BEGIN

/// How long another program may take, and what it is given.
struct program_options {
  detail::saturated limit = std::chrono::seconds(30);  ///< then it is killed
  std::vector<std::string> environment = {};           ///< "NAME=VALUE", besides ours
  std::size_t most = std::size_t{1} << 20;             ///< bytes that are kept of each output
  stop_token stop = {};                                ///< when it stops, the program is killed
};

/// How another program ended, and what it wrote.
struct program_result {
  std::error_code error = {};  ///< it was not started
  int exit_code = -1;          ///< 128 + n: ended by signal n; -1: not known, or not started
  bool in_time = true;         ///< false: it was killed at the limit
  bool interrupted = false;    ///< it was killed because of the stop
  std::string output = {};
  std::string errors = {};

  [[nodiscard]] bool ok() const noexcept { return !error && in_time && exit_code == 0; }
};

/// Runs arguments[0], which is looked up in PATH unless it has a slash, and waits for its end. It
/// reads nothing, has the default action for every signal, none of them blocked, no descriptor but
/// its three, and a process group of its own, all of which is killed at the limit.
///
/// A program that ignores SIGCHLD, or waits for all children somewhere, loses the exit code; then
/// the last line of `errors` says so.
///
/// Thread safety: any thread.
[[nodiscard]] program_result run_program(const std::vector<std::string>& arguments,
                                         const program_options& options = {});

/// The file that a name means in PATH; empty: none. A name with a slash means itself.
[[nodiscard]] std::string find_program(std::string_view name);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// One output of a program that runs.
class captured {
 public:
  captured(int fd, std::string& into, std::size_t most) noexcept
      : fd_(fd), into_(&into), most_(most) {
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }

  [[nodiscard]] pollfd polled() const noexcept { return {open_ ? fd_ : -1, POLLIN, 0}; }
  [[nodiscard]] bool is_open() const noexcept { return open_; }

  /// What there is now. What is more than may be kept is read and dropped, or the program would
  /// wait for ever.
  void take() {
    char bytes[4096];
    while (open_) {
      const ssize_t n = ::read(fd_, bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      open_ = n > 0;
      const std::size_t room = most_ - (std::min)(most_, into_->size());
      if (n > 0) into_->append(bytes, (std::min)(room, static_cast<std::size_t>(n)));
    }
  }

 private:
  int fd_;
  std::string* into_;
  std::size_t most_;
  bool open_ = true;
};

/// A child until its end, which is always waited for.
class running_program {
 public:
  running_program(pid_t pid, const program_options& options) noexcept
      : pid_(pid), stop_(options.stop), until_(saturating_add(clock::now(), options.limit)) {}

  /// Reads until the program has ended. What it has left behind in the background may hold the
  /// outputs open, and is not waited for.
  void follow(captured& out, captured& err, program_result& result) {
    while (!ended(result)) {
      const auto left = until_ - clock::now();
      result.in_time = left > clock_duration::zero();
      result.interrupted = stop_.stop_requested();
      if (!result.in_time || result.interrupted) return kill(result);
      wait_for_output(out, err, left);
    }
    out.take();
    err.take();
  }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds glance{20};  // between two looks whether it has ended

  /// The end of a process wakes no poll, but closes its outputs.
  void wait_for_output(captured& out, captured& err, clock_duration left) {
    const bool any = out.is_open() || err.is_open();
    const auto most = any ? glance : std::chrono::milliseconds(1);
    const auto ms = (std::min<clock_duration>)(left, most) / std::chrono::milliseconds(1);
    pollfd ready[] = {out.polled(), err.polled()};
    if (::poll(ready, 2, static_cast<int>(ms) + 1) <= 0) return;
    out.take();
    err.take();
  }

  [[nodiscard]] bool ended(program_result& result) const { return wait(WNOHANG, result); }

  bool wait(int flags, program_result& result) const {
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(pid_, &status, flags);
    } while (got < 0 && errno == EINTR);
    if (got == pid_) {
      result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return got != 0;  // an error: somebody else has waited for it
  }

  void kill(program_result& result) const {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    wait(0, result);
  }

  pid_t pid_;
  const stop_token& stop_;
  clock_time_point until_;
};

inline constexpr const char* lost_exit_code =
    "its exit code was lost (SIGCHLD is ignored, or something waits for all children)\n";

[[nodiscard]] inline bool is_program(const std::string& path) noexcept {
  return ::access(path.c_str(), X_OK) == 0;
}

/// The pipe is closed by exec, or brings the errno of what failed before it.
[[nodiscard]] inline int start_error(int pipe) noexcept {
  int error = 0;
  ssize_t n = 0;
  do {
    n = ::read(pipe, &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof error) ? error : 0;
}

}  // namespace detail

inline std::string find_program(std::string_view name) {
  if (name.find('/') != name.npos) return std::string(name);
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = (std::min)(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, end)) + "/" + std::string(name);
    if (end != 0 && detail::is_program(file)) return file;
    rest.remove_prefix((std::min)(end + 1, rest.size()));
  }
  return {};
}

inline program_result run_program(const std::vector<std::string>& arguments,
                                  const program_options& options) {
  program_result result;
  const std::string file = arguments.empty() ? "" : find_program(arguments.front());
  if (file.empty()) {
    result.error = std::make_error_code(std::errc::no_such_file_or_directory);
    return result;
  }
  detail::child_pipes pipes;
  const pid_t pid = detail::start_child(file, arguments, options.environment, pipes, result.error);
  if (pid < 0) return result;
  detail::captured out(pipes.output.reading(), result.output, options.most);
  detail::captured err(pipes.errors.reading(), result.errors, options.most);
  const int error = detail::start_error(pipes.started.reading());
  detail::running_program(pid, options).follow(out, err, result);
  if (error != 0) result.error.assign(error, std::system_category());
  if (error != 0) result.exit_code = -1;
  if (error == 0 && result.exit_code < 0) result.errors += detail::lost_exit_code;
  return result;
}

CURFEW_END

#endif
#endif
