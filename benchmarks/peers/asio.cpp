// SPDX-License-Identifier: BSL-1.0
//
// The peer "asio": timers and signals of Boost.Asio, or of Asio without Boost, measured as
// curfew's own benchmarks are and printed in the JSON of Google Benchmark.
#if defined(PEER_BOOST)
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/version.hpp>
#else
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/version.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

#if defined(PEER_BOOST)
namespace asio = boost::asio;
using boost::system::error_code;
constexpr int release_of_peer = BOOST_VERSION;
constexpr const char* name_of_peer = "Boost";
#else
using asio::error_code;
constexpr int release_of_peer = ASIO_VERSION;
constexpr const char* name_of_peer = "Asio";
#endif

// --- the report ---------------------------------------------------------------------------------

using counters = std::vector<std::pair<const char*, double>>;

double nanoseconds(clock::duration d) {
  return std::chrono::duration<double, std::nano>(d).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class report {
 public:
  explicit report(bool quick) : quick_(quick) {}

  /// How often something is done: n times, or a twentieth of that when in a hurry.
  [[nodiscard]] std::size_t few(std::size_t n) const { return quick_ ? (n + 19) / 20 : n; }

  void add(const std::string& work, double ns, const counters& more = {});
  void add_latencies(const std::string& work, std::vector<double> late);
  void print() const;

 private:
  bool quick_;
  std::vector<std::string> rows_;
};

void report::add(const std::string& work, double ns, const counters& more) {
  std::string row = R"({"name": ")" + work + R"(/asio", "run_type": "iteration", "real_time": )" +
                    std::to_string(ns) + R"(, "time_unit": "ns")";
  for (const auto& [counter, value] : more)
    row += std::string(", \"") + counter + "\": " + std::to_string(value);
  rows_.push_back(row + "}");
}

/// What came before its time is below zero.
void report::add_latencies(const std::string& work, std::vector<double> late) {
  std::sort(late.begin(), late.end());
  const auto early = std::lower_bound(late.begin(), late.end(), 0.0) - late.begin();
  const double p50 = late[late.size() / 2];
  add(work, p50,
      {{"p50", p50},
       {"p99", late[late.size() * 99 / 100]},
       {"max", late.back()},
       {"early", static_cast<double>(early)}});
}

void report::print() const {
  std::printf("{\n  \"context\": {\"peer\": \"asio\", \"peer_version\": \"%s %d.%d.%d\", ",
              name_of_peer, release_of_peer / 100000, release_of_peer / 100 % 1000,
              release_of_peer % 100);
  std::printf("\"num_cpus\": %u},\n  \"benchmarks\": [\n", std::thread::hardware_concurrency());
  for (const auto& row : rows_)
    std::printf("    %s%s\n", row.c_str(), &row == &rows_.back() ? "" : ",");
  std::printf("  ]\n}\n");
}

// --- what is asked of the heap ------------------------------------------------------------------

std::size_t allocations = 0;
std::size_t bytes = 0;  // that were not given back
bool counting = false;

}  // namespace

// Not inlined, as the library's own are not.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counting) {
    ++allocations;
    bytes += size;
  }
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t size) noexcept {
  if (counting) bytes -= size;
  std::free(block);
}

namespace {

// --- deadlines that are given up ----------------------------------------------------------------

const auto ignore = [](const auto&...) {};

/// A loop on which, as in any program at work, some earlier timer stands: without one each new
/// timer is the earliest, and is told to the system by a call of its own.
class loop_at_work {
 public:
  loop_at_work() { standing_.async_wait(ignore); }
  asio::io_context& context() { return context_; }

  /// How long it takes to do the work on the loop, with all that is to be done because of it.
  template <class Work>
  double time_of(Work work) {
    asio::post(context_, std::move(work));
    const auto start = clock::now();
    context_.poll();
    return nanoseconds(clock::now() - start);
  }

