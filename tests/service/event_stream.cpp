// SPDX-License-Identifier: BSL-1.0
//
// Events go on in one order, losses are told where they were, and no sink holds up who writes.
#include <curfew/service/event_stream.hpp>

#include <doctest/doctest.h>

#include "../stop/counted_new.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#if CURFEW_LINUX
#include <pthread.h>
#endif

using namespace std::chrono_literals;
using namespace curfew;

namespace {

/// std::counting_semaphore, which loses wake-ups in the library of MinGW 12.
class semaphore {
 public:
  explicit semaphore(int count) : count_(count) {}
  void release() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_one();
  }
  void acquire() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ > 0; });
    --count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_;
};

/// What is inside of it is touched by the stream's thread alone, until a flush.
struct notebook final : event_sink {
  void write(const lifecycle_event& e) noexcept override {
    lines.push_back((e.kind == event_kind::lost ? "lost: " : "") + std::string(e.text));
    at.push_back(e.at);
  }
  bool flush(const stop_token&) noexcept override {
    lines.push_back("flush");
    return keeps;
  }
  std::vector<std::string> lines;
  std::vector<time_source::time_point> at;
  bool keeps = true;
};

/// Holds the stream inside write() of the event that says "hold".
struct gatekeeper final : event_sink {
  void write(const lifecycle_event& e) noexcept override {
    ++writes;
    if (e.text != "hold") return;
    entered.release();
    go.acquire();
  }
  bool flush(const stop_token&) noexcept override { return true; }
  std::atomic<int> writes{0};
  semaphore entered{0};
  semaphore go{0};
};

void started(event_stream& s) {
  std::error_code ec;
  s.start(ec);
  REQUIRE_FALSE(ec);
}

void say(event_stream& s, const std::string& text) { s.write({.text = text}); }

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("events arrive in the order in which they were written and a flush comes after them") {
  notebook a, b;
  event_stream s;
  s.add(a);
  s.add(b);
  started(s);
  say(s, "one");
  say(s, "two");
  CHECK(s.flush({}));
  CHECK(a.lines == lines{"one", "two", "flush"});
  CHECK(b.lines == a.lines);
  say(s, "three");
  CHECK(s.flush({}));
  CHECK(a.lines == lines{"one", "two", "flush", "three", "flush"});
  CHECK(s.lost() == 0);
}

TEST_CASE("an event arrives whole although its texts are gone by then") {
  struct : event_sink {
    void write(const lifecycle_event& e) noexcept override {
      all = std::string(e.part) + "," + std::string(e.caller.sid) + "," + std::string(e.verb) +
            "," + std::string(e.change) + "," + std::string(e.text);
      seen = e;
    }
    std::string all;
    lifecycle_event seen;
  } sink;
  event_stream s;
  s.add(sink);
  started(s);
  {
    std::string part = "db-pool", sid = "S-1-5-18", verb = "stop", change = "C-7", text = "because";
    s.write({.kind = event_kind::control,
             .part = part,
             .step = component_step::drain,
             .outcome = step_outcome::vetoed,
             .elapsed = 3ms,
             .limit = 4s,
             .reason = {stop_cause::control, 5, 6, 7},
             .place = {"here.cpp", 12},
             .text = text,
             .caller = {8, 9, sid},
             .verb = verb,
             .change = change,
             .allowed = true});
    for (std::string* const t : {&part, &sid, &verb, &change, &text}) t->assign(t->size(), '#');
  }
  REQUIRE(s.flush({}));
  CHECK(sink.all == "db-pool,S-1-5-18,stop,C-7,because");
  CHECK(sink.seen.kind == event_kind::control);
  CHECK(sink.seen.step == component_step::drain);
  CHECK(sink.seen.outcome == step_outcome::vetoed);
  CHECK(sink.seen.elapsed == 3ms);
  CHECK(sink.seen.limit == 4s);
  CHECK(sink.seen.reason == stop_reason{stop_cause::control, 5, 6, 7});
  CHECK(sink.seen.place.line == 12);
  CHECK(sink.seen.caller.pid == 8);
  CHECK(sink.seen.caller.uid == 9);
  CHECK(sink.seen.allowed);
}

TEST_CASE("a loss is counted and told between what came before it and what comes after") {
  gatekeeper gate;
  notebook book;
  event_stream s(3);
  s.add(gate);
  s.add(book);
  started(s);
  say(s, "hold");
  gate.entered.acquire();
  for (const char* const text : {"two", "three", "lost one", "lost two"}) say(s, text);
  CHECK(s.lost() == 2);
  gate.go.release();
  CHECK_FALSE(s.flush({}));  // not all of it is kept
  CHECK(book.lines == lines{"hold", "two", "three", "lost: 2 events are lost", "flush"});
  say(s, "after");
  CHECK_FALSE(s.flush({}));
  CHECK(book.lines.back() == "flush");
  CHECK(book.lines[5] == "after");
  CHECK(s.lost() == 2);
}

