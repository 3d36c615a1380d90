// SPDX-License-Identifier: BSL-1.0
//
// The part of HTTP/1.1 that the web server speaks: GET and HEAD without a body. Text in, text out;
// nothing here knows of sockets, threads or stops.
#ifndef CURFEW_EXAMPLES_WEB_HTTP_HPP
#define CURFEW_EXAMPLES_WEB_HTTP_HPP

#include <curfew/config.hpp>
#include <curfew/stop/deadline_text.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace web {

constexpr std::size_t head_limit = 16 * 1024;  // bytes of a request line and its headers

struct request {
  int refusal = 0;  // the status when it cannot be served: 400, 405, 431, 505; and see 408
  std::string line = "-", method, path, query;
  bool keep_alive = false;
  int hosts = 0, least_hosts = 1;  // Host headers: seen, needed
  curfew::time_source::duration time = (curfew::time_source::duration::max)();  // that it may take
  std::size_t size = 0;                                                         // bytes of its head
};

struct response {
  int status = 200;
  std::string body;
  const char* type = "text/plain; charset=utf-8";
};

// The first request in `text`. Empty: more has to come, and what is here looks right so far.
std::optional<request> parse(std::string_view text);

// The whole answer as it goes over the wire.
std::string render(const response& answer, bool with_body, bool keep_alive);

// The value of `name` in a query such as a=1&b=2.
std::string query_value(std::string_view query, std::string_view name);

// The whole of `text` as a number from 0 to `most`, written in the given characters only.
std::optional<double> number(const std::string& text, double most, const char* in = "0123456789");

std::string date();

inline const char* status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 431: return "Request Header Fields Too Large";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Service Unavailable";
  }
}

// An answer that says no more than its status.
inline response plain(int status) { return {status, status_text(status) + std::string("\n")}; }

inline bool is_token(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

inline std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return copy;
}

inline std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Whether `value`, a list with commas, names `token`.
inline bool lists(std::string_view value, std::string_view token) {
  for (; !value.empty(); value.remove_prefix(std::min(value.find(',') + 1, value.size()))) {
    if (trim(value.substr(0, value.find(','))) == token) return true;
    if (value.find(',') == value.npos) return false;
  }
  return false;
}

// /path?query or http://host/path?query; the status to refuse it with, or 0.
inline int read_target(std::string_view target, request& into) {
  if (lower(target.substr(0, 7)) == "http://") {
    target.remove_prefix(std::min(target.find('/', 7), target.size()));
    if (target.empty()) target = "/";
  }
  const auto visible = [](char c) { return c > ' ' && c <= '~' && c != '"'; };
  if (!std::all_of(target.begin(), target.end(), visible)) return 400;
  const auto mark = std::min(target.find('?'), target.size());
  into.path = target.substr(0, mark);
  into.query = target.substr(std::min(mark + 1, target.size()));
  return target.empty() || target[0] != '/' ? 400 : 0;
}

// METHOD SP TARGET SP HTTP/1.x; the status to refuse it with, or 0.
inline int read_request_line(std::string_view line, request& into) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last || !is_token(line.substr(0, first))) return 400;
  const auto version = line.substr(last + 1);
  const bool numbered = version.size() == 8 && version.substr(0, 5) == "HTTP/" && version[6] == '.';
  if (!numbered || !number(std::string{version[5], version[7]}, 99)) return 400;
  if (version[5] != '1') return 505;
  into.keep_alive = version[7] != '0';
  into.least_hosts = into.keep_alive ? 1 : 0;  // HTTP/1.0 may do without
  into.method = line.substr(0, first);
  if (into.method != "GET" && into.method != "HEAD") return 405;
  const int refusal = read_target(line.substr(first + 1, last - first - 1), into);
  if (refusal == 0) into.line = line;
  return refusal;
}

// What whoever asks has left of its own time, in the form of gRPC.
inline int read_timeout(std::string_view text, request& into) {
  const auto time = curfew::parse_timeout(text);
  if (time) into.time = std::min(into.time, *time);
  return time ? 0 : 400;
}

// A request with a body is answered, and its connection closed, so that no body is ever read.
inline int read_header(std::string_view line, request& into) {
  const auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return 400;
  const std::string name = lower(line.substr(0, colon));
  const std::string value = lower(trim(line.substr(colon + 1)));
  if (name == "grpc-timeout") return read_timeout(trim(line.substr(colon + 1)), into);
  if (name == "host") ++into.hosts;
  if (name == "connection" && lists(value, "close")) into.keep_alive = false;
  if (name == "transfer-encoding") into.keep_alive = false;
  if (name != "content-length") return 0;
  const auto length = number(value, 1e18);
  if (length != 0.0) into.keep_alive = false;
  return length ? 0 : 400;
}

// Of a head or a part of one: no control characters, and line feeds only after carriage returns.
inline bool is_clean(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool after_return = i > 0 && text[i - 1] == '\r';
    if ((c == '\n') != after_return) return false;
    if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

// `head` is lines that each end with CR LF.
inline int read_head(std::string_view head, request& into) {
  for (bool first = true; !head.empty(); first = false) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    const int refusal = first ? read_request_line(line, into) : read_header(line, into);
    if (refusal != 0) return refusal;
    head.remove_prefix(end + 2);
  }
  return 0;
}

inline std::optional<request> parse(std::string_view text) {
  request found;
  if (text.substr(0, 2) == "\r\n") {  // one may be left over from the one before
    text.remove_prefix(2);
    found.size = 2;
  }
  const auto end = text.find("\r\n\r\n");
  const bool whole = end != text.npos;
  const auto head = text.substr(0, whole ? end + 2 : std::min(text.rfind('\n') + 1, text.size()));
  if ((whole ? head.size() : text.size()) > head_limit) {
    found.refusal = 431;
  } else {
    found.refusal = is_clean(whole ? head : text) ? read_head(head, found) : 400;
  }
  if (found.refusal == 0 && !whole) return std::nullopt;
  const bool hosted = found.hosts == 1 || found.hosts == found.least_hosts;
  if (found.refusal == 0 && !hosted) found.refusal = 400;
  found.size += whole ? end + 4 : text.size();
  return found;
}

inline std::string render(const response& answer, bool with_body, bool keep_alive) {
  const std::string code = std::to_string(answer.status) + " " + status_text(answer.status);
  std::string text = "HTTP/1.1 " + code + "\r\nDate: " + date() + "\r\nServer: curfew-example\r\n";
  text += std::string("Content-Type: ") + answer.type + "\r\n";
  text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  if (answer.status == 405) text += "Allow: GET, HEAD\r\n";
  if (!keep_alive) text += "Connection: close\r\n";
  return text + "\r\n" + (with_body ? answer.body : "");
}

inline std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == pair.npos ? "" : std::string(pair.substr(equals + 1));
    }
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return {};
}

inline std::optional<double> number(const std::string& text, double most, const char* in) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool plain = !text.empty() && text.find_first_not_of(in) == text.npos && *end == '\0';
  return plain && value <= most ? std::optional<double>(value) : std::nullopt;
}

inline std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
#if CURFEW_WINDOWS
  gmtime_s(&utc, &now);
#else
  gmtime_r(&now, &utc);
#endif
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace web

#endif
