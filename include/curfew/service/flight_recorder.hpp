// SPDX-License-Identifier: BSL-1.0
//
// Keeps what a program does just now where it outlives the program, however that ends: the next
// run can say how the last one did.
#ifndef CURFEW_SERVICE_FLIGHT_RECORDER_HPP
#define CURFEW_SERVICE_FLIGHT_RECORDER_HPP

#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/detail/fixed_text.hpp>
#include <curfew/service/detail/recorder_file.hpp>
#include <curfew/service/detail/recorder_history.hpp>
#include <curfew/service/detail/recorder_values.hpp>
#include <curfew/service/flight_recording.hpp>
#include <curfew/service/lifecycle_event.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

CURFEW_BEGIN

/// How much a flight_recorder keeps, and whose time it writes down.
struct flight_recorder_options {
  /// Of the file, in bytes, between 16 KiB and 16 MiB: a record takes 160 of them, and a component
  /// that starts, drains and stops makes six. A file that is there already keeps its size.
  std::size_t size = std::size_t{256} * 1024;
  /// Whose time the events have, and touch() tells. It outlives the recorder.
  time_source* clock = &time_source::process();
};

/// A ring in a file of bounded size that is mapped into memory: what is written is where it is kept
/// with the store itself, and needs nothing of a process that is just being killed.
///
///     std::error_code ec;
///     curfew::flight_recorder recorder("/var/lib/orders/orders.flight", ec);
///     if (ec) warn(ec); else log(how_the_last_run_ended(recorder.earlier()));
///     parts.observe(recorder);
///
/// It never harms a start: where it cannot record it says why and does nothing. A record that was
/// being written when the process was killed is recognised and left out. What the ring holds
/// survives the process, not the machine: nothing is forced to the disk.
///
/// The file is its owner's alone (on Windows it inherits the access rights of its folder), its
/// blocks are allocated before they are mapped, and while somebody records no other recorder and,
/// on Windows, no other writer has it. Elsewhere whoever may write may cut it short: that is
/// noticed before each store, and ends the recording. What remains on POSIX, as with any mapping,
/// is a SIGBUS if it is cut short in that very instant, if the disk itself fails, or if a file
/// system that copies on write is full: where that matters, keep it on a tmpfs such as /run.
///
/// Thread safety: write() from one thread at a time, also while others call touch(). Not for a
/// child made by fork.
class flight_recorder final : public event_sink {
 public:
  /// Records nothing.
  flight_recorder() noexcept = default;
  /// Reads what earlier runs have left, and begins a run. An error: it records nothing. Beside the
  /// system's own errors: device_or_resource_busy: another recorder has it. file_exists: no
  /// recorder has made what is there, which is left as it is. invalid_argument: a link, a pipe, a
  /// device; is_a_directory or permission_denied: a directory, as the system has it. A recording of
  /// another version or a damaged one is made anew.
  flight_recorder(const std::string& path, std::error_code& ec,
                  flight_recorder_options options = {});
  flight_recorder(const flight_recorder&) = delete;
  flight_recorder& operator=(const flight_recorder&) = delete;
  /// The run has ended in order, whether or not an event said how.
  ~flight_recorder();

  [[nodiscard]] bool is_recording() const noexcept { return on_.load(std::memory_order_relaxed); }
  /// What was there before this run; also if it cannot be recorded into, but can be read.
  [[nodiscard]] const flight_recording& earlier() const noexcept { return earlier_; }

  /// Some hundred nanoseconds. Texts that are too long are cut.
  void write(const lifecycle_event& e) noexcept override;

  /// The run is alive: what is open now has been so until now. Called now and then, ten times a
  /// second at most; that is as exactly as it is kept.
  void touch() noexcept;

 private:
  void begin(const std::string& path, const flight_recorder_options& options, std::error_code& ec);
  void map(std::string_view bytes, std::size_t size, std::error_code& ec);
  void begin_run(const detail::recorder_history& h) noexcept;
  [[nodiscard]] bool still_there() noexcept;
  void put(std::size_t ring, const detail::recorder_slot& s) noexcept;

  // on_: set before others know of this, cleared by whoever finds the file cut short: relaxed,
  // since nothing else hangs on it.
  std::atomic<bool> on_{false};
  // In the file. Only the next process reads it, and that after this one has ended.
  std::atomic<std::uint32_t>* beat_ = nullptr;
  std::atomic<std::uint32_t>* closed_ = nullptr;

