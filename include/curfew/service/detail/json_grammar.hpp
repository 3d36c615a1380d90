// SPDX-License-Identifier: BSL-1.0
//
// Whether a text of somebody else's is JSON, for those who write it into their own.
#ifndef CURFEW_SERVICE_DETAIL_JSON_GRAMMAR_HPP
#define CURFEW_SERVICE_DETAIL_JSON_GRAMMAR_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>

#include <cstddef>
#include <string_view>

CURFEW_BEGIN
namespace detail {

/// Steps over what the grammar of RFC 8259 allows.
class json_grammar {
 public:
  explicit json_grammar(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] bool whole() noexcept {
    if (!value(0)) return false;
    skip_space();
    return text_.empty();
  }

 private:
  static constexpr int deepest = 64;
  static constexpr std::string_view digit = "0123456789", hex = "0123456789abcdefABCDEF";

  void skip_space() noexcept { static_cast<void>(skip(" \t\r\n")); }
  /// How many characters of that kind there were.
  std::size_t skip(std::string_view kind) noexcept {
    const std::size_t at = text_.find_first_not_of(kind);
    const std::size_t size = at == text_.npos ? text_.size() : at;
    text_.remove_prefix(size);
    return size;
  }
  bool take(std::string_view word) noexcept {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  /// One character of that kind.
  bool take_any(std::string_view kind) noexcept {
    if (text_.empty() || kind.find(text_.front()) == kind.npos) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool value(int depth) noexcept {
    skip_space();
    if (depth == deepest) return false;
    if (take("{")) return items(depth, true);
    if (take("[")) return items(depth, false);
    if (take("\"")) return string();
    return take("null") || take("true") || take("false") || number();
  }

  bool items(int depth, bool named) noexcept {
    const std::string_view end = named ? "}" : "]";
    skip_space();
    if (take(end)) return true;
    do {
      skip_space();
      if (named && !(take("\"") && string() && name_ends())) return false;
      if (!value(depth + 1)) return false;
      skip_space();
    } while (take(","));
    return take(end);
  }
  bool name_ends() noexcept {
    skip_space();
    return take(":");
  }

  /// Its first quote has been taken.
  bool string() noexcept {
    while (!take("\"")) {
      const std::size_t size = first_code_point(text_).size;
      if (size == 0 || static_cast<unsigned char>(text_.front()) < 0x20) return false;
      const bool escaped = text_.front() == '\\';
      text_.remove_prefix(size);
      if (escaped && !escape()) return false;
    }
    return true;
  }
  bool escape() noexcept {
    if (!take("u")) return take_any("\"\\/bfnrt");
    return take_any(hex) && take_any(hex) && take_any(hex) && take_any(hex);
  }

  bool number() noexcept {
    take("-");
    if (!take("0") && skip(digit) == 0) return false;
    if (take(".") && skip(digit) == 0) return false;
    if (!take_any("eE")) return true;
    take_any("+-");
    return skip(digit) != 0;
  }

  std::string_view text_;
};

/// It can stand inside of other JSON. Deeper than 64 levels it is not looked at, and false.
[[nodiscard]] inline bool is_one_value(std::string_view text) noexcept {
  return json_grammar(text).whole();
}

}  // namespace detail
CURFEW_END

#endif
