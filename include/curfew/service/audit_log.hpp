// SPDX-License-Identifier: BSL-1.0
//
// Who asked for what, when, and what came of it: one line of JSON for each event, in a file that
// only grows.
#ifndef CURFEW_SERVICE_AUDIT_LOG_HPP
#define CURFEW_SERVICE_AUDIT_LOG_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/append_file.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/event_json.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/detail/spin_lock.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

CURFEW_BEGIN

/// When lines are forced to the disk, which takes milliseconds each time.
enum class audit_sync : std::uint8_t { never, at_flush, each_line };

/// Which lines an audit_log writes, and how safely.
struct audit_options {
  std::string service = {};  ///< the name in each line; empty: none
  audit_sync sync = audit_sync::at_flush;
  /// Progress and the steps of components too; else what is asked, decided, and goes wrong.
  bool all_events = false;
  /// Of a file that is made here, less what the umask takes. On Windows its folder decides.
  unsigned mode = 0600;
};

/// Appends lines such as this one, each with a single call of the system, so that several processes
/// may share a file that is on a local disk:
///
///     {"time":"2026-11-30T19:48:08.123456Z","service":"orders","pid":4711,"event":"control",
///      "actor":{"pid":815,"uid":1000},"verb":"stop","change":"C-7","decision":"allow"}
///
/// Members: time, service, pid, event, part, step, outcome, elapsed_us, limit_us, reason {text,
/// cause, code, pid, uid}, actor {pid, uid, sid}, verb, change, decision, text, place; those
/// without a meaning for an event are left out. The words are those of to_string(). A line is valid
/// JSON whatever its texts are made of.
///
/// A line that is not written whole, as on a full disk, is lost and counted, and the next one
/// begins on a line of its own. The path may be that of a pipe or a device, "/dev/stdout" for one,
/// and of a link to it; what a pipe has no room for is lost.
///
///     curfew::audit_log audit("/var/log/orders/audit.jsonl", {.service = "orders"});
///     ... components(declare, {.sinks = {&audit}}) ...
///
/// Thread safety: write() and flush() from one thread at a time, as an event_stream does; reopen()
/// and lost() from any thread beside it.
class audit_log final : public event_sink {
 public:
  /// Throws std::system_error when the file cannot be opened.
  explicit audit_log(std::string path, audit_options options = {});
  /// With an error, all lines are lost, and counted, until reopen() finds the file.
  audit_log(std::string path, std::error_code& ec, audit_options options = {});
  audit_log(const audit_log&) = delete;
  audit_log& operator=(const audit_log&) = delete;
  ~audit_log() = default;

  void write(const lifecycle_event& e) noexcept override;
  /// Whether every line has been written so far, and is on the disk unless `sync` is never. The
  /// disk is waited for: no token can hurry it.
  inline bool flush(const stop_token& limit) noexcept override;

  /// Opens the path anew, after somebody has moved the file away: the lines that begin to be
  /// written after this go there. With an error, they go where they went before.
  void reopen(std::error_code& ec);

  /// Lines that are not in the file, or not whole.
  [[nodiscard]] std::size_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool keeps(event_kind k) const noexcept;
  [[nodiscard]] std::string line_of(const lifecycle_event& e) const;
  void append(const std::string& line) noexcept;
  void take_next() noexcept;
  void sync() noexcept;
  [[nodiscard]] bool open(detail::append_file& file, std::error_code& ec) const;

  const std::string path_;
  const audit_options options_;
  detail::append_file file_;
  bool torn_ = false;       // the file ends inside a line of ours
  bool unforced_ = false;   // lines were written that no sync has followed
  bool all_forced_ = true;  // no sync has ever failed

  std::atomic<std::size_t> lost_{0};  // relaxed: a count, and nothing hangs on it
  detail::spin_lock lock_;            // of what follows
  std::optional<detail::append_file> next_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// What somebody has asked for, what was decided, and what did not go as it should.
[[nodiscard]] constexpr bool is_audited(event_kind k) noexcept {
  switch (k) {
    case event_kind::step_began:
    case event_kind::step_ended:
    case event_kind::progress:
    case event_kind::step_late:
    case event_kind::restarting: return false;
    default: return true;
  }
}

}  // namespace detail

inline audit_log::audit_log(std::string path, audit_options options)
    : path_(std::move(path)), options_(std::move(options)) {
  std::error_code ec;
  if (!open(file_, ec)) {
    const std::string text = "no audit log at " + path_ +
                             ": it is appended to, in a folder that is there; choose one that can "
                             "be written to";
    detail::throw_error_code(ec, text.c_str());
  }
  torn_ = detail::append_file::ends_torn(path_);
}

inline audit_log::audit_log(std::string path, std::error_code& ec, audit_options options)
    : path_(std::move(path)), options_(std::move(options)) {
  if (open(file_, ec)) torn_ = detail::append_file::ends_torn(path_);
}

inline bool audit_log::open(detail::append_file& file, std::error_code& ec) const {
  ec.clear();
  file.open(path_, false, options_.sync != audit_sync::never, options_.mode, ec);
  return !ec;
}

inline void audit_log::reopen(std::error_code& ec) {
  std::optional<detail::append_file> file(std::in_place);
  if (!open(*file, ec)) return;
  const detail::spin_guard guard(lock_);
  std::swap(next_, file);
}

inline bool audit_log::keeps(event_kind k) const noexcept {
  return options_.all_events || detail::is_audited(k);
}

/// A line that there is no memory for is lost like any other.
inline void audit_log::write(const lifecycle_event& e) noexcept {
  if (!keeps(e.kind)) return;
  std::string line;
  static_cast<void>(detail::attempt([&] { line = line_of(e); }));
  append(line);
}

inline std::string audit_log::line_of(const lifecycle_event& e) const {
  detail::json_writer json;
  detail::json_fields fields(json);
  json.begin('{').member("time", detail::rfc3339(detail::wall_of(e)));
  if (!options_.service.empty()) json.member("service", options_.service);
  json.member("pid", detail::process_id());
  detail::put_fields(e, fields);
  if (e.place.line != 0) json.member("place", detail::place_of(e.place));
  return "\n" + json.end().take() + "\n";
}

/// It has a newline at both of its ends, of which the first is for a torn one before it.
inline void audit_log::append(const std::string& line) noexcept {
  take_next();
  const std::string_view text = std::string_view(line).substr(torn_ || line.empty() ? 0 : 1);
  const std::size_t done = file_.is_open() && !text.empty() ? file_.write(text) : 0;
  if (done != 0) torn_ = done != text.size();
  if (done == 0 || torn_) lost_.fetch_add(1, std::memory_order_relaxed);
  unforced_ = unforced_ || done != 0;
  if (options_.sync == audit_sync::each_line) sync();
}

/// What was written to the file before has to be kept there.
inline void audit_log::take_next() noexcept {
  std::optional<detail::append_file> next;
  {
    const detail::spin_guard guard(lock_);
    std::swap(next, next_);
  }
  if (!next) return;
  if (options_.sync != audit_sync::never) sync();
  file_ = std::move(*next);
  torn_ = false;  // a file that was moved away is followed by a new one
}

inline void audit_log::sync() noexcept {
  if (!std::exchange(unforced_, false)) return;
  all_forced_ = file_.sync() && all_forced_;
}

inline bool audit_log::flush(const stop_token&) noexcept {
  take_next();
  if (options_.sync != audit_sync::never) sync();
  return lost() == 0 && all_forced_;
}

CURFEW_END

#endif
