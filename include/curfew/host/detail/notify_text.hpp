// SPDX-License-Identifier: BSL-1.0
//
// One notification for systemd, lines of KEY=value, made without allocation.
#ifndef CURFEW_HOST_DETAIL_NOTIFY_TEXT_HPP
#define CURFEW_HOST_DETAIL_NOTIFY_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/stop/reason.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// Lines whose values are not of bounded size come last: what does not fit is cut, and a cut ends
/// before a character and not inside it, for systemd ignores a status that is not valid UTF-8.
class notify_text {
 public:
  static constexpr std::size_t capacity = 512;  // systemd reads 4096

  /// A new line, of what needs no cleaning.
  notify_text& line(std::string_view assignment) noexcept {
    if (size_ != 0) copy("\n");
    copy(assignment);
    return *this;
  }
  template <std::integral Number>
  notify_text& line(std::string_view key, Number value) noexcept {
    return line(key).number(value);
  }

  /// More of the last line. Whatever cannot be printed becomes a space, the end of a line first of
  /// all: a text can never become a line of its own.
  notify_text& text(std::string_view more) noexcept;
  template <std::integral Number>
  notify_text& number(Number value) noexcept;
  notify_text& reason(const stop_reason& r) noexcept;  ///< as to_string has it
  notify_text& how(const outcome& o) noexcept;         ///< as to_string has it

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

 private:
  bool copy(std::string_view bytes) noexcept {
    if (bytes.size() > capacity - size_) return false;
    size_ += bytes.copy(bytes_ + size_, bytes.size());
    return true;
  }

  std::size_t size_ = 0;
  char bytes_[capacity];
};

inline notify_text& notify_text::text(std::string_view more) noexcept {
  while (!more.empty()) {
    const std::size_t printable = printable_prefix(more);
    if (!copy(printable == 0 ? " " : more.substr(0, printable))) break;
    more.remove_prefix(printable == 0 ? 1 : printable);
  }
  return *this;
}

template <std::integral Number>
notify_text& notify_text::number(Number value) noexcept {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  copy({digits, static_cast<std::size_t>(end - digits)});
  return *this;
}

inline notify_text& notify_text::reason(const stop_reason& r) noexcept {
  text(cause_name(r.cause));
  if (const char* const name = code_name(r)) {
    text(" ").text(name);
  } else if (code_counts(r)) {
    text(" ").number(r.code);
  }
  if (r.pid != 0) text(" from pid ").number(r.pid);
  if (r.uid != -1) text(r.pid != 0 ? " (uid " : " from uid ").number(r.uid);
  if (r.uid != -1 && r.pid != 0) text(")");
  return *this;
}

inline notify_text& notify_text::how(const outcome& o) noexcept {
  text(headline(o));
  return o.reason.cause == stop_cause::none ? *this : text(": ").reason(o.reason);
}

}  // namespace detail
CURFEW_END

#endif
