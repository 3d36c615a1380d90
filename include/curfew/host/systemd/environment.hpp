// SPDX-License-Identifier: BSL-1.0
//
// What systemd says to a service in its environment.
#ifndef CURFEW_HOST_SYSTEMD_ENVIRONMENT_HPP
#define CURFEW_HOST_SYSTEMD_ENVIRONMENT_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN

/// Which file a stream is connected to.
struct stream_identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const stream_identity&, const stream_identity&) = default;
};

/// Read once, before clear_systemd_environment(). What is addressed to another process, which a
/// parent has failed to clear, is left out, and so is what cannot be understood.
struct systemd_environment {
  std::string notify_socket = {};         ///< an address for notify_socket; empty: none
  std::chrono::microseconds watchdog{0};  ///< how long the watched work may be silent; 0: for ever
  /// The name of each descriptor that was passed, from the first one on; see passed_descriptors.
  std::vector<std::string> descriptor_names = {};
  std::optional<stream_identity> journal = {};  ///< stdout or stderr was this when it was started
  std::string invocation_id = {};               ///< of this run of the unit, 32 hexadecimal digits

  /// Lines written to this descriptor go to the journal, and may begin with a priority.
  [[nodiscard]] bool is_journal(int descriptor) const noexcept;
};

/// Of the calling process. Not while another thread changes the environment.
[[nodiscard]] systemd_environment read_systemd_environment();

/// What a program that this one starts would take for its own. INVOCATION_ID and JOURNAL_STREAM are
/// for children too, and stay.
inline constexpr const char* systemd_private_variables[] = {
    "NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",   "LISTEN_PID",
    "LISTEN_FDS",    "LISTEN_FDNAMES", "LISTEN_PIDFDID", "FDSTORE",
};

/// Takes those out of the environment, which no other thread may look at meanwhile: so call it
/// before the first thread is started.
inline void clear_systemd_environment() noexcept {
  for (const char* name : systemd_private_variables) ::unsetenv(name);
}

// ---------------------------------------------------------------------------------------------

namespace detail {

inline std::string_view variable(const char* name) noexcept {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// Nothing unless the whole text is a number that fits.
[[nodiscard]] inline std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

[[nodiscard]] inline bool names_this_process(std::string_view pid) noexcept {
  return whole_number(pid) == static_cast<std::uint64_t>(::getpid());
}

/// Rule of sd_watchdog_enabled(3): without WATCHDOG_PID it is for whoever reads it.
[[nodiscard]] inline std::chrono::microseconds watchdog_of_environment() noexcept {
  const auto owner = variable("WATCHDOG_PID");
  if (!owner.empty() && !names_this_process(owner)) return {};
  const std::uint64_t usec = whole_number(variable("WATCHDOG_USEC")).value_or(0);
  const bool fits = usec <= static_cast<std::uint64_t>((std::chrono::microseconds::max)().count());
  return std::chrono::microseconds(fits ? static_cast<std::int64_t>(usec) : 0);
}

/// Cuts the next name off; what has none is called as sd_listen_fds_with_names(3) calls it.
inline std::string_view next_name(std::string_view& names) noexcept {
  const std::size_t size = names.find(':');
  const auto name = names.substr(0, size);
  names.remove_prefix(size == names.npos ? names.size() : size + 1);
  return name.empty() ? "unknown" : name;
}

/// Rule of sd_listen_fds(3): only with our LISTEN_PID. No number of open files is as large as what
/// is refused here.
[[nodiscard]] inline std::vector<std::string> names_of_environment() {
  std::vector<std::string> names;
  if (!names_this_process(variable("LISTEN_PID"))) return names;
  const std::uint64_t count = whole_number(variable("LISTEN_FDS")).value_or(0);
  if (count > (1u << 20)) return names;
  auto left = variable("LISTEN_FDNAMES");
  while (names.size() < count) names.emplace_back(next_name(left));
  return names;
}

[[nodiscard]] inline std::optional<stream_identity> stream_named(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto device = whole_number(text.substr(0, colon));
  const auto inode = whole_number(text.substr(colon + 1));
  if (!device || !inode) return std::nullopt;
  return stream_identity{*device, *inode};
}

}  // namespace detail

inline bool systemd_environment::is_journal(int descriptor) const noexcept {
  struct stat found {};
  if (!journal || ::fstat(descriptor, &found) != 0) return false;
  return *journal == stream_identity{found.st_dev, found.st_ino};
}

inline systemd_environment read_systemd_environment() {
  return {
      .notify_socket = std::string(detail::variable("NOTIFY_SOCKET")),
      .watchdog = detail::watchdog_of_environment(),
      .descriptor_names = detail::names_of_environment(),
      .journal = detail::stream_named(detail::variable("JOURNAL_STREAM")),
      .invocation_id = std::string(detail::variable("INVOCATION_ID")),
  };
}

CURFEW_END

#endif
#endif
