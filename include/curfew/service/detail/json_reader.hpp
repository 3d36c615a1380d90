// SPDX-License-Identifier: BSL-1.0
//
// Reads JSON (RFC 8259) as json_writer writes it: strictly, and not deeper than it needs.
#ifndef CURFEW_SERVICE_DETAIL_JSON_READER_HPP
#define CURFEW_SERVICE_DETAIL_JSON_READER_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// A value that was read. Numbers are whole ones.
struct json_value {
  enum class kind { null, truth, number, text, list, object };

  kind what = kind::null;
  bool truth = false;
  std::int64_t number = 0;
  std::string text = {};
  std::vector<json_value> items = {};   ///< of a list, and of an object
  std::vector<std::string> names = {};  ///< of an object's items

  /// The member of that name; null where there is none, or this is no object.
  [[nodiscard]] const json_value* find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i != names.size(); ++i) {
      if (names[i] == name) return &items[i];
    }
    return nullptr;
  }
};

/// False: this is not one value and white space around it; or it is nested deeper than 32 levels;
/// or a number in it has a fraction, an exponent, or more than 64 bits; or an object names
/// something twice, or more than 64 members.
[[nodiscard]] bool read_json(std::string_view text, json_value& into);

// ---------------------------------------------------------------------------------------------

class json_parser {
 public:
  explicit json_parser(std::string_view text) noexcept : text_(text) {}

  bool whole(json_value& into) {
    if (!value(into, 0)) return false;
    skip_space();
    return text_.empty();
  }

 private:
  static constexpr int deepest = 32;
  static constexpr std::size_t most_members = 64;

  void skip_space() noexcept {
    const std::size_t at = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(at == text_.npos ? text_.size() : at);
  }
  bool take(std::string_view word) noexcept {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  bool value(json_value& into, int depth) {
    using kind = json_value::kind;
    skip_space();
    if (text_.empty() || depth == deepest) return false;
    switch (text_.front()) {
      case '{': into.what = kind::object; return items(into, depth, '}');
      case '[': into.what = kind::list; return items(into, depth, ']');
      case '"': into.what = kind::text; return string(into.text);
      case 'n': return take("null");
      case 't': into.what = kind::truth; return into.truth = take("true");
      case 'f': into.what = kind::truth; return take("false");
      default: into.what = kind::number; return number(into.number);
    }
  }

  bool items(json_value& into, int depth, char end) {
    text_.remove_prefix(1);
    skip_space();
    if (take({&end, 1})) return true;
    do {
      if (end == '}' && !name(into)) return false;
      if (!value(into.items.emplace_back(), depth + 1)) return false;
      skip_space();
    } while (take(","));
    return take({&end, 1});
  }

  bool name(json_value& into) {
    std::string text;
    skip_space();
    if (text_.empty() || text_.front() != '"' || !string(text)) return false;
    if (into.names.size() == most_members || into.find(text) != nullptr) return false;
    into.names.push_back(std::move(text));
    skip_space();
    return take(":");
  }

  bool number(std::int64_t& into) noexcept {
    const char* const end = text_.data() + text_.size();
    const auto read = std::from_chars(text_.data(), end, into);
    if (read.ec != std::errc()) return false;
    const std::string_view rest(read.ptr, static_cast<std::size_t>(end - read.ptr));
    std::string_view digits = text_.substr(0, text_.size() - rest.size());
    if (digits.front() == '-') digits.remove_prefix(1);
    text_ = rest;
    const bool whole = rest.empty() || std::string_view(".eE").find(rest.front()) == rest.npos;
    return whole && (digits.size() == 1 || digits.front() != '0');
  }

  bool string(std::string& into) {
    for (text_.remove_prefix(1); !text_.empty();) {
      const char c = text_.front();
      if (take("\"")) return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' ? !escape(into) : !plain(into)) return false;
    }
    return false;
  }

  bool plain(std::string& into) {
    const std::size_t size = first_code_point(text_).size;
    into.append(text_.substr(0, size));
    text_.remove_prefix(size);
    return size != 0;
  }

  bool escape(std::string& into) {
    constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (text_.size() < 2) return false;
    const std::size_t at = letters.find(text_[1]);
    const bool by_number = text_[1] == 'u';
    text_.remove_prefix(2);
    if (by_number) return by_code(into);
    if (at != letters.npos) into += meant[at];
    return at != letters.npos;
  }

  /// Those that json_writer writes are all ASCII; others stand in the text themselves.
  bool by_code(std::string& into) {
    unsigned code = 0;
    if (text_.size() < 4) return false;
    const auto read = std::from_chars(text_.data(), text_.data() + 4, code, 16);
    if (read.ec != std::errc() || read.ptr != text_.data() + 4 || code > 0x7f) return false;
    into += static_cast<char>(code);
    text_.remove_prefix(4);
    return true;
  }

  std::string_view text_;
};

inline bool read_json(std::string_view text, json_value& into) {
  into = {};
  return json_parser(text).whole(into);
}

}  // namespace detail
CURFEW_END

#endif
