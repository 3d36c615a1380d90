// SPDX-License-Identifier: BSL-1.0
//
// Text of bounded size without allocation, for what is noted while a program stops.
#ifndef CURFEW_SERVICE_DETAIL_FIXED_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_FIXED_TEXT_HPP

#include <curfew/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// The bytes of the character that `text` begins with; 0: there is none in valid UTF-8, or it is a
/// control character of either set (U+0080 to U+009F are commands too, for some terminals).
[[nodiscard]] constexpr std::size_t printable_size(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  const std::size_t size = lead < 0xc2   ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf5 ? 4
                                         : 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return 0;
  }
  const bool low = byte(1) < (lead == 0xf0 ? 0x90u : 0xa0u);  // the half of what may come second
  if (lead == 0xc2 || lead == 0xe0 || lead == 0xf0) return low ? 0 : size;  // C1, or overlong
  if (lead == 0xed) return low ? size : 0;                                  // surrogates
  return lead == 0xf4 && byte(1) >= 0x90 ? 0 : size;                        // past the last one
}

/// At most N bytes. What does not fit is cut, before a character and not inside it. Whatever cannot
/// be printed becomes spaces: a name or a message can neither break a line nor speak to a terminal.
template <std::size_t N>
class fixed_text {
 public:
  fixed_text() noexcept = default;
  explicit fixed_text(std::string_view text) noexcept { append(text); }

  fixed_text& append(std::string_view text) noexcept {
    while (!text.empty()) {
      const std::size_t printable = printable_size(text);
      const std::string_view next = printable == 0 ? " " : text.substr(0, printable);
      if (next.size() > N - size_) break;
      size_ += next.copy(bytes_ + size_, next.size());
      text.remove_prefix(next.size());
    }
    return *this;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }
  [[nodiscard]] std::string str() const { return std::string(view()); }

 private:
  std::size_t size_ = 0;
  char bytes_[N] = {};
};

}  // namespace detail
CURFEW_END

#endif
