// SPDX-License-Identifier: BSL-1.0
//
// How soon after kill(getpid(), SIGTERM) does code run in a normal thread: one that stays and
// sleeps between the rounds; the killing thread blocks until it answers, then pauses a little.
#include <curfew/config.hpp>

#include <benchmark/benchmark.h>

#if CURFEW_POSIX

#include <curfew/host/signals.hpp>
#include <curfew/stop/stop_token.hpp>

#include "latency.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <signal.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// When the code ran that the signal was for.
class answer {
 public:
  void give() {
    const auto now = clock::now();
    const std::lock_guard lock(mutex_);
    at_ = now;
    given_ = true;
    changed_.notify_one();
  }
  clock::time_point take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
    given_ = false;
    return at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  clock::time_point at_;
  bool given_ = false;
};

class with_curfew {
 public:
  explicit with_curfew(answer& a) : bridge_(curfew::stop_source()) {
    bridge_.on(SIGTERM, [&a] { a.give(); });
  }

 private:
  curfew::signal_bridge bridge_;
};

/// A handler that writes to a pipe, and a thread that reads from it.
class with_self_pipe {
 public:
  explicit with_self_pipe(answer& a) {
    if (pipe(ends_) != 0) std::abort();
    reader_ = std::thread([&a] { read_all(a); });
    struct sigaction ours = {};
    ours.sa_handler = [](int) { write_one(); };
    ours.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &ours, &before_);
  }
  ~with_self_pipe() {
    sigaction(SIGTERM, &before_, nullptr);
    close(ends_[1]);
    reader_.join();
    close(ends_[0]);
  }
  with_self_pipe(const with_self_pipe&) = delete;
  with_self_pipe& operator=(const with_self_pipe&) = delete;

 private:
  static void write_one() {
    const int kept = errno;
    const char byte = 0;
    static_cast<void>(!write(ends_[1], &byte, 1));
    errno = kept;
  }
  static void read_all(answer& a) {
    char byte = 0;
    while (read(ends_[0], &byte, 1) == 1) a.give();
  }

  static inline int ends_[2] = {-1, -1};
  std::thread reader_;
  struct sigaction before_ = {};
};

/// A thread in sigwait, and the signal blocked in all threads.
class with_sigwait {
 public:
  explicit with_sigwait(answer& a) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    waiter_ = std::thread([this, &a] { wait_for_all(a); });
  }
  ~with_sigwait() {
    last_.store(true);
    kill(getpid(), SIGTERM);
    waiter_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  with_sigwait(const with_sigwait&) = delete;
  with_sigwait& operator=(const with_sigwait&) = delete;

 private:
  void wait_for_all(answer& a) {
    for (int signal = 0; sigwait(&signals_, &signal) == 0 && !last_.load();) a.give();
  }

  sigset_t signals_;
  sigset_t before_;
  std::atomic<bool> last_{false};
  std::thread waiter_;
};

template <class Bridge>
void signal_to_thread(benchmark::State& state) {
  latencies delays;
  answer answered;
  const Bridge bridge(answered);
  for (auto _ : state) {
    std::this_thread::sleep_for(100us);
    const auto sent = clock::now();
    kill(getpid(), SIGTERM);
    delays.add(state, answered.take() - sent);
  }
  delays.report(state);
}

BENCHMARK_TEMPLATE(signal_to_thread, with_self_pipe)
    ->Name("signal/self_pipe")
    ->UseManualTime()
    ->Iterations(iterations(4000));
BENCHMARK_TEMPLATE(signal_to_thread, with_sigwait)
    ->Name("signal/sigwait")
    ->UseManualTime()
    ->Iterations(iterations(4000));
BENCHMARK_TEMPLATE(signal_to_thread, with_curfew)
    ->Name("signal/curfew")
    ->UseManualTime()
    ->Iterations(iterations(4000));

}  // namespace

#endif

BENCHMARK_MAIN();
