// SPDX-License-Identifier: BSL-1.0
//
// One unit file on disk: read, replaced as a whole, removed. Whoever reads it meanwhile finds the
// old one or the new one, and so does the next boot.
#ifndef CURFEW_HOST_SYSTEMD_DETAIL_UNIT_FILE_HPP
#define CURFEW_HOST_SYSTEMD_DETAIL_UNIT_FILE_HPP

#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

/// What is stored, and who may change it. No bytes: there is no file.
struct stored_unit {
  std::string bytes = {};
  mode_t mode = 0644;
  uid_t owner = ::geteuid();
  gid_t group = ::getegid();

  /// Nobody else decides what the unit starts.
  [[nodiscard]] bool is_safe() const noexcept {
    return (mode & (S_IWGRP | S_IWOTH)) == 0 && owner == ::geteuid();
  }
};

class unit_file {
 public:
  unit_file(std::string folder, const std::string& unit)
      : folder_(std::move(folder)), path_(folder_ + "/" + unit) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Neither a link nor an empty file is a unit: systemd.unit(5) has them as masks, which are
  /// somebody else's decision.
  [[nodiscard]] failure read(stored_unit& into) const;
  /// Makes the folders that are missing, and notes them in `made`.
  [[nodiscard]] failure write(const stored_unit& unit, std::vector<std::string>& made) const;
  /// One that is not there has been removed.
  [[nodiscard]] failure remove() const;

 private:
  std::string folder_;
  std::string path_;
};

/// Ours, or there is none.
[[nodiscard]] inline bool is_ours(std::string_view bytes) noexcept {
  return bytes.empty() || bytes.starts_with(unit_mark);
}

/// The lines that one has and the other has not, in their order, without a line break at the end.
[[nodiscard]] std::string lines_only_in(std::string_view one, std::string_view other);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline failure file_failure(const std::string& what, int error) {
  const bool rights = error == EACCES || error == EPERM;
  const std::string text = "cannot " + what + ": " + std::system_category().message(error);
  if (!rights)
    return {failure::kind_type::failed,
            text + "; a unit is a file there: see to it, and try again"};
  return {failure::kind_type::needs_rights, "needs root: " + text + "; use sudo"};
}

[[nodiscard]] inline bool read_all(int fd, std::string& into) {
  char bytes[4096];
  for (;;) {
    const ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    into.append(bytes, static_cast<std::size_t>(n));
  }
}

[[nodiscard]] inline bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

[[nodiscard]] inline failure masked_by(const std::string& what) {
  return {failure::kind_type::failed,
          what + ", so the unit is masked or kept elsewhere: remove it, or take another --name"};
}

inline failure unit_file::read(stored_unit& into) const {
  const event_descriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (fd.get() < 0 && errno == ELOOP) return masked_by(path_ + " is a link");
  struct stat s = {};
  if (fd.get() < 0 || ::fstat(fd.get(), &s) != 0 || !read_all(fd.get(), into.bytes)) {
    return file_failure("read " + path_, errno);
  }
  if (into.bytes.empty()) return masked_by(path_ + " is empty");
  into.mode = s.st_mode & 07777;
  into.owner = s.st_uid;
  into.group = s.st_gid;
  return {};
}

/// Up to and with the folder itself, as mkdir -p does: a mask may not close it to its owner.
[[nodiscard]] inline bool make_folders(const std::string& folder, std::vector<std::string>& made) {
  for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    const bool is_new = ::mkdir(part.c_str(), 0755) == 0;
    if (is_new) made.push_back(part);
    struct stat s = {};
    if (::stat(part.c_str(), &s) != 0) return false;
    if (is_new && ::chmod(part.c_str(), (s.st_mode & 07777) | 0700) != 0) return false;
    if (end == folder.npos) return true;
  }
}

inline void sync_folder(const std::string& folder) noexcept {
  const event_descriptor fd(::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (fd.get() >= 0) ::fsync(fd.get());
}

/// Written and safe on disk, but under a name that systemd does not read.
[[nodiscard]] inline bool write_aside(std::string& name, const stored_unit& unit) {
  const event_descriptor fd(::mkostemp(name.data(), O_CLOEXEC));
  if (fd.get() < 0) return name.clear(), false;
  return write_all(fd.get(), unit.bytes) && ::fchown(fd.get(), unit.owner, unit.group) == 0 &&
         ::fchmod(fd.get(), unit.mode) == 0 && ::fsync(fd.get()) == 0;
}

inline failure unit_file::write(const stored_unit& unit, std::vector<std::string>& made) const {
  if (!make_folders(folder_, made)) return file_failure("make " + folder_, errno);
  std::string aside = folder_ + "/." + path_.substr(folder_.size() + 1) + ".XXXXXX";
  if (!write_aside(aside, unit) || ::rename(aside.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    if (!aside.empty()) ::unlink(aside.c_str());
    return file_failure("write " + path_, error);
  }
  sync_folder(folder_);
  return {};
}

inline failure unit_file::remove() const {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
    return file_failure("remove " + path_, errno);
  sync_folder(folder_);
  return {};
}

[[nodiscard]] inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix((std::min)(lines.back().size() + 1, text.size()));
  }
  return lines;
}

inline std::string lines_only_in(std::string_view one, std::string_view other) {
  std::vector<std::string_view> known = lines_of(other);
  std::string out;
  for (const std::string_view line : lines_of(one)) {
    const auto same = std::find(known.begin(), known.end(), line);
    if (same != known.end()) {
      known.erase(same);
    } else if (!line.empty()) {
      out.append(out.empty() ? "" : "\n").append(line);
    }
  }
  return out;
}

}  // namespace detail
CURFEW_END

#endif
#endif
