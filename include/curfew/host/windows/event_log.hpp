// SPDX-License-Identifier: BSL-1.0
//
// Lines for the event log of Windows, which is where people look for what a service has said.
#ifndef CURFEW_HOST_WINDOWS_EVENT_LOG_HPP
#define CURFEW_HOST_WINDOWS_EVENT_LOG_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/cut_text.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/host/windows/wide_text.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#if CURFEW_MSVC
#pragma comment(lib, "advapi32")
#endif

extern "C" {
__declspec(dllimport) void __stdcall SetLastError(unsigned long);
__declspec(dllimport) void* __stdcall RegisterEventSourceW(const wchar_t*, const wchar_t*);
__declspec(dllimport) int __stdcall DeregisterEventSource(void*);
__declspec(dllimport) int __stdcall ReportEventW(void*, unsigned short, unsigned short,
                                                 unsigned long, void*, unsigned short,
                                                 unsigned long, const wchar_t**, void*);
}

CURFEW_BEGIN
namespace detail {

/// Types of the system's: an error, a warning, and information for all else.
[[nodiscard]] constexpr unsigned short event_type(severity level) noexcept {
  if (level <= severity::error) return 1;
  return level == severity::warning ? 2 : 4;
}

/// The viewer takes "%1" inside a text for a place to put something into: ReportEvent's page
/// forbids it, so a blank comes between. Control characters become blanks as well, except the end
/// of a line.
template <std::size_t N>
[[nodiscard]] std::string_view plain_event_text(std::string_view text,
                                                std::array<char, N>& into) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    into[size++] = control ? ' ' : text[i];
    if (byte == '%') into[size++] = ' ';
  }
  return {into.data(), size};
}

}  // namespace detail

/// One event a text, under the name of a source. Without an entry of that name in the registry,
/// which an installer makes because that takes rights, the viewer shows the text after a complaint
/// of its own. A text that is too long is cut.
///
/// Thread safety: write() may be called from any thread. It waits for the service of the event log,
/// which has no limit that could be set.
class event_log_sink final : public message_sink {
 public:
  /// `event_id`: 1 to 1000 are the ones that the message file of the system itself has a form for.
  explicit event_log_sink(const std::string& source, unsigned long event_id = 1);
  event_log_sink(const event_log_sink&) = delete;
  event_log_sink& operator=(const event_log_sink&) = delete;
  ~event_log_sink() {
    if (log_ != nullptr) DeregisterEventSource(log_);
  }

  void write(severity level, std::string_view text) noexcept override {
    static_cast<void>(write(level, text, event_id_));
  }
  /// Under a number of its own. False: it is lost.
  bool write(severity level, std::string_view text, unsigned long event_id) noexcept;

  [[nodiscard]] bool is_open() const noexcept { return log_ != nullptr; }
  /// Events that the log did not take.
  [[nodiscard]] std::size_t lost() const noexcept { return lost_.load(); }

 private:
  static constexpr std::size_t longest_text = 2000;

  [[nodiscard]] bool report(severity level, const wchar_t* text, unsigned long id) const noexcept;

  void* log_ = nullptr;
  const unsigned long event_id_;
  std::atomic<std::size_t> lost_{0};
};

inline event_log_sink::event_log_sink(const std::string& source, unsigned long event_id)
    : event_id_(event_id) {
  std::error_code ec;
  const std::wstring name = detail::to_wide(source, ec);
  if (!ec) log_ = RegisterEventSourceW(nullptr, name.c_str());
}

/// A byte of UTF-8 becomes at most one unit of UTF-16, and what is not valid becomes U+FFFD.
inline bool event_log_sink::write(severity level, std::string_view text,
                                  unsigned long event_id) noexcept {
  std::array<char, 2 * longest_text> plain;
  std::array<wchar_t, 2 * longest_text + 1> wide;
  const auto line = detail::plain_event_text(detail::cut_to(text, longest_text), plain);
  const int size =
      MultiByteToWideChar(detail::code_page_utf8, 0, line.data(), static_cast<int>(line.size()),
                          wide.data(), static_cast<int>(2 * longest_text));
  wide[static_cast<std::size_t>(size)] = L'\0';
  const bool taken = report(level, wide.data(), event_id);
  if (!taken) lost_.fetch_add(1);
  return taken;
}

inline bool event_log_sink::report(severity level, const wchar_t* text,
                                   unsigned long id) const noexcept {
  const unsigned long kept = GetLastError();
  const bool done = log_ != nullptr && ReportEventW(log_, detail::event_type(level), 0, id, nullptr,
                                                    1, 0, &text, nullptr) != 0;
  SetLastError(kept);
  return done;
}

CURFEW_END

#endif
#endif
