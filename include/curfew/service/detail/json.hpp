// SPDX-License-Identifier: BSL-1.0
//
// Writes JSON (RFC 8259) on one line. What is written is valid JSON in valid UTF-8, whatever bytes
// the texts are made of.
#ifndef CURFEW_SERVICE_DETAIL_JSON_HPP
#define CURFEW_SERVICE_DETAIL_JSON_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] inline std::string json_escape(char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text;
}

[[nodiscard]] constexpr bool json_escapes(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '\x7f';
}

/// With its quotes. A byte that belongs to no character becomes U+FFFD.
[[nodiscard]] inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = first_code_point(text).size;
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (json_escapes(text[0])) {
      out += json_escape(text[0]);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out + '"';
}

/// Reads back as the same number. JSON knows no infinity and no not-a-number: null.
[[nodiscard]] inline std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  std::string out;
  for (const char c : std::string_view(digits)) {
    const bool plain = std::string_view("0123456789+-e").find(c) != std::string_view::npos;
    if (plain || out.back() != '.') out += plain ? c : '.';  // a locale may write ',' or more bytes
  }
  return out;
}

/// Keys and values in the order of the calls; begin() and end() in pairs:
///
///     json_writer json;
///     json.begin('{').member("pid", 4711).key("steps").begin('[').value("one").end().end();
///     std::string text = json.take();  // {"pid":4711,"steps":["one"]}
class json_writer {
 public:
  json_writer& begin(char bracket) {
    next();
    out_ += bracket;
    open_.push_back(bracket == '{' ? '}' : ']');
    first_ = true;
    return *this;
  }
  json_writer& end() {
    out_ += open_.back();
    open_.pop_back();
    first_ = false;
    return *this;
  }
  json_writer& key(std::string_view name) {
    next();
    out_ += json_string(name) + ':';
    first_ = true;
    return *this;
  }

  json_writer& value(std::string_view text) { return put(json_string(text)); }
  json_writer& value(const char* text) { return put(json_string(text)); }
  json_writer& value(std::nullptr_t) { return put("null"); }
  json_writer& value(double number) { return put(json_number(number)); }
  template <std::integral Number>
  json_writer& value(Number number) {
    if constexpr (std::same_as<Number, bool>) return put(number ? "true" : "false");
    return put(std::to_string(number));
  }

  /// Of somebody who has made sure that it is one value.
  json_writer& raw(std::string_view json) { return put(json); }

  template <class Value>
  json_writer& member(std::string_view name, const Value& v) {
    return key(name).value(v);
  }

  [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

 private:
  void next() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  json_writer& put(std::string_view text) {
    next();
    out_ += text;
    return *this;
  }

  std::string out_;
  std::string open_;   // the brackets that end what has begun
  bool first_ = true;  // nothing stands before the next value that a comma had to divide it from
};

}  // namespace detail
CURFEW_END

#endif
