// SPDX-License-Identifier: BSL-1.0
//
// Which bytes of a text may be shown to people, and passed on to what insists on UTF-8.
#ifndef CURFEW_HOST_DETAIL_PRINTABLE_HPP
#define CURFEW_HOST_DETAIL_PRINTABLE_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// U+0080 to U+009F are commands too, for some terminals.
[[nodiscard]] constexpr bool is_printable(char32_t c) noexcept {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
  return (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
}

/// The bytes of the character that `text` begins with; 0: it is not to be printed, or no UTF-8.
[[nodiscard]] constexpr std::size_t printable_prefix(std::string_view text) noexcept {
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // by size: no detours
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return is_printable(lead) ? 1 : 0;
  const std::size_t size = lead < 0xc0   ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf8 ? 4
                                         : 0;
  if (size == 0 || size > text.size()) return 0;
  char32_t c = lead & (0x7fu >> size);
  for (const char next : text.substr(1, size - 1)) {
    const auto byte = static_cast<unsigned char>(next);
    if ((byte & 0xc0u) != 0x80) return 0;
    c = c << 6 | (byte & 0x3fu);
  }
  return c >= least[size] && is_printable(c) ? size : 0;
}

}  // namespace detail
CURFEW_END

#endif
