// SPDX-License-Identifier: BSL-1.0
//
// What a control endpoint and its clients say to each other: frames of a length (four bytes, the
// lowest first) and as many bytes of JSON.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_FRAME_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_FRAME_HPP

#include <curfew/service/control_answer.hpp>
#include <curfew/service/detail/json.hpp>
#include <curfew/service/detail/json_grammar.hpp>
#include <curfew/service/detail/json_reader.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

CURFEW_BEGIN
namespace detail {

inline constexpr int control_version = 1;
inline constexpr std::size_t most_of_a_request = std::size_t{64} << 10;
inline constexpr std::size_t most_of_an_answer = std::size_t{16} << 20;

/// What the endpoint says, before it has heard anything, to whom finds all places taken.
inline constexpr const char* no_place_left = "too many clients";

using frame_head = std::array<unsigned char, 4>;

[[nodiscard]] constexpr std::size_t size_of_frame(const frame_head& head) noexcept {
  std::uint32_t size = 0;
  for (std::size_t i = head.size(); i-- != 0;) size = size << 8 | head[i];
  return size;
}

[[nodiscard]] inline std::string framed(std::string_view text) {
  std::string frame;
  auto rest = static_cast<std::uint32_t>(text.size());
  for (int i = 0; i != 4; ++i, rest >>= 8) frame += static_cast<char>(rest & 0xff);
  return frame.append(text);
}

/// Finds members in JSON of others without reading their values, whatever numbers stand in them.
class json_skimmer {
 public:
  explicit json_skimmer(std::string_view text) noexcept : text_(text) {}

  /// The text of the next value; empty: there is none.
  [[nodiscard]] std::string_view value() noexcept;
  [[nodiscard]] bool take(char c) noexcept {
    skip_space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

 private:
  void skip_space() noexcept {
    const std::size_t at = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(at == text_.npos ? text_.size() : at);
  }
  [[nodiscard]] std::size_t string_size() const noexcept;
  [[nodiscard]] std::size_t nested_size() const noexcept;

  std::string_view text_;
};

/// The text of a member of an object; empty: there is none.
[[nodiscard]] std::string_view json_member(std::string_view object, std::string_view name) noexcept;

struct control_order {
  std::string verb = {};
  std::string change = {};
  std::string arguments = {};
};

/// False: this is no request of a version that we know.
[[nodiscard]] bool read_order(std::string_view text, control_order& into);
[[nodiscard]] std::string order_text(const control_order& order);

/// A body that is no JSON is null.
[[nodiscard]] std::string answer_text(const control_answer& a);
[[nodiscard]] control_answer read_answer(std::string_view text);

// ---------------------------------------------------------------------------------------------

/// With both quotes; 0: it does not end.
inline std::size_t json_skimmer::string_size() const noexcept {
  for (std::size_t i = 1; i < text_.size(); ++i) {
    if (text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

inline std::size_t json_skimmer::nested_size() const noexcept {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      const std::size_t size = json_skimmer(text_.substr(i)).string_size();
      if (size == 0) return 0;
      i += size - 1;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i + 1;
  }
  return 0;
}

inline std::string_view json_skimmer::value() noexcept {
  skip_space();
  if (text_.empty()) return {};
  const char c = text_.front();
  const bool nested = c == '{' || c == '[';
  const std::size_t size = c == '"' ? string_size()
                           : nested ? nested_size()
                                    : text_.substr(0, text_.find_first_of(",]}: \t\r\n\"")).size();
  const std::string_view found = text_.substr(0, size);
  text_.remove_prefix(size);
  return found;
}

inline std::string_view json_member(std::string_view object, std::string_view name) noexcept {
  json_skimmer s(object);
  if (!s.take('{')) return {};
  do {
    const std::string_view key = s.value();
    if (key.size() < 2 || !s.take(':')) return {};
    const std::string_view found = s.value();
    if (key.substr(1, key.size() - 2) == name) return found;
  } while (s.take(','));
  return {};
}

[[nodiscard]] inline bool read_text(const json_value& from, std::string_view name,
                                    std::string& into) {
  const json_value* const v = from.find(name);
  if (v == nullptr) return true;
  into = v->text;
  return v->what == json_value::kind::text;
}

inline bool read_order(std::string_view text, control_order& into) {
  json_value v;
  if (!read_json(text, v) || v.what != json_value::kind::object) return false;
  const json_value* const version = v.find("curfew");
  const json_value* const arguments = v.find("arguments");
  if (version == nullptr || version->number != control_version) return false;
  if (!read_text(v, "verb", into.verb) || !read_text(v, "change", into.change)) return false;
  if (arguments == nullptr) return true;
  into.arguments = json_member(text, "arguments");
  return arguments->what == json_value::kind::object;
}

inline std::string order_text(const control_order& order) {
  json_writer json;
  json.begin('{').member("curfew", control_version).member("verb", order.verb);
  if (!order.change.empty()) json.member("change", order.change);
  if (!order.arguments.empty()) json.key("arguments").raw(order.arguments);
  return json.end().take();
}

inline std::string answer_text(const control_answer& a) {
  json_writer json;
  json.begin('{').member("curfew", control_version).member("ok", a.ok);
  if (!a.error.empty()) json.member("error", a.error);
  return json.key("answer").raw(is_one_value(a.body) ? a.body : "null").end().take();
}

inline control_answer read_answer(std::string_view text) {
  control_answer a;
  json_value error;
  const std::string_view ok = json_member(text, "ok");
  const std::string_view why = json_member(text, "error");
  a.answered = ok == "true" || ok == "false";
  a.ok = ok == "true";
  a.body = json_member(text, "answer");
  if (a.body == "null") a.body.clear();
  if (!a.answered) a.error = "what was answered cannot be read";
  if (!why.empty() && read_json(why, error)) a.error = error.text;
  return a;
}

}  // namespace detail
CURFEW_END

#endif
