// SPDX-License-Identifier: BSL-1.0
//
// A message of text and descriptors for a local socket, and the address that it goes to.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_DATAGRAM_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_DATAGRAM_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/stop/detail/bounds.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

CURFEW_BEGIN
namespace detail {

/// An absolute path, or '@' and a name in the abstract namespace. sd_notify(3) also knows vsock:,
/// which is for virtual machines as a whole.
class local_address {
 public:
  local_address(std::string_view text, std::error_code& ec) noexcept {
    const auto problem = problem_of(text);
    ec = problem == std::errc() ? std::error_code() : std::make_error_code(problem);
    if (ec) return;
    address_.sun_family = AF_UNIX;
    text.copy(address_.sun_path, text.size());
    if (text[0] == '@') address_.sun_path[0] = '\0';
    const std::size_t end = text[0] == '@' ? 0 : 1;  // the length of a name decides, a path has 0
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + end);
  }

  [[nodiscard]] bool connect(int socket) const noexcept {
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address_), size_) == 0;
  }

 private:
  [[nodiscard]] static std::errc problem_of(std::string_view text) noexcept {
    if (text.empty() || text == "@" || text.find('\0') != text.npos)
      return std::errc::invalid_argument;
    if (text[0] != '/' && text[0] != '@') return std::errc::address_family_not_supported;
    return text.size() < sizeof sockaddr_un::sun_path ? std::errc() : std::errc::filename_too_long;
  }

  sockaddr_un address_{};
  socklen_t size_ = 0;
};

/// Refers to its text; holds copies of the descriptors' numbers, at most as many as the kernel
/// takes.
class datagram {
 public:
  static constexpr std::size_t most_descriptors = 253;

  explicit datagram(std::string_view text, std::span<const int> descriptors = {}) noexcept
      : text_{const_cast<char*>(text.data()), text.size()} {
    message_.msg_iov = &text_;
    message_.msg_iovlen = 1;
    if (!descriptors.empty()) attach(descriptors);
  }
  datagram(const datagram&) = delete;
  datagram& operator=(const datagram&) = delete;

  /// Whole or not at all, and at once or not at all.
  [[nodiscard]] bool send(int socket) const noexcept {
    return ::sendmsg(socket, &message_, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  }

 private:
  void attach(std::span<const int> descriptors) noexcept {
    using space = decltype(message_.msg_controllen);  // which C libraries do not agree about
    message_.msg_control = control_;
    message_.msg_controllen = as<space>(CMSG_SPACE(descriptors.size_bytes()));
    cmsghdr* const header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = as<space>(CMSG_LEN(descriptors.size_bytes()));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }

  iovec text_;
  msghdr message_{};
  alignas(cmsghdr) unsigned char control_[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
};

}  // namespace detail
CURFEW_END

#endif
#endif
