// SPDX-License-Identifier: BSL-1.0
//
// Between those who must not wait and those who may be slow: passes events on, on a thread of its
// own.
#ifndef CURFEW_SERVICE_EVENT_STREAM_HPP
#define CURFEW_SERVICE_EVENT_STREAM_HPP

#include <curfew/service/detail/stored_event.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN

namespace detail {
struct stream_state;
}

/// Keeps up to `capacity` events, allocated beforehand; what comes when it is full is lost, which
/// is counted and told to the sinks in its place. Texts are cut to some hundred bytes.
///
/// Thread safety: add() and start() come first, then write(), flush() and lost() from any thread;
/// a sink may write, but not flush, the stream that feeds it. The destructor gives the sinks a
/// second to take what is left. A sink that hangs even then is left behind with the thread that it
/// holds, and must not be destroyed before it returns.
class event_stream final : public event_sink {
 public:
  explicit event_stream(std::size_t capacity = 512);
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  ~event_stream();

  void add(event_sink& sink);
  /// An error: there is no thread, and all events are lost.
  void start(std::error_code& ec) noexcept;

  /// Never waits.
  void write(const lifecycle_event& e) noexcept override;
  /// Waits until all that was written before has been passed on, and every sink has been flushed,
  /// each of them by the same token. False: the token stopped first, or something is lost, here or
  /// in a sink. Flushes that are asked for at the same time are one, under the last one's token.
  bool flush(const stop_token& limit) noexcept override;

  [[nodiscard]] std::size_t lost() const noexcept;

 private:
  std::shared_ptr<detail::stream_state> state_;
  detail::thread thread_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

struct stream_slot {
  stored_event event;
  std::size_t lost_before = 0;  // between this one and the one before it
};

struct stream_state {
  explicit stream_state(std::size_t capacity) : ring(capacity != 0 ? capacity : 1) {}

  spin_lock lock;  // of what follows
  std::vector<stream_slot> ring;
  std::uint64_t written = 0;  // events ever taken in
  std::uint64_t passed = 0;   // of these, passed on
  std::uint64_t flushes_asked = 0;
  std::uint64_t flushed = 0;  // the last one of these that has been made
  stop_token flush_limit;     // of the last one that was asked for
  bool all_kept = true;       // by the last flush
  bool over = false;          // no sink is called from now on
  std::size_t lost = 0;
  std::size_t lost_last = 0;  // since the last event that was taken in

  std::vector<event_sink*> sinks;
  stop_source hurry;  // of the last flush

  // Counts changes of what is above, of which each is made under the lock and then counted. Who
  // waits reads the count, looks under the lock, and parks on what it read.
  std::atomic<std::uint32_t> news{0};

  // What the thread finds to do, in this order.
  struct duties {
    std::uint64_t to_pass = 0;  // all events before this one
    std::uint64_t flush = 0;    // 0: none is asked for
    stop_token limit = {};
    bool end = false;
  };

  void change() noexcept {
    news.fetch_add(1, std::memory_order_release);
    unpark_all(news);
  }
  bool take(const stored_event& e) noexcept;
  std::uint64_t ask_flush(stop_token limit) noexcept;
  bool await_flush(std::uint64_t ticket, const stop_token& limit,
                   time_source::time_point until = (time_source::time_point::max)()) noexcept;
  void end() noexcept;
  void run() noexcept;

