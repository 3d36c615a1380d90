// SPDX-License-Identifier: BSL-1.0
//
// Between those who must not wait and those who may be slow: passes events on, on a thread of its
// own.
#ifndef CURFEW_SERVICE_EVENT_STREAM_HPP
#define CURFEW_SERVICE_EVENT_STREAM_HPP

#include <curfew/service/detail/stored_event.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/detail/thread.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
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
/// Thread safety: add() and start() come first, then write(), flush() and lost() from any thread.
/// The destructor gives the sinks a second to take what is left. A sink that hangs even then is
/// left behind with the thread that it holds, and must not be destroyed before it returns.
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
  /// Waits until all that was written before has been passed on, and every sink has been flushed.
  /// False: the token stopped first, or a sink could not keep all of it.
  bool flush(const stop_token& limit) noexcept override;

  [[nodiscard]] std::size_t lost() const noexcept;

 private:
  std::shared_ptr<detail::stream_state> state_;
  detail::thread thread_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

struct stream_state {
  explicit stream_state(std::size_t capacity) : ring(capacity != 0 ? capacity : 1) {}

  spin_lock lock;  // of what follows
  std::vector<stored_event> ring;
  std::uint64_t written = 0;  // events ever taken in
  std::uint64_t passed = 0;   // of these, passed on
  std::uint64_t flushes_asked = 0;
  std::uint64_t flushed = 0;  // the last one of these that has been made
  bool all_kept = true;       // by the last flush
  bool over = false;
  std::size_t lost = 0;
  std::size_t lost_untold = 0;

  std::vector<event_sink*> sinks;
  stop_source hurry;  // of the sinks' flushes

  // Counts changes of what is above, of which each is made under the lock and then counted. Who
  // waits reads the count, looks under the lock, and parks on what it read.
  std::atomic<std::uint32_t> news{0};

  void change() noexcept {
    news.fetch_add(1, std::memory_order_release);
    unpark_all(news);
  }
  void run() noexcept;
  bool pass_one(stored_event& e) noexcept;
  void tell_loss(std::size_t count, const lifecycle_event& next) noexcept;
  void flush_sinks(std::uint64_t ticket) noexcept;
};

/// False: there is none.
inline bool stream_state::pass_one(stored_event& e) noexcept {
  std::size_t missing = 0;
  {
    const spin_guard guard(lock);
    if (passed == written) return false;
    e = ring[passed % ring.size()];
    missing = std::exchange(lost_untold, 0);
  }
  if (missing != 0) tell_loss(missing, e.get());
  for (event_sink* const s : sinks) s->write(e.get());
  const spin_guard guard(lock);
  ++passed;
  return true;
}

inline void stream_state::tell_loss(std::size_t count, const lifecycle_event& next) noexcept {
  char text[64];
  std::snprintf(text, sizeof text, "%lu events are lost", static_cast<unsigned long>(count));
  const lifecycle_event loss{
      .kind = event_kind::lost, .wall = next.wall, .at = next.at, .text = text};
  for (event_sink* const s : sinks) s->write(loss);
}

inline void stream_state::flush_sinks(std::uint64_t ticket) noexcept {
  bool all = true;
  for (event_sink* const s : sinks) all = s->flush(hurry.get_token()) && all;
  {
    const spin_guard guard(lock);
    flushed = ticket;
    all_kept = all && lost == 0;
  }
  change();
}

/// What was written before a flush was asked for is passed on before it is made.
inline void stream_state::run() noexcept {
  stored_event e;
  for (;;) {
    const std::uint32_t seen = news.load(std::memory_order_acquire);
    std::uint64_t ticket = 0;
    bool flushes = false, ends = false;
    {
      const spin_guard guard(lock);
      ticket = flushes_asked;
      flushes = ticket != flushed;
      ends = over;
    }
    while (pass_one(e)) {
    }
    if (flushes) flush_sinks(ticket);
    if (ends) return;
    if (!flushes) park(news, seen);
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
  if (own == nullptr)
    return static_cast<void>(ec = std::make_error_code(std::errc::not_enough_memory));
  if (!thread_.start(&detail::run_stream, own, ec)) delete own;
}

inline void event_stream::write(const lifecycle_event& e) noexcept {
  detail::stream_state& s = *state_;
  {
    const detail::spin_guard guard(s.lock);
    if (s.written - s.passed == s.ring.size()) {
      ++s.lost;
      ++s.lost_untold;
      return;
    }
    s.ring[s.written % s.ring.size()] = detail::stored_event(e);
    ++s.written;
  }
  s.change();
}

inline bool event_stream::flush(const stop_token& limit) noexcept {
  detail::stream_state& s = *state_;
  if (!thread_.joinable()) return false;
  std::uint64_t ticket = 0;
  {
    const detail::spin_guard guard(s.lock);
    ticket = ++s.flushes_asked;
  }
  s.change();
  const stop_callback wake(limit, [&s]() noexcept { s.change(); });
  for (;;) {
    const std::uint32_t seen = s.news.load(std::memory_order_acquire);
    {
      const detail::spin_guard guard(s.lock);
      if (s.flushed >= ticket) return s.all_kept;
    }
    if (limit.stop_requested()) return false;
    detail::park(s.news, seen);
  }
}

inline std::size_t event_stream::lost() const noexcept {
  const detail::spin_guard guard(state_->lock);
  return state_->lost;
}

inline event_stream::~event_stream() {
  if (!thread_.joinable()) return;
  std::error_code ec;
  const inplace_stop_source patience(time_source::process(), std::chrono::seconds(1), ec);
  const stop_source limit;
  const inplace_stop_callback spent(patience.get_token(),
                                    [&] { stop_source(limit).request_stop(); });
  const bool hangs = !flush(limit.get_token()) && limit.stop_requested();
  {
    const detail::spin_guard guard(state_->lock);
    state_->over = true;
  }
  state_->hurry.request_stop();
  state_->change();
  hangs ? thread_.detach() : thread_.join();
}

CURFEW_END

#endif
