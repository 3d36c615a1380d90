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

/// At most N bytes. What does not fit is cut, before a character and not inside it. Control
/// characters become spaces: a name or a message can neither break a line nor speak to a terminal.
template <std::size_t N>
class fixed_text {
 public:
  fixed_text() noexcept = default;
  explicit fixed_text(std::string_view text) noexcept { append(text); }

  fixed_text& append(std::string_view text) noexcept {
    for (const char c : text.substr(0, fitting(text))) {
      const auto byte = static_cast<unsigned char>(c);
      bytes_[size_++] = byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    return *this;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }
  [[nodiscard]] std::string str() const { return std::string(view()); }

 private:
  [[nodiscard]] std::size_t fitting(std::string_view text) const noexcept {
    std::size_t n = N - size_;
    if (n >= text.size()) return text.size();
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0u) == 0x80u) --n;
    return n;
  }

  std::size_t size_ = 0;
  char bytes_[N] = {};
};

}  // namespace detail
CURFEW_END

#endif
