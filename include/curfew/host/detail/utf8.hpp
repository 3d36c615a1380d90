// SPDX-License-Identifier: BSL-1.0
//
// Text from outside, read as UTF-8: what systemd, D-Bus, YAML and the SCM all insist on.
#ifndef CURFEW_HOST_DETAIL_UTF8_HPP
#define CURFEW_HOST_DETAIL_UTF8_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

CURFEW_BEGIN
namespace detail {

struct code_point {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< in bytes; 0: these bytes are no UTF-8
};

/// The first one of a text that is not empty. Overlong forms, surrogates and what lies above
/// U+10FFFF are refused.
[[nodiscard]] constexpr code_point first_code_point(std::string_view text) noexcept;

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept;

/// C0, DEL and C1: they move the cursor, end a line, or begin an escape sequence.
[[nodiscard]] constexpr bool is_control(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/// The bytes of the character that `text` begins with; 0: it is not to be printed, or no UTF-8.
[[nodiscard]] constexpr std::size_t printable_prefix(std::string_view text) noexcept;

// ---------------------------------------------------------------------------------------------

/// How many bytes begin with this one; 0: none does.
[[nodiscard]] constexpr std::size_t utf8_size(unsigned char first) noexcept {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

[[nodiscard]] constexpr bool fits(std::uint32_t value, std::size_t size) noexcept {
  if (size == 3) return value >= 0x800 && (value < 0xd800 || value > 0xdfff);
  return size < 3 || (value >= 0x10000 && value <= 0x10ffff);
}

constexpr code_point first_code_point(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = utf8_size(first);
  if (size == 0 || size > text.size()) return {};
  std::uint32_t value = size == 1 ? first : first & (0x7fu >> size);
  for (const char c : text.substr(1, size - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return {};
    value = value << 6 | (byte & 0x3f);
  }
  return fits(value, size) ? code_point{value, size} : code_point{};
}

constexpr bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const code_point c = first_code_point(text);
    if (c.size == 0) return false;
    text.remove_prefix(c.size);
  }
  return true;
}

constexpr std::size_t printable_prefix(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const code_point c = first_code_point(text);
  return is_control(c.value) ? 0 : c.size;
}

}  // namespace detail
CURFEW_END

#endif
