// SPDX-License-Identifier: BSL-1.0
#include <curfew/release/batch_buffer.hpp>
#include <curfew/release/batch_options.hpp>
#include <curfew/release/batch_report.hpp>
#include <curfew/testing/manual_clock.hpp>

#include "doctest/doctest.h"
#include "faulty_new.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using curfew::batch_buffer;
using curfew::batch_counts;
using curfew::batch_options;
using curfew::batch_report;
using curfew::stop_source;
using curfew::stop_token;
using curfew::when_full;

static_assert(!std::is_copy_constructible_v<batch_buffer<int>>);
static_assert(noexcept(std::declval<batch_buffer<int>&>().push(1)));
static_assert(noexcept(std::declval<batch_buffer<int>&>().close(std::chrono::seconds{})));
static_assert(curfew::batch_sink<void (*)(std::span<const int>), int>);
static_assert(curfew::batch_sink<std::error_code (*)(std::span<int>, const stop_token&), int>);
static_assert(!curfew::batch_sink<bool (*)(std::span<int>), int>);
static_assert(!curfew::batch_sink<std::size_t (*)(std::span<int>, stop_token), int>);

namespace {

constexpr auto never = std::chrono::hours::max();

/// Counts how many of it live.
class counted {
 public:
  explicit counted(std::atomic<int>& live) noexcept : live_(&live) { ++*live_; }
  counted(counted&& other) noexcept : live_(other.live_) { ++*live_; }
  counted& operator=(counted&&) = delete;
  ~counted() { --*live_; }

 private:
  std::atomic<int>* live_;
};

/// A sink whose calls the test sees, holds up and decides on. Its end waits for that of the sink,
/// which may have been abandoned.
class desk {
 public:
  ~desk() {
    open();
    while (sinks_ != 0) std::this_thread::yield();
  }

  /// For the sink: waits until it may go on.
  std::error_code write(std::span<int> batch) {
    std::unique_lock lock(mutex_);
    batches_.emplace_back(batch.begin(), batch.end());
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_ || passes_ != 0; });
    if (passes_ != 0) --passes_;
    if (failures_ != 0) return --failures_, std::make_error_code(std::errc::io_error);
    return {};
  }
  auto sink() {
    return [this, alive = counted(sinks_)](std::span<int> batch) { return write(batch); };
  }

  void shut() {
    set([this] { open_ = false; });
  }
  void open() {
    set([this] { open_ = true; });
  }
  void let_one_pass() {
    set([this] { ++passes_; });
  }
  void fail(int times) {
    set([this, times] { failures_ = times; });
  }

  using batches = std::vector<std::vector<int>>;
  /// Waits until the sink has been called so many times.
  batches after(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() >= calls; });
    return batches_;
  }
  batches now() { return after(0); }

 private:
  template <class F>
  void set(F change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  batches batches_;
  bool open_ = true;
  int passes_ = 0, failures_ = 0;
  std::atomic<int> sinks_{0};
};

using batches = desk::batches;

std::uint64_t sum(const batch_counts& c) {
  return c.written + c.dropped + c.failed + c.unwritten + c.in_doubt + c.refused + c.fill +
         c.with_sink;
}

/// A token that does not stop.
curfew::never_stop_token forever() { return {}; }

/// Advances the clock until f, which runs on another thread, returns.
template <class F>
void while_time_passes(curfew::manual_clock& clock, F f) {
  std::atomic<bool> done{false};
  std::thread runs([&] {
    f();
    done = true;
  });
  while (!done) {
    clock.advance(10ms);
    std::this_thread::yield();
  }
  runs.join();
}

/// Whose destructor waits.
class lingering {
 public:
  explicit lingering(const std::atomic<bool>& may_go) noexcept : may_go_(&may_go) {}
  lingering(lingering&& other) noexcept : may_go_(std::exchange(other.may_go_, nullptr)) {}
  lingering& operator=(lingering&&) = delete;
  ~lingering() {
    while (may_go_ != nullptr && !*may_go_) std::this_thread::yield();
  }

 private:
  const std::atomic<bool>* may_go_;
};

}  // namespace

