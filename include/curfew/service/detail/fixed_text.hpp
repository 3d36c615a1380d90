// SPDX-License-Identifier: BSL-1.0
//
// Text of bounded size without allocation, for what is noted while a program stops.
#ifndef CURFEW_SERVICE_DETAIL_FIXED_TEXT_HPP
#define CURFEW_SERVICE_DETAIL_FIXED_TEXT_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// At most N bytes. What does not fit is cut, before a character and not inside it. Whatever cannot
/// be printed becomes spaces: a name or a message can neither break a line nor speak to a terminal.
template <std::size_t N>
class fixed_text {
 public:
  fixed_text() noexcept = default;
  explicit fixed_text(std::string_view text) noexcept { append(text); }

  fixed_text& append(std::string_view text) noexcept {
    while (!text.empty()) {
      const std::size_t printable = printable_prefix(text);
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