  detail::recorder_file file_;
  flight_recording earlier_;
  unsigned char* memory_ = nullptr;
  const time_source* clock_ = nullptr;
  time_source::time_point began_{};
  std::uint32_t run_ = 0;
  std::uint64_t number_ = 0;
  detail::recorder_rings rings_{};
  std::array<std::size_t, 2> next_{};  // where the rings go on: talk, and what matters
};

/// Where a service under systemd may keep it: NAME.flight in the first of $STATE_DIRECTORY, else
/// of $RUNTIME_DIRECTORY. Empty: there is no such place, so nothing is to be recorded.
[[nodiscard]] std::string default_flight_path(std::string_view name);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// At most `room` bytes, not ending inside a character.
[[nodiscard]] inline std::uint8_t copy_text(std::string_view text, char* to,
                                            std::size_t room) noexcept {
  std::size_t size = lesser(text.size(), room);
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0u) == 0x80u;
  };
  for (int back = 0; back != 3 && size != 0 && continues(size); ++back) --size;
  if (size != 0) std::memcpy(to, text.data(), size);
  return static_cast<std::uint8_t>(size);
}

/// "allowed: reload" and what else was said of it.
[[nodiscard]] inline fixed_text<sizeof(recorder_slot::text)> asked_text(
    const lifecycle_event& e) noexcept {
  fixed_text<sizeof(recorder_slot::text)> text(e.allowed ? "allowed: " : "denied: ");
  text.append(e.verb);
  if (!e.text.empty()) text.append(", ").append(e.text);
  return text;
}

inline void put_texts(recorder_slot& s, const lifecycle_event& e) noexcept {
  s.part_size = copy_text(e.part, s.text, recorder_part_most);
  char* const to = s.text + s.part_size;
  const std::size_t room = sizeof s.text - s.part_size;
  const bool asked = e.kind == event_kind::control;
  s.text_size = copy_text(asked ? asked_text(e).view() : e.text, to, room);
}

[[nodiscard]] inline recorder_slot slot_of(const lifecycle_event& e) noexcept {
  const bool asked = e.kind == event_kind::control;
  recorder_slot s;
  s.wall = in_us(e.wall);
  s.at = in_ns(e.at.time_since_epoch());
  s.elapsed = in_ns(e.elapsed);
  s.limit = in_ns(e.limit);
  s.pid = asked ? e.caller.pid : e.reason.pid;
  s.uid = asked ? e.caller.uid : e.reason.uid;
  s.code = e.reason.code;
  s.kind = static_cast<std::uint8_t>(e.kind);
  s.step = static_cast<std::uint8_t>(e.step);
  s.outcome = static_cast<std::uint8_t>(e.outcome);
  s.cause = static_cast<std::uint8_t>(e.reason.cause);
  put_texts(s, e);
  return s;
}

/// What may be said any number of times.
[[nodiscard]] constexpr bool is_talk(event_kind k) noexcept {
  return k == event_kind::progress || k == event_kind::step_late || k == event_kind::control;
}

/// Stored in place, while others may read the file.
[[nodiscard]] inline std::atomic<std::uint32_t>* word_at(unsigned char* place) noexcept {
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) &&
                std::atomic<std::uint32_t>::is_always_lock_free);
  return ::new (static_cast<void*>(place)) std::atomic<std::uint32_t>(0);
}

}  // namespace detail

inline flight_recorder::flight_recorder(const std::string& path, std::error_code& ec,
                                        flight_recorder_options options) {
  ec.clear();
  begin(path, options, ec);
  if (!ec || ec == std::errc::device_or_resource_busy || ec == std::errc::file_exists) return;
  std::error_code unreadable;  // the reason that is told is the first one
  if (earlier_.runs.empty()) earlier_ = read_flight_recording(path, unreadable);
}