 private:
  asio::io_context context_{1};  // one thread runs it
  asio::executor_work_guard<asio::io_context::executor_type> open_{context_.get_executor()};
  asio::steady_timer standing_{context_, 45s};
};

/// Arms and destroys timers, some in each turn of the loop: each leaves a handler to be called.
void give_up(asio::io_context& context, std::size_t n) {
  const auto turn = (std::min)(n, std::size_t{32});
  for (std::size_t i = 0; i < turn; ++i) asio::steady_timer(context, 1min).async_wait(ignore);
  if (n > turn) asio::post(context, [&context, left = n - turn] { give_up(context, left); });
}

void measure_deadline(report& out) {
  loop_at_work loop;
  const auto batch = [&loop](std::size_t n) {
    return loop.time_of([&loop, n] { give_up(loop.context(), n); });
  };
  std::size_t n = 1;
  while (batch(n) < static_cast<double>(out.few(40'000'000))) n *= 2;
  std::vector<double> each(9);
  for (double& time : each) time = batch(n) / static_cast<double>(n);
  out.add("deadline", median(each));
}

/// From one minute on, 3.6 ms from one another, in an order that jumps to and fro.
clock::duration timeout(std::size_t i) { return 1min + (i * 7919 % 1'000'000) * 3600us; }

using timers = std::vector<std::unique_ptr<asio::steady_timer>>;

void insert_all(timers& live, asio::io_context& context) {
  for (std::size_t i = 0; i < live.size(); ++i) {
    live[i] = std::make_unique<asio::steady_timer>(context, timeout(i));
    live[i]->async_wait(ignore);
  }
}

void remove_all(timers& live) {
  for (auto& timer : live) timer.reset();
}

void measure_many_live(report& out) {
  loop_at_work loop;
  timers live(out.few(1'000'000));
  const auto n = static_cast<double>(live.size());
  const auto insert = [&] { return loop.time_of([&] { insert_all(live, loop.context()); }) / n; };
  const auto remove = [&] { return loop.time_of([&] { remove_all(live); }) / n; };
  counting = true;
  insert();
  counting = false;
  remove();
  std::vector<double> inserts;
  std::vector<double> removes;
  for (int round = 0; round < 3; ++round) {
    inserts.push_back(insert());
    removes.push_back(remove());
  }
  out.add("deadline_1m_insert", median(inserts),
          {{"bytes", static_cast<double>(bytes) / n},
           {"allocations", static_cast<double>(allocations) / n}});
  out.add("deadline_1m_remove", median(removes));
}

// --- how late code runs -------------------------------------------------------------------------

void measure_lateness(report& out) {
  asio::io_context context(1);
  std::vector<double> late;
  std::deque<asio::steady_timer> alarms;
  late.reserve(out.few(10'000));
  auto next = clock::now() + 100ms;
  for (std::size_t i = 0; i < late.capacity(); ++i) {
    const auto deadline = next += 100us;
    alarms.emplace_back(context, deadline).async_wait([&late, deadline](const error_code&) {
      late.push_back(nanoseconds(clock::now() - deadline));
    });
  }
  context.run();
  out.add_latencies("lateness", std::move(late));
}

/// When the code ran that the signal was for.
class answer {
 public:
  void give(clock::time_point at) {
    const std::lock_guard lock(mutex_);
    at_ = at;
    changed_.notify_one();
  }
  clock::time_point take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return at_.has_value(); });
    const auto at = *at_;
    at_.reset();
    return at;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<clock::time_point> at_;
};

/// Tells of every signal in the set, from the thread that runs its loop, until it is cancelled.
void listen(asio::signal_set& set, answer& a) {
  set.async_wait([&set, &a](const error_code& failed, int) {
    const auto now = clock::now();
    if (failed) return;
    a.give(now);
    listen(set, a);
  });
}

void measure_signal(report& out) {
  asio::io_context context(1);
  asio::signal_set set(context, SIGTERM);
  answer answered;
  listen(set, answered);
  std::thread runner([&context] { context.run(); });
  std::vector<double> late(out.few(4000));
  for (double& time : late) {
    std::this_thread::sleep_for(100us);
    const auto sent = clock::now();
    kill(getpid(), SIGTERM);
    time = nanoseconds(answered.take() - sent);
  }
  asio::post(context, [&set] { set.cancel(); });
  runner.join();
  out.add_latencies("signal", std::move(late));
}

constexpr const char* help =
    "peer_asio: what timers and signals cost in Asio, as Google Benchmark's JSON.\n"
    "  --quick   about 20 times fewer iterations, to see that it works\n"
    "  --help    this text\n"
    "Other flags are ignored.";

}  // namespace

int main(int argc, char** argv) {
  const auto is_given = [&](std::string_view flag) {
    return std::find(argv + 1, argv + argc, flag) != argv + argc;
  };
  if (is_given("--help")) return std::puts(help) < 0;
  report out(is_given("--quick"));
  measure_deadline(out);
  measure_many_live(out);
  measure_lateness(out);
  measure_signal(out);
  out.print();
}
