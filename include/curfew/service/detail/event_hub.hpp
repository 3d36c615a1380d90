// SPDX-License-Identifier: BSL-1.0
//
// One order for all that is told of a run, whoever tells it: its components, its control endpoint,
// the thread that decides how it ended.
#ifndef CURFEW_SERVICE_DETAIL_EVENT_HUB_HPP
#define CURFEW_SERVICE_DETAIL_EVENT_HUB_HPP

#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/spin_lock.hpp>
#include <curfew/stop/stop_token.hpp>

#include <vector>

CURFEW_BEGIN
namespace detail {

/// Its sinks only store, and outlive it. Thread safety: add() before anything else; write() and
/// flush() from any thread.
class event_hub final : public event_sink {
 public:
  void add(event_sink& sink) { sinks_.push_back(&sink); }

  void write(const lifecycle_event& e) noexcept override {
    const spin_guard guard(lock_);
    for (event_sink* const s : sinks_) s->write(e);
  }
  bool flush(const stop_token& limit) noexcept override {
    bool all = true;
    for (event_sink* const s : sinks_) all = s->flush(limit) && all;
    return all;
  }

 private:
  spin_lock lock_;
  std::vector<event_sink*> sinks_;
};

}  // namespace detail
CURFEW_END

#endif
