// SPDX-License-Identifier: BSL-1.0
//
// A listener for notifications, in place of systemd.
#ifndef CURFEW_TESTS_HOST_SYSTEMD_SUPPORT_HPP
#define CURFEW_TESTS_HOST_SYSTEMD_SUPPORT_HPP

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace test {

/// A directory that goes with what is in it, which is sockets.
class folder {
 public:
  folder() { made_ = mkdtemp(name_) != nullptr; }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    for (const auto& file : files_) unlink(file.c_str());
    if (made_) rmdir(name_);
  }
  std::string path(const std::string& file) {
    files_.push_back(std::string(name_) + "/" + file);
    return files_.back();
  }

 private:
  char name_[32] = "/tmp/curfew-notify-XXXXXX";
  bool made_ = false;
  std::vector<std::string> files_;
};

/// What came in one datagram; the descriptors are closed with it.
struct message {
  message() = default;
  message(message&& m) noexcept
      : text(std::move(m.text)), descriptors(std::exchange(m.descriptors, {})) {}
  ~message() {
    for (const int fd : descriptors) close(fd);
  }

  std::string text;
  std::vector<int> descriptors;
};

class listener {
 public:
  explicit listener(const std::string& address)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    address.copy(where.sun_path, address.size());
    if (address[0] == '@') where.sun_path[0] = '\0';
    unlink(where.sun_path);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    bound_ = bind(fd_, reinterpret_cast<const sockaddr*>(&where), size) == 0;
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { close(fd_); }

  [[nodiscard]] bool is_bound() const { return bound_; }

  /// The next datagram; "nothing" when none comes within the limit.
  [[nodiscard]] message take(int limit_ms = 60'000) const {
    message m;
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, limit_ms) != 1) {
      m.text = "nothing";
      return m;
    }
    alignas(cmsghdr) char control[2048];
    char bytes[4096];
    iovec text{bytes, sizeof bytes};
    msghdr header{};
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(fd_, &header, MSG_CMSG_CLOEXEC);
    m.text.assign(bytes, size < 0 ? 0 : static_cast<std::size_t>(size));
    const cmsghdr* c = CMSG_FIRSTHDR(&header);
    if (c == nullptr || c->cmsg_type != SCM_RIGHTS) return m;
    m.descriptors.resize((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(m.descriptors.data(), CMSG_DATA(c), m.descriptors.size() * sizeof(int));
    return m;
  }
  [[nodiscard]] std::string text(int limit_ms = 60'000) const { return take(limit_ms).text; }
  [[nodiscard]] std::string text_now() const { return text(0); }

 private:
  int fd_;
  bool bound_ = false;
};

}  // namespace test

#endif
