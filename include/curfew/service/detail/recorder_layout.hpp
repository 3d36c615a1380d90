// SPDX-License-Identifier: BSL-1.0
//
// What stands where in the file of a flight recorder: a header, a table of runs, and slots of one
// size, each of which tells by itself whether it is whole.
#ifndef CURFEW_SERVICE_DETAIL_RECORDER_LAYOUT_HPP
#define CURFEW_SERVICE_DETAIL_RECORDER_LAYOUT_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

CURFEW_BEGIN
namespace detail {

inline constexpr char recorder_magic[8] = {'c', 'u', 'r', 'f', 'e', 'w', 'F', 'R'};
inline constexpr std::uint32_t recorder_version = 1;
inline constexpr std::uint32_t recorder_byte_order = 0x01020304;

inline constexpr std::size_t recorder_runs = 16;
inline constexpr std::size_t recorder_runs_at = 1024;
inline constexpr std::size_t recorder_slots_at = 4096;
inline constexpr std::size_t recorder_least = std::size_t{16} * 1024;
inline constexpr std::size_t recorder_most = std::size_t{16} * 1024 * 1024;

struct recorder_header {
  char magic[8] = {};
  std::uint32_t version = 0;
  std::uint32_t byte_order = 0;
  std::uint32_t size = 0;  // of the file; by which the slots are divided, see recorder_rings
  std::uint32_t slot_size = 0;
};

/// One of the last runs. Whoever runs writes it once, when it begins; `beat` and `closed` stand
/// behind what the checksum covers and are stored in place.
struct recorder_run {
  std::uint32_t checksum = 0;
  std::uint32_t run = 0;  // counts the runs of the file; 0: none
  std::int64_t wall = 0;  // microseconds since 1970
  std::int64_t at = 0;    // nanoseconds of the steady clock
  std::int64_t pid = 0;
  std::uint32_t beat = 0;    // tenths of a second from `at` until it was last seen alive
  std::uint32_t closed = 0;  // 1: the recorder was destroyed in order
  char unused[24] = {};
};

/// An event. What its texts do not use of `text` is zero.
struct recorder_slot {
  std::uint32_t checksum = 0;
  std::uint32_t run = 0;
  std::uint64_t number = 0;  // counts the records of the file, from 1
  std::int64_t wall = 0;     // as in recorder_run
  std::int64_t at = 0;
  std::int64_t elapsed = 0;  // nanoseconds
  std::int64_t limit = 0;    // the greatest: none
  std::int64_t pid = 0;      // of the reason, or of the caller
  std::int64_t uid = 0;
  std::int32_t code = 0;
  std::uint8_t kind = 0;
  std::uint8_t step = 0;
  std::uint8_t outcome = 0;
  std::uint8_t cause = 0;
  std::uint8_t part_size = 0;
  std::uint8_t text_size = 0;
  char text[86] = {};  // the name of the part, and behind it the text
};

inline constexpr std::size_t recorder_part_most = 48;

static_assert(sizeof(recorder_run) == 64 && sizeof(recorder_slot) == 160);
static_assert(recorder_runs_at + recorder_runs * sizeof(recorder_run) <= recorder_slots_at);
static_assert(std::is_trivially_copyable_v<recorder_slot>);

/// Two rings in one row of slots: what is said a hundred times in a stop cannot drive out what
/// tells how it went.
struct recorder_rings {
  std::size_t talk;   // the first ones
  std::size_t whole;  // all of them

  [[nodiscard]] static constexpr recorder_rings of(std::size_t file_size) noexcept {
    const std::size_t whole = (file_size - recorder_slots_at) / sizeof(recorder_slot);
    return {whole / 8, whole};
  }
  [[nodiscard]] static constexpr std::size_t offset(std::size_t slot) noexcept {
    return recorder_slots_at + slot * sizeof(recorder_slot);
  }
};

/// Of words of eight bytes, so that a record costs twenty multiplications.
[[nodiscard]] inline std::uint32_t recorder_checksum(const void* data, std::size_t size) noexcept {
  std::uint64_t sum = 0x9e3779b97f4a7c15u ^ size;
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, size - i < 8 ? size - i : 8);
    sum = (sum ^ word) * 0xff51afd7ed558ccdu;
    sum ^= sum >> 32;
  }
  return static_cast<std::uint32_t>(sum) | 1u;  // an empty slot, all zeros, is never whole
}

[[nodiscard]] inline std::uint32_t checksum_of(const recorder_slot& s) noexcept {
  constexpr std::size_t skip = sizeof s.checksum;
  return recorder_checksum(reinterpret_cast<const char*>(&s) + skip, sizeof s - skip);
}

[[nodiscard]] inline std::uint32_t checksum_of(const recorder_run& r) noexcept {
  constexpr std::size_t skip = sizeof r.checksum;
  return recorder_checksum(reinterpret_cast<const char*>(&r) + skip,
                           offsetof(recorder_run, beat) - skip);
}

/// Counts that leave room for more.
[[nodiscard]] constexpr bool is_possible(std::uint32_t run, std::uint64_t number) noexcept {
  return run != 0 && run < 1u << 31 && number < std::uint64_t{1} << 62;
}

/// Whole, and with sizes that fit: what may be read.
[[nodiscard]] inline bool is_whole(const recorder_slot& s) noexcept {
  return s.checksum == checksum_of(s) && is_possible(s.run, s.number) &&
         s.part_size <= recorder_part_most && s.text_size <= sizeof s.text - s.part_size;
}
[[nodiscard]] inline bool is_whole(const recorder_run& r) noexcept {
  return r.checksum == checksum_of(r) && is_possible(r.run, 0);
}

}  // namespace detail
CURFEW_END

#endif