TEST_CASE("what is lost while events are waiting is told before the next one that is kept") {
  struct : event_sink {
    void write(const lifecycle_event& e) noexcept override {
      book.write(e);
      if (e.kind == event_kind::lost || e.text == "after") return;
      entered.release();
      go.acquire();
    }
    notebook book;
    semaphore entered{0};
    semaphore go{0};
  } sink;
  event_stream s(2);
  s.add(sink);
  started(s);
  say(s, "one");
  sink.entered.acquire();
  say(s, "two");
  say(s, "lost");
  sink.go.release();
  sink.entered.acquire();  // one is done with, two is at hand
  s.write({.at = time_source::time_point(7s), .text = "after"});
  sink.go.release();
  CHECK_FALSE(s.flush({}));
  CHECK(sink.book.lines == lines{"one", "two", "lost: 1 events are lost", "after"});
  CHECK(sink.book.at[2] == time_source::time_point(7s));
}

TEST_CASE("a flush ends when its token stops and the sink it waits for goes on") {
  gatekeeper gate;
  notebook book;
  event_stream s;
  s.add(gate);
  s.add(book);
  started(s);
  say(s, "hold");
  gate.entered.acquire();
  stop_source limit;
  std::atomic<bool> result{true};
  std::thread asker([&] { result = s.flush(limit.get_token()); });
  limit.request_stop();
  asker.join();
  CHECK_FALSE(result);
  stop_source past;
  past.request_stop();
  CHECK_FALSE(s.flush(past.get_token()));
  gate.go.release();
  CHECK(s.flush({}));
  CHECK(book.lines.front() == "hold");
}

TEST_CASE("a sink is flushed under the token of who asked") {
  struct : event_sink {
    void write(const lifecycle_event&) noexcept override {}
    bool flush(const stop_token& limit) noexcept override {
      entered.release();
      return !limit.wait();
    }
    semaphore entered{0};
  } sink;
  event_stream s;
  s.add(sink);
  started(s);
  for (int i = 0; i != 3; ++i) {  // the one that has stopped is not the next one's
    stop_source limit;
    std::thread asker([&] { CHECK_FALSE(s.flush(limit.get_token())); });
    sink.entered.acquire();
    limit.request_stop();
    asker.join();
  }
}

TEST_CASE("a sink that does not keep everything makes the flush false") {
  notebook good, bad;
  bad.keeps = false;
  event_stream s;
  s.add(bad);
  s.add(good);
  started(s);
  CHECK_FALSE(s.flush({}));
  CHECK(good.lines == lines{"flush"});
  bad.keeps = true;
  CHECK(s.flush({}));
}

TEST_CASE("a flush ends although events never do") {
  struct : event_sink {
    void write(const lifecycle_event& e) noexcept override { stream->write(e); }
    event_stream* stream = nullptr;
  } sink;
  event_stream s(64);
  sink.stream = &s;
  s.add(sink);
  started(s);
  say(s, "again");
  for (int i = 0; i != 20; ++i) static_cast<void>(s.flush({}));
}

TEST_CASE("a sink may write to the stream that feeds it") {
  struct : event_sink {
    void write(const lifecycle_event& e) noexcept override {
      if (e.text == "question") stream->write({.text = "answer"});
      seen.emplace_back(e.text);
    }
    event_stream* stream = nullptr;
    lines seen;
  } sink;
  event_stream s;
  sink.stream = &s;
  s.add(sink);
  started(s);
  say(s, "question");
  CHECK(s.flush({}));
  CHECK(s.flush({}));
  CHECK(sink.seen == lines{"question", "answer"});
}

TEST_CASE("what was written is passed on before the stream is gone") {
  notebook book;
  {
    event_stream s;
    s.add(book);
    started(s);
    for (int i = 0; i != 100; ++i) say(s, std::to_string(i));
  }
  REQUIRE(book.lines.size() == 101);
  CHECK(book.lines[99] == "99");
  CHECK(book.lines[100] == "flush");
}

TEST_CASE("a sink that hangs is left behind and no other one is called any more") {
  static gatekeeper gate;  // the thread that is left behind may still be leaving it
  struct : event_sink {
    void write(const lifecycle_event&) noexcept override { ++calls; }
    bool flush(const stop_token&) noexcept override { return ++calls != 0; }
    std::atomic<int> calls{0};
  } other;
  const auto before = std::chrono::steady_clock::now();
  {
    event_stream s;
    s.add(gate);
    s.add(other);
    started(s);
    say(s, "hold");
    gate.entered.acquire();
    say(s, "never passed on");
  }
  CHECK(std::chrono::steady_clock::now() - before < 60s);
  CHECK(other.calls == 0);
  gate.go.release();
  CHECK(gate.writes == 1);
}

TEST_CASE("a flush that heeds its token is waited for at the end") {
  struct heedful final : event_sink {
    void write(const lifecycle_event&) noexcept override {}
    bool flush(const stop_token& limit) noexcept override {
      limit.wait();
      returned = true;
      return false;
    }
    std::atomic<bool> returned{false};
  } sink;
  {
    event_stream s;
    s.add(sink);
    started(s);
  }
  CHECK(sink.returned);
}

