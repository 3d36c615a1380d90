// SPDX-License-Identifier: BSL-1.0
//
// What is whole in the bytes of a flight recorder's file, whatever has become of the rest.
#ifndef CURFEW_SERVICE_DETAIL_RECORDER_HISTORY_HPP
#define CURFEW_SERVICE_DETAIL_RECORDER_HISTORY_HPP

#include <curfew/service/detail/recorder_layout.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Whether a recorder has made this file. What else there is in its place is somebody's.
[[nodiscard]] inline bool is_recorder_file(std::string_view bytes) noexcept {
  return bytes.starts_with(std::string_view(recorder_magic, sizeof recorder_magic));
}

[[nodiscard]] inline recorder_header header_of(std::string_view bytes) noexcept {
  recorder_header h;
  std::memcpy(static_cast<void*>(&h), bytes.data(), (std::min)(bytes.size(), sizeof h));
  return h;
}

/// errc::invalid_argument: no recorder has made it. errc::not_supported: another version has, or a
/// machine with another byte order. No error: there may still be less in it than there was.
[[nodiscard]] inline std::error_code check_recorder_file(std::string_view bytes) noexcept {
  if (!is_recorder_file(bytes)) return std::make_error_code(std::errc::invalid_argument);
  const recorder_header h = header_of(bytes);
  const bool known = h.version == recorder_version && h.byte_order == recorder_byte_order &&
                     h.slot_size == sizeof(recorder_slot);
  return known ? std::error_code() : std::make_error_code(std::errc::not_supported);
}

/// What an earlier run has written can go on in it.
[[nodiscard]] inline bool can_go_on(std::string_view bytes) noexcept {
  return !check_recorder_file(bytes) && header_of(bytes).size == bytes.size() &&
         bytes.size() >= recorder_least;
}

struct recorder_history {
  std::vector<recorder_run> runs;      // in their order
  std::vector<recorder_slot> records;  // in the order in which they were written
  std::uint32_t last_run = 0;
  std::uint64_t last_number = 0;
  std::array<std::size_t, 2> next = {};  // where the rings go on, of a file that can_go_on()
};

/// Of a file that passed the check.
[[nodiscard]] recorder_history read_history(std::string_view bytes);

// ---------------------------------------------------------------------------------------------

template <class T>
[[nodiscard]] bool read_at(std::string_view bytes, std::size_t at, T& into) noexcept {
  if (bytes.size() < sizeof into || at > bytes.size() - sizeof into) return false;
  std::memcpy(static_cast<void*>(&into), bytes.data() + at, sizeof into);
  return is_whole(into);
}

inline void read_runs(std::string_view bytes, recorder_history& h) {
  for (std::size_t i = 0; i != recorder_runs; ++i) {
    recorder_run run;
    if (!read_at(bytes, recorder_runs_at + i * sizeof run, run)) continue;
    h.runs.push_back(run);
    h.last_run = (std::max)(h.last_run, run.run);
  }
  std::sort(h.runs.begin(), h.runs.end(), [](auto& a, auto& b) { return a.run < b.run; });
}

inline recorder_history read_history(std::string_view bytes) {
  recorder_history h;
  if (bytes.size() < recorder_slots_at) return h;
  read_runs(bytes, h);
  const recorder_rings rings = recorder_rings::of(bytes.size());
  h.next = {0, rings.talk};
  std::array<std::uint64_t, 2> newest = {};
  for (std::size_t i = 0; i != rings.whole; ++i) {
    recorder_slot slot;
    if (!read_at(bytes, recorder_rings::offset(i), slot)) continue;
    const std::size_t ring = i < rings.talk ? 0 : 1;
    if (slot.number > newest[ring]) {
      newest[ring] = slot.number;
      h.next[ring] = i + 1;
    }
    h.last_run = (std::max)(h.last_run, slot.run);
    h.records.push_back(slot);
  }
  h.last_number = (std::max)(newest[0], newest[1]);
  std::sort(h.records.begin(), h.records.end(),
            [](auto& a, auto& b) { return a.number < b.number; });
  return h;
}

}  // namespace detail
CURFEW_END

#endif