TEST_CASE("a full batch is written at once and the rest at the interval") {
  curfew::manual_clock clock;
  desk d;
  batch_buffer<int> b(d.sink(), {.batch = 3, .interval = 1s, .time = &clock});
  for (int i = 1; i <= 4; ++i) CHECK(b.push(i));
  CHECK(d.after(1) == batches{{1, 2, 3}});
  while (b.counts().written != 3) std::this_thread::yield();
  CHECK(b.counts().fill == 1);
  clock.advance(1s - 1ns);
  CHECK(d.now().size() == 1);
  CHECK(b.push(5));
  clock.advance(1ns);
  CHECK(d.after(2) == batches{{1, 2, 3}, {4, 5}});
  CHECK(b.close().counts.written == 5);
}

TEST_CASE("after an interval everything that waits is written in batches") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.batch = 2, .interval = 1s, .time = &clock});
  for (int i = 1; i <= 2; ++i) b.push(i);
  d.after(1);
  for (int i = 3; i <= 5; ++i) b.push(i);
  clock.advance(1s);
  d.open();
  CHECK(d.after(3) == batches{{1, 2}, {3, 4}, {5}});
}

TEST_CASE("an empty buffer never calls its sink") {
  curfew::manual_clock clock;
  desk d;
  batch_buffer<int> b(d.sink(), {.interval = 1ms, .time = &clock});
  clock.advance(1h);
  const batch_report r = b.close();
  CHECK(r.ok());
  CHECK(r.counts.flushes == 0);
  CHECK(d.now().empty());
}

TEST_CASE("a close writes what is left and its report is final") {
  curfew::manual_clock clock;
  desk d;
  batch_buffer<int> b(d.sink(), {.batch = 4, .interval = never, .time = &clock});
  for (int i = 0; i < 3; ++i) b.push(i);
  CHECK_FALSE(b.closed());
  const batch_report r = b.close(1s);
  CHECK(b.closed());
  CHECK(r.ok());
  CHECK(r.counts.written == 3);
  CHECK(r.counts.flushes == 1);
  CHECK(r.counts.most_fill == 3);
  CHECK(r.counts.fill == 0);
  CHECK(d.now() == batches{{0, 1, 2}});
  CHECK_FALSE(b.push(4));
  CHECK_FALSE(b.push(5, forever()));
  CHECK(b.counts().refused == 2);
  CHECK(b.close(forever()).counts.refused == 0);
  CHECK(b.close(never).counts.written == 3);
}

TEST_CASE("the destructor writes what is left") {
  desk d;
  { batch_buffer<int>(d.sink(), {.interval = never}).push(7); }
  CHECK(d.now() == batches{{7}});
}

TEST_CASE("two that close a buffer whose sink hangs do not make its destructor wait") {
  curfew::manual_clock clock;
  std::atomic<bool> may_go{false};  // outlives the items
  desk d;
  d.shut();
  auto b = std::make_unique<batch_buffer<lingering>>(
      [&d, keep = d.sink()](std::span<lingering>) { static_cast<void>(d.write({})); },
      batch_options{.batch = 1, .interval = never, .time = &clock});
  b->push(lingering(may_go));
  d.after(1);
  b->push(lingering(may_go));
  std::thread first([&] { CHECK(b->close(1s).sink_hangs()); });
  while (b->counts().unwritten == 0) {  // until it has only its item to destroy
    clock.advance(10ms);
    std::this_thread::yield();
  }
  while_time_passes(clock, [&] { CHECK(b->close(2s).sink_hangs()); });
  may_go = true;
  first.join();
  std::atomic<bool> gone{false};
  std::thread ends([&] {
    b.reset();
    gone = true;
  });
  for (int i = 0; i != 5000 && !gone; ++i) std::this_thread::sleep_for(1ms);
  CHECK(gone);
  d.open();
  ends.join();
}

TEST_CASE("items that push others out do not make a flush of older ones true") {
  desk d;
  d.shut();
  batch_buffer<int> b(
      d.sink(), {.capacity = 2, .batch = 2, .interval = never, .full = when_full::drop_oldest});
  b.push(1);
  b.push(2);
  d.after(1);
  stop_source hurry;
  std::atomic<bool> begins{false};
  std::thread flushes([&] {
    begins = true;
    CHECK_FALSE(b.flush(hurry.get_token()));
  });
  while (!begins) std::this_thread::yield();
  for (int i = 0; i != 100'000; ++i) b.push(i);
  hurry.request_stop();
  flushes.join();
  d.open();
}

TEST_CASE("what a full batch left waits no longer than the interval either") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.batch = 2, .interval = 1s, .time = &clock});
  for (int i = 1; i <= 2; ++i) b.push(i);
  d.after(1);
  for (int i = 3; i <= 5; ++i) b.push(i);
  clock.advance(900ms);
  d.let_one_pass();
  d.after(2);
  d.open();
  while (b.counts().written != 4) std::this_thread::yield();
  clock.advance(100ms);
  for (int i = 0; i != 5000 && b.counts().fill != 0; ++i) std::this_thread::sleep_for(1ms);
  CHECK(b.counts().fill == 0);
}