 private:
  duties look() noexcept;
  void pass_until(std::uint64_t end, stream_slot& at_hand) noexcept;
  void tell_loss(std::size_t count, const lifecycle_event& near_by) noexcept;
  void flush_sinks(const duties& d) noexcept;
  template <class F>
  void each_sink(F f) noexcept;
};

inline bool stream_state::take(const stored_event& e) noexcept {
  const spin_guard guard(lock);
  if (over || written - passed == ring.size()) {
    ++lost;
    ++lost_last;
    return false;
  }
  ring[as<std::size_t>(written % ring.size())] = {e, std::exchange(lost_last, 0)};
  ++written;
  return true;
}

/// What the asker before has held goes when the lock has been given back.
inline std::uint64_t stream_state::ask_flush(stop_token limit) noexcept {
  std::uint64_t ticket = 0;
  {
    const spin_guard guard(lock);
    std::swap(flush_limit, limit);
    ticket = ++flushes_asked;
  }
  change();
  return ticket;
}

/// False: too late.
inline bool stream_state::await_flush(std::uint64_t ticket, const stop_token& limit,
                                      time_source::time_point until) noexcept {
  const stop_callback wake(limit, [this]() noexcept { change(); });
  for (bool in_time = true;;) {
    const std::uint32_t seen = news.load(std::memory_order_acquire);
    {
      const spin_guard guard(lock);
      if (flushed >= ticket) return true;
    }
    if (!in_time || limit.stop_requested()) return false;
    in_time = park_until(news, seen, until);
  }
}

/// A sink that was called before is the last one that was.
inline void stream_state::end() noexcept {
  {
    const spin_guard guard(lock);
    over = true;
  }
  change();
}

template <class F>
void stream_state::each_sink(F f) noexcept {
  for (event_sink* const s : sinks) {
    {
      const spin_guard guard(lock);
      if (over) return;
    }
    f(*s);
  }
}

/// The events lost last come after all that are passed on here.
inline void stream_state::pass_until(std::uint64_t end, stream_slot& at_hand) noexcept {
  for (std::uint64_t next = passed; next != end; ++next) {
    {
      const spin_guard guard(lock);
      at_hand = ring[as<std::size_t>(next % ring.size())];
    }
    if (at_hand.lost_before != 0) tell_loss(at_hand.lost_before, at_hand.event.get());
    each_sink([e = at_hand.event.get()](event_sink& s) { s.write(e); });
    const spin_guard guard(lock);
    ++passed;
  }
  std::size_t last = 0;
  {
    const spin_guard guard(lock);
    if (passed == written) last = std::exchange(lost_last, 0);
  }
  if (last != 0) tell_loss(last, at_hand.event.get());
}

inline void stream_state::tell_loss(std::size_t count, const lifecycle_event& near_by) noexcept {
  char text[64];
  std::snprintf(text, sizeof text, "%llu events are lost", static_cast<unsigned long long>(count));
  const lifecycle_event loss{
      .kind = event_kind::lost, .wall = near_by.wall, .at = near_by.at, .text = text};
  each_sink([&](event_sink& s) { s.write(loss); });
}

inline void stream_state::flush_sinks(const duties& d) noexcept {
  bool all = true;
  each_sink([&](event_sink& s) { all = s.flush(d.limit) && all; });
  {
    const spin_guard guard(lock);
    flushed = d.flush;
    all_kept = all && lost == 0;
  }
  change();
}

inline stream_state::duties stream_state::look() noexcept {
  duties d;
  const spin_guard guard(lock);
  d.to_pass = written;
  if (flushes_asked != flushed) d.flush = flushes_asked;
  if (d.flush != 0) d.limit = flush_limit;
  d.end = over;
  return d;
}

/// What was written before a flush was asked for is passed on before it is made; what is written
/// meanwhile does not hold it up.
inline void stream_state::run() noexcept {
  stream_slot at_hand;
  for (;;) {
    const std::uint32_t seen = news.load(std::memory_order_acquire);
    const duties d = look();
    pass_until(d.to_pass, at_hand);
    if (d.flush != 0) flush_sinks(d);
    if (d.end) return;
    park(news, seen);
  }
}

inline void run_stream(void* opaque) noexcept {
  const std::unique_ptr<std::shared_ptr<stream_state>> state(
      static_cast<std::shared_ptr<stream_state>*>(opaque));
  (*state)->run();
}

}  // namespace detail

inline event_stream::event_stream(std::size_t capacity)
    : state_(std::make_shared<detail::stream_state>(capacity)) {}

inline void event_stream::add(event_sink& sink) { state_->sinks.push_back(&sink); }

inline void event_stream::start(std::error_code& ec) noexcept {
  auto* const own = new (std::nothrow) std::shared_ptr<detail::stream_state>(state_);
  if (own == nullptr) ec = std::make_error_code(std::errc::not_enough_memory);
  if (own != nullptr && thread_.start(&detail::run_stream, own, ec)) return;
  delete own;
  state_->end();
}

inline void event_stream::write(const lifecycle_event& e) noexcept {
  if (state_->take(detail::stored_event(e))) state_->change();
}

inline bool event_stream::flush(const stop_token& limit) noexcept {
  detail::stream_state& s = *state_;
  if (!thread_.joinable() || !s.await_flush(s.ask_flush(limit), limit)) return false;
  const detail::spin_guard guard(s.lock);
  return s.all_kept;
}

inline std::size_t event_stream::lost() const noexcept {
  const detail::spin_guard guard(state_->lock);
  return state_->lost;
}

/// Real time: a sink hangs on no other. One that heeds its token has a moment to return.
inline event_stream::~event_stream() {
  if (!thread_.joinable()) return;
  constexpr std::chrono::milliseconds patience(1000), moment(100);
  detail::stream_state& s = *state_;
  const std::uint64_t last = s.ask_flush(s.hurry.get_token());
  bool returned = s.await_flush(last, {}, std::chrono::steady_clock::now() + patience);
  s.hurry.request_stop();
  if (!returned) returned = s.await_flush(last, {}, std::chrono::steady_clock::now() + moment);
  s.end();
  returned ? thread_.join() : thread_.detach();
}

CURFEW_END

#endif
