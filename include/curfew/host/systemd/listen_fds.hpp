// SPDX-License-Identifier: BSL-1.0
//
// Descriptors that systemd hands to a service when it starts it: sockets that clients may be
// connecting to already, and what an earlier run has stored.
#ifndef CURFEW_HOST_SYSTEMD_LISTEN_FDS_HPP
#define CURFEW_HOST_SYSTEMD_LISTEN_FDS_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/systemd/environment.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

CURFEW_BEGIN

/// An open socket, pipe or file that systemd has passed on, and its name.
struct passed_descriptor {
  int descriptor = -1;
  std::string name = {};  ///< FileDescriptorName= of its socket unit, or the name it was stored by
};

/// Owns the descriptors that were passed; those that nobody takes are closed. Programs that this
/// one starts inherit none of them.
///
/// Those of one socket unit are in its order, those of several units in no order, and stored ones
/// come last. Several may have one name.
///
/// Thread safety: one thread at a time.
class passed_descriptors {
 public:
  using const_iterator = std::vector<passed_descriptor>::const_iterator;

  passed_descriptors() noexcept = default;
  /// At most once a process, before anything else is opened. What is not open, whatever the
  /// environment says, is left out with all that follows.
  explicit passed_descriptors(const systemd_environment& environment);
  passed_descriptors(passed_descriptors&& other) noexcept : open_(std::exchange(other.open_, {})) {}
  passed_descriptors& operator=(passed_descriptors&& other) noexcept {
    passed_descriptors{std::move(other)}.open_.swap(open_);
    return *this;
  }
  ~passed_descriptors();

  /// The first of that name, which is the caller's to close from now on; -1: there is none (left).
  [[nodiscard]] int take(std::string_view name) noexcept;

  /// Those that are left.
  [[nodiscard]] const_iterator begin() const noexcept { return open_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return open_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }
  [[nodiscard]] bool empty() const noexcept { return open_.empty(); }

 private:
  static constexpr int first = 3;

  std::vector<passed_descriptor> open_;
};

inline passed_descriptors::passed_descriptors(const systemd_environment& environment)
    : passed_descriptors() {  // so that the destructor runs if a name does not fit into memory
  int next = first;
  open_.reserve(environment.descriptor_names.size());
  for (const std::string& name : environment.descriptor_names) {
    const int flags = ::fcntl(next, F_GETFD);
    if (flags == -1 || ::fcntl(next, F_SETFD, flags | FD_CLOEXEC) == -1) break;
    open_.push_back({next++, name});
  }
}

inline passed_descriptors::~passed_descriptors() {
  for (const passed_descriptor& p : open_) detail::event_descriptor closes(p.descriptor);
}

inline int passed_descriptors::take(std::string_view name) noexcept {
  for (auto p = open_.begin(); p != open_.end(); ++p) {
    if (p->name != name) continue;
    const int descriptor = p->descriptor;
    open_.erase(p);
    return descriptor;
  }
  return -1;
}

CURFEW_END

#endif
#endif
