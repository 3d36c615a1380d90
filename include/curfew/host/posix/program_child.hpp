// SPDX-License-Identifier: BSL-1.0
//
// The start of a program that is run to its end. Between fork and exec the child calls only what is
// safe in a signal handler: the process may have had threads, and one of them a lock.
#ifndef CURFEW_HOST_POSIX_PROGRAM_CHILD_HPP
#define CURFEW_HOST_POSIX_PROGRAM_CHILD_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#if CURFEW_LINUX
#include <sys/syscall.h>
#endif

extern char** environ;

CURFEW_BEGIN
namespace detail {

/// Both ends are closed on exec, and neither is a standard descriptor: a process that was started
/// without those would lose it to the child's own.
class child_pipe {
 public:
  [[nodiscard]] bool open() noexcept {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return false;
    const event_descriptor low[] = {event_descriptor(ends[0]), event_descriptor(ends[1])};
    reading_.reset(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3));
    writing_.reset(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
    return reading() >= 0 && writing() >= 0;
  }
  void close_writing() noexcept { writing_.reset(); }
  [[nodiscard]] int reading() const noexcept { return reading_.get(); }
  [[nodiscard]] int writing() const noexcept { return writing_.get(); }

 private:
  event_descriptor reading_, writing_;
};

struct child_pipes {
  child_pipe output, errors, started;

  [[nodiscard]] bool open() noexcept { return output.open() && errors.open() && started.open(); }
  void close_writing() noexcept {
    output.close_writing();
    errors.close_writing();
    started.close_writing();
  }
};

/// No signal for this thread meanwhile: between fork and exec the child still has the program's
/// handlers, which would run in it.
class signals_held {
 public:
  signals_held() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// ---- RUNS IN THE CHILD: from here to become().

/// exec keeps what is ignored; handlers would go anyway.
inline void default_signals() noexcept {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[nodiscard]] inline bool close_range_from(unsigned first) noexcept {
#if defined(SYS_close_range)
  return ::syscall(SYS_close_range, first, ~0u, 0u) == 0;
#else
  static_cast<void>(first);
  return false;
#endif
}

/// All above the standard ones but `kept`, which is moved to 3 and closed by exec. A limit in the
/// millions is not walked through to its end.
inline void close_others(int kept) noexcept {
  if (kept != 3) ::dup2(kept, 3);
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  if (close_range_from(4)) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = limit.rlim_cur < 65'536 ? static_cast<int>(limit.rlim_cur) : 65'536;
  for (int fd = 4; fd < end; ++fd) ::close(fd);
}

[[nodiscard]] inline bool set_standard(const child_pipes& pipes) noexcept {
  const int nothing = ::open("/dev/null", O_RDONLY);
  return nothing >= 0 && ::dup2(nothing, 0) == 0 && ::dup2(pipes.output.writing(), 1) == 1 &&
         ::dup2(pipes.errors.writing(), 2) == 2;
}

[[noreturn]] inline void become(const char* file, char* const* argv, char* const* envp,
                                const child_pipes& pipes) noexcept {
  int tell = pipes.started.writing();
  ::setpgid(0, 0);
  if (set_standard(pipes)) {
    close_others(tell);
    tell = 3;
    default_signals();
    ::execve(file, argv, envp);
  }
  const int error = errno;
  ::_exit(::write(tell, &error, sizeof error) < 0 ? 126 : 127);
}

// ---- In the parent again.

[[nodiscard]] inline std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& t : texts) all.push_back(const_cast<char*>(t.c_str()));
  all.push_back(nullptr);
  return all;
}

[[nodiscard]] inline bool is_set_in(const std::vector<std::string>& variables,
                                    std::string_view variable) noexcept {
  const std::string_view name = variable.substr(0, variable.find('=') + 1);
  for (const std::string& v : variables) {
    if (v.starts_with(name)) return true;
  }
  return false;
}

/// Each variable once: of two with one name some programs take the first, others the last.
[[nodiscard]] inline std::vector<char*> with_environment(const std::vector<std::string>& more) {
  std::vector<char*> all = pointers(more);
  all.pop_back();
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    if (!is_set_in(more, *e)) all.push_back(*e);
  }
  all.push_back(nullptr);
  return all;
}

/// -1: not started, see `ec`. The child may still fail before exec, and tells so by `started`.
[[nodiscard]] inline pid_t start_child(const std::string& file,
                                       const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& environment,
                                       child_pipes& pipes, std::error_code& ec) {
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = with_environment(environment);
  const signals_held hold;
  const pid_t pid = pipes.open() ? ::fork() : -1;
  assign_errno(ec, pid < 0);
  if (pid == 0) become(file.c_str(), argv.data(), envp.data(), pipes);
  if (pid > 0) ::setpgid(pid, pid);  // both do: whoever comes first
  pipes.close_writing();
  return pid;
}

}  // namespace detail
CURFEW_END

#endif
#endif
