// SPDX-License-Identifier: BSL-1.0
// What the tests of the release floor share: entries that note their number, a thread with a small
// stack, and a child process that is expected to end with a message.
#pragma once

#include <curfew/config.hpp>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#if CURFEW_POSIX
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace test {

using order_log = std::vector<int>;

/// Notes its number when it is destroyed. Neither copied nor moved.
class noted {
 public:
  noted(order_log& log, int number) noexcept : log_(log), number_(number) {}
  noted(const noted&) = delete;
  noted& operator=(const noted&) = delete;
  ~noted() { log_.push_back(number_); }
  int number() const noexcept { return number_; }

 private:
  order_log& log_;
  int number_;
};

#if CURFEW_POSIX

/// Runs f to its end on a thread with so many bytes of stack.
template <class F>
bool on_small_stack(F f, std::size_t bytes = 256 * 1024) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread{};
  const auto entry = +[](void* p) -> void* { return (*static_cast<F*>(p))(), nullptr; };
  const bool started = pthread_attr_setstacksize(&attributes, bytes) == 0 &&
                       pthread_create(&thread, &attributes, entry, &f) == 0;
  pthread_attr_destroy(&attributes);
  return started && pthread_join(thread, nullptr) == 0;
}

/// What a child process that runs f wrote to stderr, if f aborted it; else an empty string.
template <class F>
std::string last_words(F f) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    signal(SIGABRT, SIG_DFL);
    f();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  char buffer[512];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    words.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : std::string();
}

#else

template <class F>
bool on_small_stack(F f) {
  f();
  return true;
}

#endif

}  // namespace test