inline void flight_recorder::begin(const std::string& path, const flight_recorder_options& options,
                                   std::error_code& ec) {
  file_.open_to_record(path, ec);
  if (ec) return;
  const std::string bytes = file_.read(detail::recorder_most, ec);
  if (!ec && !bytes.empty() && !detail::is_recorder_file(bytes)) {
    ec = std::make_error_code(std::errc::file_exists);
  }
  if (ec) return;
  detail::recorder_history history;
  if (!detail::check_recorder_file(bytes)) history = detail::read_history(bytes);
  earlier_ = detail::assemble(history);
  clock_ = options.clock;
  map(bytes, detail::within(options.size, detail::recorder_least, detail::recorder_most), ec);
  if (ec) return;
  if (!detail::can_go_on(bytes)) history.next = {0, rings_.talk};
  begin_run(history);
}

/// The header comes first, and by itself: a file that is ours is known as ours at every instant.
inline void flight_recorder::map(std::string_view bytes, std::size_t size, std::error_code& ec) {
  const bool goes_on = detail::can_go_on(bytes);
  if (goes_on) size = bytes.size();
  if (!goes_on) {
    detail::recorder_header h;
    std::memcpy(h.magic, detail::recorder_magic, sizeof h.magic);
    h.version = detail::recorder_version;
    h.byte_order = detail::recorder_byte_order;
    h.size = static_cast<std::uint32_t>(size);
    h.slot_size = sizeof(detail::recorder_slot);
    file_.write(&h, sizeof h, ec);
  }
  if (!ec) memory_ = file_.map(size, ec);
  if (ec) return;
  rings_ = detail::recorder_rings::of(size);
  if (!goes_on)
    std::memset(memory_ + sizeof(detail::recorder_header), 0,
                size - sizeof(detail::recorder_header));
}

inline void flight_recorder::begin_run(const detail::recorder_history& h) noexcept {
  run_ = h.last_run + 1;
  number_ = h.last_number;
  next_ = h.next;
  began_ = clock_->now();
  detail::recorder_run r;
  r.run = run_;
  r.wall = detail::in_us(std::chrono::system_clock::now());
  r.at = detail::in_ns(began_.time_since_epoch());
  r.pid = detail::process_id();
  r.checksum = detail::checksum_of(r);
  unsigned char* const place =
      memory_ + detail::recorder_runs_at + run_ % detail::recorder_runs * sizeof r;
  std::memcpy(place, &r, sizeof r);
  beat_ = detail::word_at(place + offsetof(detail::recorder_run, beat));
  closed_ = detail::word_at(place + offsetof(detail::recorder_run, closed));
  on_.store(true, std::memory_order_relaxed);
}

inline bool flight_recorder::still_there() noexcept {
  if (!is_recording()) return false;
  if (file_.is_intact()) return true;
  on_.store(false, std::memory_order_relaxed);
  return false;
}

inline flight_recorder::~flight_recorder() {
  if (still_there()) closed_->store(1, std::memory_order_relaxed);
}

inline void flight_recorder::write(const lifecycle_event& e) noexcept {
  if (!e.moved || !still_there()) return;
  detail::recorder_slot s = detail::slot_of(e);
  s.run = run_;
  s.number = ++number_;
  s.checksum = detail::checksum_of(s);
  put(detail::is_talk(e.kind) ? 0 : 1, s);
}

inline void flight_recorder::put(std::size_t ring, const detail::recorder_slot& s) noexcept {
  const std::size_t first = ring == 0 ? 0 : rings_.talk;
  const std::size_t end = ring == 0 ? rings_.talk : rings_.whole;
  if (next_[ring] >= end) next_[ring] = first;
  std::memcpy(memory_ + detail::recorder_rings::offset(next_[ring]++), &s, sizeof s);
}

inline void flight_recorder::touch() noexcept {
  if (!still_there()) return;
  const auto tenths = (clock_->now() - began_) / std::chrono::milliseconds(100);
  const std::int64_t most = (std::numeric_limits<std::uint32_t>::max)();
  beat_->store(static_cast<std::uint32_t>(detail::within(std::int64_t{tenths}, 0, most)),
               std::memory_order_relaxed);
}

inline std::string default_flight_path(std::string_view name) {
  for (const char* const variable : {"STATE_DIRECTORY", "RUNTIME_DIRECTORY"}) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) continue;
    const std::string_view all(value);
    const std::string_view first = all.substr(0, all.find(':'));
    if (first.starts_with('/')) return std::string(first).append("/").append(name) + ".flight";
  }
  return {};
}

CURFEW_END

#endif
