// SPDX-License-Identifier: BSL-1.0
//
// Text that has to fit.
#ifndef CURFEW_HOST_DETAIL_CUT_TEXT_HPP
#define CURFEW_HOST_DETAIL_CUT_TEXT_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// As much of the text as fits, without a part of a character at its end. What is no UTF-8 is cut
/// anywhere.
[[nodiscard]] constexpr std::string_view cut_to(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  const auto continues = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  std::size_t size = most;
  while (size > 0 && most - size < 3 && continues(size)) --size;
  return text.substr(0, size == 0 || continues(size) ? most : size);
}

}  // namespace detail
CURFEW_END

#endif