TEST_CASE("to write allocates nothing whether there is room or not") {
  gatekeeper gate;
  event_stream s(4);
  s.add(gate);
  started(s);
  say(s, "hold");
  gate.entered.acquire();
  const std::string text(300, 'x');
  const test::allocation_tally tally;
  for (int i = 0; i != 10; ++i) s.write({.part = "db-pool", .text = text});
  CHECK(tally.made() == 0);
  CHECK(s.lost() == 7);
  gate.go.release();
}

TEST_CASE("nothing is kept for each event") {
  struct : event_sink {
    void write(const lifecycle_event&) noexcept override {}
  } sink;
  const test::allocation_tally tally;
  {
    event_stream s(8);
    s.add(sink);
    started(s);
    for (int i = 0; i != 1000; ++i) {
      say(s, "again");
      if (i % 100 == 0) static_cast<void>(s.flush({}));
    }
  }
  CHECK(tally.left() == 0);
}

TEST_CASE("each of many writers keeps its own order and every event is passed on or counted") {
  struct : event_sink {
    void write(const lifecycle_event& e) noexcept override {
      if (e.kind == event_kind::lost) {
        told += std::stoul(std::string(e.text));
        return;
      }
      const auto writer = static_cast<std::size_t>(e.reason.code);
      in_order = in_order && e.elapsed.count() > last[writer];
      last[writer] = e.elapsed.count();
      ++seen;
    }
    std::vector<long long> last = std::vector<long long>(4, -1);
    std::size_t seen = 0;
    std::size_t told = 0;
    bool in_order = true;
  } sink;
  constexpr int each = 5000;
  event_stream s(32);
  s.add(sink);
  started(s);
  std::vector<std::thread> writers;
  for (int w = 0; w != 4; ++w) {
    writers.emplace_back([&s, w] {
      for (int i = 0; i != each; ++i)
        s.write({.elapsed = time_source::duration(i), .reason = {.code = w}, .text = "x"});
    });
  }
  std::thread flusher([&s] {
    for (int i = 0; i != 20; ++i) static_cast<void>(s.flush({}));
  });
  for (std::thread& t : writers) t.join();
  flusher.join();
  static_cast<void>(s.flush({}));
  CHECK(sink.in_order);
  CHECK(sink.told == s.lost());
  CHECK(sink.seen + sink.told == 4 * each);
}

TEST_CASE("flushes from many threads all end") {
  notebook book;
  event_stream s;
  s.add(book);
  started(s);
  std::atomic<int> kept{0};
  std::vector<std::thread> askers;
  for (int i = 0; i != 8; ++i) {
    askers.emplace_back([&] {
      for (int k = 0; k != 50; ++k) {
        say(s, "x");
        kept += s.flush({}) ? 1 : 0;
      }
    });
  }
  for (std::thread& t : askers) t.join();
  CHECK(kept == 400);
}

TEST_CASE("a stream that was not started flushes nothing and goes in silence") {
  notebook book;
  {
    event_stream s;
    s.add(book);
    say(s, "nobody hears this");
    CHECK_FALSE(s.flush({}));
  }
  CHECK(book.lines.empty());
}

TEST_CASE("a capacity of nothing is one of one") {
  notebook book;
  event_stream s(0);
  s.add(book);
  started(s);
  say(s, "one");
  CHECK(s.flush({}));
  CHECK(book.lines == lines{"one", "flush"});
}

TEST_CASE("a token that stops already and the end of the stream do not meet") {
  for (int i = 0; i != 200; ++i) {
    notebook book;
    stop_source limit;
    std::thread stopper;
    {
      event_stream s(4);
      s.add(book);
      started(s);
      stopper = std::thread([&] { limit.request_stop(); });
      say(s, "one");
      static_cast<void>(s.flush(limit.get_token()));
    }
    stopper.join();
    CHECK(book.lines.front() == "one");
  }
}

#if CURFEW_LINUX && defined(__GLIBC__)
TEST_CASE("without a thread every event is lost and counted and nothing waits") {
  pthread_attr_t before, huge;
  REQUIRE(pthread_getattr_default_np(&before) == 0);
  pthread_attr_init(&huge);
  pthread_attr_setstacksize(&huge, std::size_t{1} << (sizeof(void*) == 8 ? 47 : 30));
  notebook book;
  std::error_code ec;
  {
    event_stream s;
    s.add(book);
    REQUIRE(pthread_setattr_default_np(&huge) == 0);
    s.start(ec);
    pthread_setattr_default_np(&before);
    say(s, "one");
    say(s, "two");
    CHECK(s.lost() == 2);
    CHECK_FALSE(s.flush({}));
  }
  CHECK(ec);
  CHECK(book.lines.empty());
  pthread_attr_destroy(&huge);
  pthread_attr_destroy(&before);
}
#endif
