// SPDX-License-Identifier: BSL-1.0
//
// What a health shares with the threads of its checks.
#ifndef CURFEW_SERVICE_DETAIL_HEALTH_STATE_HPP
#define CURFEW_SERVICE_DETAIL_HEALTH_STATE_HPP

#include <curfew/release/label.hpp>
#include <curfew/service/detail/component_worker.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/service/detail/health_function.hpp>
#include <curfew/service/detail/health_parts.hpp>
#include <curfew/service/health_options.hpp>
#include <curfew/service/health_report.hpp>
#include <curfew/service/heartbeat.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/detail/park.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// One look of a check, from the order for it to its return.
struct health_run {
  time_source::time_point began = {};
  time_source::time_point due = {};
  stop_source done;  // below the health's own; stopped when the look has ended
  stop_source cut;   // below that; its deadline is `due`
  thread_id runner = 0;
  bool awaited = false;  // by the end of the health
};

struct health_record {
  health_record(const label& l, std::unique_ptr<health_function> f, const health_options& o)
      : name(l.text), place(l.place), function(std::move(f)), options(o) {}

  const std::string name;
  const source_place place;
  std::unique_ptr<health_function> function;  // until the health ends, or its last look
  const health_options options;
  component_worker worker = {};

  // What the last look found.
  health_status status = health_status::unknown;
  error_note text = {};
  time_source::duration elapsed = {};
  time_source::time_point ended = {};

  std::optional<health_run> run = {};  // that goes on, be it late
  bool hangs = false;                  // when the health has ended
};

/// Texts of durations fit into a string without an allocation.
inline error_note late_text(const health_record& r, time_source::duration elapsed) noexcept {
  error_note text("timed out: ");
  return text.append(to_text(elapsed)).append(" of ").append(to_text(r.options.timeout));
}

struct health_beat {
  std::string name;
  source_place place;
  health_probes probes;
  time_source::duration limit;
  std::shared_ptr<pulse> heart;
};

/// Whether a look is late is not an event: who asks sees it by the clock. So nothing has to happen
/// in time but an asker's own wait, which ends with the look, when that is due, or with a stop.
///
/// Thread safety: lock_ guards all but what is const or atomic. No function of the user's runs
/// under it.
class health_state final : public step_performer,
                           public std::enable_shared_from_this<health_state> {
 public:
  using duration = time_source::duration;
  using time_point = time_source::time_point;

  explicit health_state(const stop_token& token)
      : clock_(token.clock()), token_(token), closing_(token) {}

  void add(const label& name, std::unique_ptr<health_function> f, const health_options& options);
  [[nodiscard]] heartbeat add_beat(const label& name, duration limit, health_probes probes);
  void watch(std::weak_ptr<const lifecycle_state> parts);
  void started() noexcept { said_.store(true, std::memory_order_release); }

  [[nodiscard]] health_report ask(health_probe probe);
  [[nodiscard]] health_report read(health_probe probe);
  void close() noexcept;

  // ---- on the threads of the checks
  void perform(const step_order& order) noexcept override;

 private:
  struct wait {
    stop_token done;
    time_point due;
  };

  // ---- looks
  [[nodiscard]] bool looks_for(health_probe probe);
  void begin_looks(health_probe probe, std::vector<wait>* waits);
  [[nodiscard]] bool fresh(const health_record& r, time_point now) const noexcept;
  void begin(health_record& r, std::uint32_t number, time_point now);
  static void note(health_record& r, health_status status, std::string_view text, duration elapsed,
                   time_point ended) noexcept;
  void end(health_record& r, const health_result& found, const error_note& error) noexcept;
  [[nodiscard]] bool on_own_thread() noexcept;

  // ---- the report
  [[nodiscard]] bool has_started();
  [[nodiscard]] std::vector<health_parts> parts();
  [[nodiscard]] health_report report(health_probe probe);
  void add_entries(health_report& r);
  [[nodiscard]] static health_entry entry_of(const health_record& r, time_point now);
  [[nodiscard]] static health_entry entry_of(const health_beat& b, time_point now);
  void judge(health_report& r, bool started);
  void refuse_taken(std::string_view name) const;

  time_source& clock_;
  const stop_token token_;
  stop_source closing_;  // no look begins, and none that goes on is of use: a stop, or the end

  // The program's own word that its start is over: who reads it with acquire and then has a check
  // called, has everything before the word seen by the check.
  std::atomic<bool> said_{false};
  // That the start is over, and that this has been told. Both stay; relaxed, since who wants what
  // was done before reads said_, or the lifecycle under its lock, or begins under lock_.
  std::atomic<bool> begun_{false};
  std::atomic<bool> startup_over_{false};

  std::mutex lock_;
  std::deque<health_record> records_;
  std::vector<health_beat> beats_;
  std::vector<health_parts> parts_;
  std::size_t awaited_ = 0;
  inplace_stop_source* nap_ = nullptr;  // what the end of the health sleeps on
};

}  // namespace detail
CURFEW_END

#include <curfew/service/detail/health_looking.hpp>
#include <curfew/service/detail/health_telling.hpp>

#endif
