// SPDX-License-Identifier: BSL-1.0
//
// Names of a fixed size, and the line that a roster writes of them; nothing here allocates.
#ifndef CURFEW_RELEASE_DETAIL_ROSTER_TEXT_HPP
#define CURFEW_RELEASE_DETAIL_ROSTER_TEXT_HPP

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// As much of a text as there is room for, whole UTF-8 characters only. Names come from outside,
/// and go into logs: control characters become question marks.
class roster_name {
 public:
  roster_name() noexcept = default;
  explicit roster_name(std::string_view text) noexcept {
    size_ = lesser(text.size(), sizeof text_);
    while (size_ != 0 && size_ != text.size() && continues(text[size_])) --size_;
    for (std::size_t i = 0; i != size_; ++i) text_[i] = in_control(text, i) ? '?' : text[i];
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }

 private:
  [[nodiscard]] static bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
  }
  /// C0, DEL, and the two bytes of C1, to which terminals listen as well.
  [[nodiscard]] static bool in_control(std::string_view text, std::size_t i) noexcept {
    const auto c = static_cast<unsigned char>(text[i]);
    return c < 0x20u || c == 0x7fu || begins_c1(text, i) || (i != 0 && begins_c1(text, i - 1));
  }
  [[nodiscard]] static bool begins_c1(std::string_view text, std::size_t i) noexcept {
    return text[i] == '\xc2' && i + 1 < text.size() &&
           (static_cast<unsigned char>(text[i + 1]) & 0xe0u) == 0x80u;
  }

  char text_[47] = {};
  std::size_t size_ = 0;
};

/// "12 ms", "3.2 s", "75 s". Never rounded up.
struct short_time {
  explicit short_time(time_source::duration d) noexcept {
    using namespace std::chrono;
    const auto ms = static_cast<long long>(duration_cast<milliseconds>(d).count());
    if (ms < 1000) {
      std::snprintf(text, sizeof text, "%lld ms", ms);
    } else if (ms < 60'000) {
      std::snprintf(text, sizeof text, "%lld.%lld s", ms / 1000, ms % 1000 / 100);
    } else {
      std::snprintf(text, sizeof text, "%lld s", ms / 1000);
    }
  }
  char text[32];
};

/// "3 in flight: a 2.0 s, and 2 more"; a name that there is no room for is one of those more.
class roster_line {
 public:
  roster_line(std::span<char> into, std::size_t count) noexcept : into_(into), count_(count) {
    char text[40] = "nobody in flight";
    if (count != 0)
      std::snprintf(text, sizeof text, "%llu in flight", static_cast<unsigned long long>(count));
    full_ = !append(text, 0);
  }

  void add(std::string_view name, time_source::duration elapsed) noexcept {
    const short_time time(elapsed);
    char text[96];
    std::snprintf(text, sizeof text, "%s%.*s %s", added_ == 0 ? ": " : ", ",
                  static_cast<int>(name.size()), name.data(), time.text);
    const bool last = added_ + 1 == count_;
    if (!full_ && append(text, last ? 0 : room_for_rest)) {
      ++added_;
    } else {
      full_ = true;  // the next one would not be the next oldest
    }
  }

  [[nodiscard]] std::string_view finish() noexcept {
    char text[room_for_rest + 1];
    std::snprintf(text, sizeof text, ", and %llu more",
                  static_cast<unsigned long long>(count_ - added_));
    if (added_ != 0 && added_ != count_) append(text, 0);
    return {into_.data(), size_};
  }

 private:
  static constexpr std::size_t room_for_rest = 31;  // ", and 18446744073709551615 more"

  /// All of it or nothing.
  bool append(const char* text, std::size_t spare) noexcept {
    const std::size_t size = std::strlen(text);
    const std::size_t left = into_.size() - size_;
    if (!into_.empty() && size_ == 0) into_[0] = '\0';
    if (left <= size || left - size <= spare) return false;
    std::memcpy(into_.data() + size_, text, size + 1);
    size_ += size;
    return true;
  }

  std::span<char> into_;
  std::size_t count_;
  std::size_t size_ = 0;
  std::size_t added_ = 0;
  bool full_ = false;
};

}  // namespace detail
CURFEW_END

#endif