TEST_CASE("a grace that is negative does not make a close longer") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.batch = 1, .grace = -1h, .time = &clock});
  b.push(1);
  d.after(1);
  const auto began = clock.now();
  while_time_passes(clock, [&] { CHECK(b.close(1s).sink_hangs()); });
  CHECK(clock.now() - began < 1h);
  d.open();
}

TEST_CASE("without room the newest is dropped and counted") {
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.capacity = 2, .batch = 1, .interval = never});
  b.push(1);
  d.after(1);
  CHECK(b.push(2));
  CHECK(b.push(3));
  CHECK_FALSE(b.push(4));
  const batch_counts c = b.counts();
  CHECK(c.dropped == 1);
  CHECK(c.fill == 2);
  CHECK(c.most_fill == 2);
  CHECK(c.with_sink == 1);
  CHECK(sum(c) == 4);
  d.open();
  const batch_report r = b.close();
  CHECK_FALSE(r.ok());
  CHECK(r.counts.lost() == 1);
  CHECK(d.now() == batches{{1}, {2}, {3}});
}

TEST_CASE("without room the oldest that waits is dropped if so declared") {
  desk d;
  d.shut();
  batch_buffer<int> b(
      d.sink(), {.capacity = 2, .batch = 1, .interval = never, .full = when_full::drop_oldest});
  b.push(1);
  d.after(1);
  for (int i = 2; i <= 5; ++i) CHECK(b.push(i));
  CHECK(b.counts().dropped == 2);
  d.open();
  CHECK(b.close().counts.written == 3);
  CHECK(d.now() == batches{{1}, {4}, {5}});
}

TEST_CASE("a push with a token waits for room") {
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.capacity = 1, .interval = never});
  b.push(1);
  d.after(1);
  b.push(2);
  std::atomic<bool> in{false};
  std::thread waits([&] { in = b.push(3, forever()); });
  CHECK_FALSE(in);
  d.let_one_pass();
  waits.join();
  CHECK(in);
  d.open();
  CHECK(b.close().counts.written == 3);
}

TEST_CASE("a push with a token ends at the stop and the item counts as dropped") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.capacity = 1, .interval = never, .time = &clock});
  b.push(1);
  d.after(1);
  b.push(2);
  const stop_source limit(clock, 1s);
  while_time_passes(clock, [&] { CHECK_FALSE(b.push(3, limit.get_token())); });
  CHECK(b.counts().dropped == 1);
  d.open();
}

TEST_CASE("a close ends every push that waits for room") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.capacity = 1, .interval = never, .time = &clock});
  b.push(1);
  d.after(1);
  b.push(2);
  std::thread waits([&] { CHECK_FALSE(b.push(3, forever())); });
  while_time_passes(clock, [&] { CHECK(b.close(1s).sink_hangs()); });
  waits.join();
  CHECK(b.counts().refused == 1);
  d.open();
}

TEST_CASE("a flush returns when what waited has been written") {
  desk d;
  batch_buffer<int> b(d.sink(), {.batch = 2, .interval = never});
  CHECK(b.flush());
  for (int i = 1; i <= 3; ++i) b.push(i);
  CHECK(b.flush(forever()));
  CHECK(b.counts().written == 3);
  d.shut();
  b.push(4);
  stop_source stopped;
  stopped.request_stop();
  CHECK_FALSE(b.flush(stopped.get_token()));
  CHECK(d.after(3).back() == std::vector<int>{4});
  d.open();
}

