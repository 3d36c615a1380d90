// SPDX-License-Identifier: BSL-1.0
//
// Entries with fields for the journal of systemd, as its native protocol has them:
// systemd.io/JOURNAL_NATIVE_PROTOCOL. Needs no libsystemd.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_JOURNAL_PORT_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_JOURNAL_PORT_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/detail/cut_text.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/systemd/notify_socket.hpp>
#include <curfew/service/detail/event_fields.hpp>
#include <curfew/service/detail/event_line.hpp>
#include <curfew/service/lifecycle_event.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

CURFEW_BEGIN
namespace detail {

/// For put_fields(). The names of a group's members follow that of the group.
class journal_fields {
 public:
  /// A value of more than a line goes by its length, eight bytes with the lowest first.
  void field(std::string_view name, std::string_view value) {
    value = cut_to(value, longest);
    out_ += name;
    if (value.find('\n') == value.npos) {
      out_ += '=';
    } else {
      out_ += '\n';
      for (int bit = 0; bit != 64; bit += 8)
        out_ += static_cast<char>(std::uint64_t{value.size()} >> bit & 0xff);
    }
    out_.append(value).append(1, '\n');
  }

  void text(std::string_view name, std::string_view value) { field(own_name(name), value); }
  void number(std::string_view name, std::int64_t value) { text(name, std::to_string(value)); }
  void begin(std::string_view name, std::string_view sum) {
    if (!sum.empty()) text(name, sum);
    group_ = std::string(name) + '_';
  }
  void end() { group_.clear(); }

  [[nodiscard]] const std::string& bytes() const noexcept { return out_; }

 private:
  static constexpr std::size_t longest = 8192;  // so that an entry fits into a datagram

  [[nodiscard]] std::string own_name(std::string_view name) const {
    std::string own = "CURFEW_";
    for (const char c : group_ + std::string(name))
      own += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return own;
  }

  std::string out_;
  std::string group_;
};

/// Of journalctl(1) and its catalogues. The numbers of the kinds do not change: recordings have
/// them too.
[[nodiscard]] inline std::string message_id(event_kind k) {
  char text[40];
  std::snprintf(text, sizeof text, "526b136828884df1a8fd568976c28b%02x", static_cast<unsigned>(k));
  return text;
}

[[nodiscard]] inline std::string journal_entry(std::string_view service, severity level,
                                               const lifecycle_event& e) {
  journal_fields out;
  out.field("MESSAGE", event_line(e));
  out.field("PRIORITY", std::to_string(static_cast<int>(level)));
  if (!service.empty()) out.field("SYSLOG_IDENTIFIER", service);
  out.field("MESSAGE_ID", message_id(e.kind));
  if (e.place.line != 0) {
    out.field("CODE_FILE", e.place.file);
    out.field("CODE_LINE", std::to_string(e.place.line));
  }
  put_fields(e, out);
  return out.bytes();
}

/// A journal that does not read is waited for once; then not until it reads again.
class journal_port {
 public:
  explicit journal_port(std::string_view service,
                        std::string_view address = "/run/systemd/journal/socket")
      : service_(service), socket_(address, error_) {}

  [[nodiscard]] bool is_open() const noexcept { return !error_; }
  bool put(severity level, const lifecycle_event& e) {
    const std::string entry = journal_entry(service_, level, e);
    reads_ = reads_ ? socket_.send(entry) : socket_.offer(entry);
    return reads_;
  }

 private:
  const std::string service_;
  std::error_code error_;
  notify_socket socket_;
  bool reads_ = true;
};

}  // namespace detail
CURFEW_END

#endif
#endif