TEST_CASE("a batch that failed is offered again after a while and then given up") {
  curfew::manual_clock clock;
  desk d;
  d.fail(4);
  batch_buffer<int> b(d.sink(), {.batch = 1, .attempts = 3, .retry_after = 1s, .time = &clock});
  b.push(1);
  for (std::size_t calls = 1; calls < 3; ++calls) {
    d.after(calls);
    while (b.counts().failed_flushes != calls) std::this_thread::yield();
    CHECK(b.counts().with_sink == 1);
    while (d.now().size() == calls) {
      clock.advance(1s);
      std::this_thread::yield();
    }
  }
  CHECK(b.flush());
  CHECK(b.counts().failed == 1);
  CHECK(b.counts().failed_flushes == 3);
  b.push(2);
  while_time_passes(clock, [&] { CHECK(b.flush()); });
  const batch_report r = b.close();
  CHECK(r.counts.written == 1);
  CHECK(r.counts.failed_flushes == 4);
  CHECK(r.counts.lost() == 1);
  CHECK(r.code == std::errc::io_error);
  CHECK(d.now() == batches{{1}, {1}, {1}, {2}, {2}});
}

TEST_CASE("a close makes the next attempt at once and gives up when it is cut") {
  curfew::manual_clock clock;
  desk d;
  d.fail(1000);
  batch_buffer<int> b(
      d.sink(),
      {.capacity = 4, .batch = 1, .attempts = 1000, .retry_after = never, .time = &clock});
  b.push(1);
  d.after(1);
  while (b.counts().failed_flushes != 1) std::this_thread::yield();
  b.push(2);
  stop_source hurry;
  std::optional<batch_report> r;
  std::thread closes([&] { r = b.close(hurry.get_token()); });
  d.after(2);
  while (b.counts().failed_flushes != 2) std::this_thread::yield();
  hurry.request_stop();
  closes.join();
  CHECK(r->finished);
  CHECK_FALSE(r->sink_hangs());
  CHECK(r->counts.failed == 1);
  CHECK(r->counts.unwritten == 1);
  CHECK(sum(r->counts) == 2);
  CHECK(d.now() == batches{{1}, {1}});
}

TEST_CASE("a batch that failed is offered again as the sink left it") {
  curfew::manual_clock clock;
  std::vector<int> seen;
  const auto sink = [&](std::span<int> batch) {
    seen.push_back(batch[0]++);
    return seen.size() == 1 ? std::make_error_code(std::errc::io_error) : std::error_code();
  };
  batch_buffer<int> b(sink, {.batch = 1, .retry_after = 0s, .time = &clock});
  b.push(5);
  CHECK(b.close().ok());
  CHECK(seen == std::vector{5, 6});
}

#if CURFEW_EXCEPTIONS

TEST_CASE("a sink that throws every second time loses nothing but the attempts") {
  int calls = 0;
  std::vector<int> seen;
  const auto sink = [&](std::span<int> batch) {
    if (calls++ % 2 == 0) throw std::runtime_error("no");
    seen.insert(seen.end(), batch.begin(), batch.end());
  };
  batch_buffer<int> b(sink, {.batch = 4, .interval = never, .attempts = 2, .retry_after = 0s});
  for (int i = 0; i < 100; ++i) CHECK(b.push(i, forever()));
  const batch_report r = b.close();
  CHECK(r.ok());
  CHECK(r.counts.written == 100);
  CHECK(r.counts.failed_flushes == r.counts.flushes);
  CHECK(r.error != nullptr);
  std::vector<int> all(100);
  std::iota(all.begin(), all.end(), 0);
  CHECK(seen == all);
}

TEST_CASE("a batch whose only attempt throws is lost and counted and the next is written") {
  int calls = 0;
  const auto sink = [&](std::span<int>) {
    if (calls++ % 2 == 0) throw 1;
  };
  batch_buffer<int> b(sink, {.batch = 1, .interval = never, .attempts = 1});
  for (int i = 0; i < 10; ++i) b.push(i);
  const batch_report r = b.close();
  CHECK_FALSE(r.ok());
  CHECK(r.counts.failed == 5);
  CHECK(r.counts.written == 5);
}

#endif

TEST_CASE("a sink that hangs for ever at the end is abandoned at the limit and told") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  std::atomic<int> live{0};
  auto b = std::make_unique<batch_buffer<counted>>(
      [&d, alive = counted(live)](std::span<counted>) { static_cast<void>(d.write({})); },
      batch_options{.capacity = 4, .batch = 2, .interval = never, .time = &clock});
  for (int i = 0; i < 2; ++i) b->push(counted(live));
  d.after(1);
  for (int i = 0; i < 3; ++i) b->push(counted(live));
  CHECK(live == 6);
  std::optional<batch_report> r;
  const auto began = clock.now();
  while_time_passes(clock, [&] { r = b->close(1s); });
  CHECK(clock.now() - began >= 1s);
  CHECK(r->finished);
  CHECK(r->sink_hangs());
  CHECK(r->counts.in_doubt == 2);
  CHECK(r->counts.unwritten == 3);
  CHECK(sum(r->counts) == 5);
  CHECK(live == 3);  // the sink, and what it was given
  b.reset();
  CHECK(live == 3);
  d.open();
  while (live != 0) std::this_thread::yield();
}

TEST_CASE("a report stays as it was when a sink that was abandoned returns") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.batch = 1, .time = &clock});
  b.push(1);
  d.after(1);
  while_time_passes(clock, [&] { CHECK(b.close(1s).sink_hangs()); });
  d.open();
  const batch_report r = b.close(never);
  CHECK(r.counts.in_doubt == 1);
  CHECK(r.counts.flushes == 0);
  CHECK(b.counts().written == 0);
}

TEST_CASE("the token of the sink stops before the limit so that it can still return") {
  curfew::manual_clock clock;
  std::atomic<bool> called{false}, was_cut{false}, time_stands{false};
  const auto sink = [&](std::span<int>, const stop_token& cut) {
    const curfew::stop_callback on_cut(cut, [&] {
      was_cut = true;
      while (!time_stands) std::this_thread::yield();
    });
    called = true;
    cut.wait();
    return std::make_error_code(std::errc::timed_out);
  };
  batch_buffer<int> b(sink, {.batch = 1, .attempts = 9, .grace = 1h, .time = &clock});
  b.push(1);
  while (!called) std::this_thread::yield();
  b.push(2);
  std::optional<batch_report> r;
  const auto began = clock.now();
  std::thread closes([&] { r = b.close(10s); });
  while (!was_cut) {
    clock.advance(100ms);
    std::this_thread::yield();
  }
  CHECK(clock.now() - began >= 9s);
  time_stands = true;
  closes.join();
  CHECK(r->finished);
  CHECK_FALSE(r->sink_hangs());
  CHECK(r->counts.failed == 1);
  CHECK(r->counts.unwritten == 1);
  CHECK(r->counts.failed_flushes == 1);
}

TEST_CASE("a close with a token is cut by its stop and abandons after the grace") {
  curfew::manual_clock clock;
  desk d;
  d.shut();
  batch_buffer<int> b(d.sink(), {.batch = 1, .grace = 1s, .time = &clock});
  b.push(1);
  d.after(1);
  stop_source hurry(clock);
  std::atomic<bool> closed{false};
  std::thread closes([&] {
    CHECK(b.close(hurry.get_token()).sink_hangs());
    closed = true;
  });
  clock.advance(1h);
  CHECK_FALSE(closed);
  hurry.request_stop();
  while (!closed) {
    clock.advance(100ms);
    std::this_thread::yield();
  }
  closes.join();
  d.open();
}

TEST_CASE("a close from inside the sink does not wait and the rest is written after it") {
  batch_buffer<int>* self = nullptr;
  std::atomic<bool> ready{false};
  std::optional<batch_report> inside;
  std::vector<int> seen;
  const auto sink = [&](std::span<int> batch) {
    while (!ready) std::this_thread::yield();
    if (!inside) inside = self->close(1h);
    seen.insert(seen.end(), batch.begin(), batch.end());
  };
  batch_buffer<int> b(sink, {.batch = 1, .interval = never});
  self = &b;
  b.push(1);
  b.push(2);
  ready = true;
  const batch_report r = b.close(never);
  CHECK_FALSE(inside->finished);
  CHECK_FALSE(inside->ok());
  CHECK(r.ok());
  CHECK(seen == std::vector{1, 2});
}

TEST_CASE("a push and a flush from inside the sink never block") {
  batch_buffer<int>* self = nullptr;
  std::atomic<int> pushed{0};
  std::atomic<bool> full{false};
  const auto sink = [&](std::span<int> batch) {
    if (batch[0] != 1) return;
    CHECK(self->push(2));
    ++pushed;
    CHECK(self->push(3, forever()));
    ++pushed;
    CHECK_FALSE(self->push(4, forever()));
    CHECK_FALSE(self->flush(forever()));
    full = true;
  };
  batch_buffer<int> b(sink, {.capacity = 2, .batch = 1, .interval = never});
  self = &b;
  b.push(1);
  while (!full) std::this_thread::yield();
  const batch_report r = b.close();
  CHECK(pushed == 2);
  CHECK(r.counts.written == 3);
  CHECK(r.counts.dropped == 1);
}

TEST_CASE("a buffer destroyed by its own sink writes the rest and then ends") {
  std::atomic<int> live{0}, written{0};
  std::unique_ptr<batch_buffer<counted>> b;
  std::atomic<bool> ready{false};
  b = std::make_unique<batch_buffer<counted>>(
      [&, alive = counted(live)](std::span<counted> batch) {
        while (!ready) std::this_thread::yield();
        b.reset();
        written += static_cast<int>(batch.size());
      },
      batch_options{.batch = 1, .interval = never});
  b->push(counted(live));
  b->push(counted(live));
  ready = true;
  while (live != 0) std::this_thread::yield();
  CHECK(written == 2);
}

TEST_CASE("items of a buffer that is closed without time are destroyed and counted") {
  std::atomic<int> live{0};
  batch_buffer<counted> b([](std::span<counted>) {}, {.capacity = 7, .interval = never});
  for (int i = 0; i < 6; ++i) b.push(counted(live));
  CHECK(live == 6);
  const batch_report r = b.close(0s);
  CHECK(r.finished);
  CHECK(sum(r.counts) == 6);
  CHECK((live == 0 || r.sink_hangs()));
}

TEST_CASE("every item of producers that race a close is counted once") {
  for (int round = 0; round < 100; ++round) {
    std::atomic<std::uint64_t> taken{0}, pushed{0};
    std::uint64_t seen = 0;
    const auto full = round % 2 == 0 ? when_full::drop_newest : when_full::drop_oldest;
    batch_buffer<int> b([&](std::span<int> batch) { seen += batch.size(); },
                        {.capacity = 16, .batch = 4, .interval = 1ms, .full = full});
    std::vector<std::thread> producers;
    for (int i = 0; i < 3; ++i) {
      producers.emplace_back([&, i] {
        while (!b.closed()) {
          ++pushed;
          taken += i == 0 ? b.push(i, forever()) : b.push(i);
          static_cast<void>(b.counts());
        }
      });
    }
    std::vector<std::thread> closers;
    while (pushed < 50) std::this_thread::yield();
    for (int i = 0; i < 2; ++i) closers.emplace_back([&] { CHECK(b.close(1min).finished); });
    for (auto& t : producers) t.join();
    for (auto& t : closers) t.join();
    const batch_counts c = b.counts();
    CHECK(sum(c) == pushed);
    CHECK(c.written == seen);
    CHECK(c.fill + c.with_sink + c.unwritten + c.in_doubt + c.failed == 0);
    CHECK(c.most_fill <= 16);
    if (full == when_full::drop_newest) CHECK(taken == c.written);
  }
}

TEST_CASE("a buffer may be destroyed at any moment of its own thread") {
  for (int round = 0; round < 1000; ++round) {
    int seen = 0;
    {
      batch_buffer<int> b([&](std::span<int> batch) { seen += static_cast<int>(batch.size()); },
                          {.batch = 2});
      for (int i = 0; i < round % 4; ++i) b.push(i);
    }
    CHECK(seen == round % 4);
  }
}

TEST_CASE("neither a push nor a flush nor the end allocates") {
  std::uint64_t seen = 0;
  batch_buffer<int> b([&](std::span<int> batch) { seen += batch.size(); },
                      {.capacity = 64, .batch = 8});
  b.push(0);
  b.flush(forever());
  CHECK(test::allocations_of([&] {
          for (int i = 1; i < 1000; ++i) b.push(i, forever());
          b.flush(forever());
          CHECK(b.close(1min).counts.written == 1000);
        }) == 0);
  CHECK(seen == 1000);
}

TEST_CASE("without memory there is an error and a buffer that takes nothing") {
  constexpr long most = CURFEW_EXCEPTIONS ? 4 : 3;  // the last one is a context's
  for (long n = 0; n < most; ++n) {
    std::error_code ec;
    test::failing_allocation(n, [&] {
      batch_buffer<int> b([](std::span<int>) {}, {}, ec);
      CHECK(b.closed());
      CHECK_FALSE(b.push(1));
      CHECK_FALSE(b.push(1, forever()));
      CHECK(b.flush());
      CHECK(b.close().finished);
      CHECK(b.counts().refused == 0);
    });
    CHECK(ec == std::errc::not_enough_memory);
  }
}
