// SPDX-License-Identifier: BSL-1.0
//
// The file of a flight recorder on POSIX systems.
#ifndef CURFEW_SERVICE_DETAIL_POSIX_RECORDER_FILE_HPP
#define CURFEW_SERVICE_DETAIL_POSIX_RECORDER_FILE_HPP

#include <curfew/config.hpp>

#if CURFEW_POSIX

#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/posix/event.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

CURFEW_BEGIN
namespace detail {

class recorder_file {
 public:
  recorder_file() noexcept = default;
  recorder_file(const recorder_file&) = delete;
  recorder_file& operator=(const recorder_file&) = delete;
  ~recorder_file() {
    if (memory_ != nullptr) ::munmap(memory_, mapped_);
  }

  void open_to_record(const std::string& path, std::error_code& ec) noexcept {
    open(path, O_RDWR | O_CREAT, ec);
    if (!ec) lock(ec);
  }
  void open_to_read(const std::string& path, std::error_code& ec) noexcept {
    open(path, O_RDONLY, ec);
  }

  [[nodiscard]] bool is_recorded_into() const noexcept {
    if (::flock(fd_.get(), LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
    ::flock(fd_.get(), LOCK_UN);
    return false;
  }

  [[nodiscard]] std::string read(std::size_t most, std::error_code& ec) const {
    std::string bytes(as<std::size_t>(size() < most ? size() : most), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto n = ::pread(fd_.get(), &bytes[done], bytes.size() - done, offset(done));
      if (n < 0 && errno == EINTR) continue;
      assign_errno(ec, n < 0);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }

  void write(const void* data, std::size_t n, std::error_code& ec) const noexcept {
    const auto written = ::pwrite(fd_.get(), data, n, 0);
    assign_errno(ec, written < 0);
    if (!ec && static_cast<std::size_t>(written) != n) {
      ec = std::make_error_code(std::errc::no_space_on_device);
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept {
    struct stat s = {};
    return ::fstat(fd_.get(), &s) == 0 ? static_cast<std::uint64_t>(s.st_size) : 0;
  }

  [[nodiscard]] unsigned char* map(std::size_t n, std::error_code& ec) noexcept {
    close_to_others(ec);
    if (!ec) assign_errno(ec, ::ftruncate(fd_.get(), offset(n)) != 0);
    if (!ec) allocate(n, ec);
    if (ec) return nullptr;
    void* const p = ::mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    assign_errno(ec, p == MAP_FAILED);
    if (ec) return nullptr;
    memory_ = p;
    mapped_ = n;
    return static_cast<unsigned char*>(p);
  }

  [[nodiscard]] bool is_intact() const noexcept { return size() >= mapped_; }

 private:
  static off_t offset(std::size_t n) noexcept { return static_cast<off_t>(n); }

  /// A pipe in its place must not block, nor a link lead elsewhere.
  void open(const std::string& path, int how, std::error_code& ec) noexcept {
    fd_.reset(::open(path.c_str(), how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
    struct stat s = {};
    assign_errno(ec, fd_.get() == event_descriptor::none || ::fstat(fd_.get(), &s) != 0);
    const bool strange = ec.value() == ELOOP || ec.value() == ENXIO;
    if (strange || (!ec && !S_ISREG(s.st_mode))) {
      ec = std::make_error_code(std::errc::invalid_argument);
    }
  }

  /// It goes with the last descriptor of this opening, so with the process, however that ends. A
  /// reader holds it for a moment.
  void lock(std::error_code& ec) const noexcept {
    for (int tries = 10; ::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0; --tries) {
      assign_errno(ec, true);
      if (errno == EWOULDBLOCK) ec = std::make_error_code(std::errc::device_or_resource_busy);
      if (tries == 0 || (errno != EWOULDBLOCK && errno != EINTR)) return;
      ::poll(nullptr, 0, 10);
    }
    ec.clear();
  }

  /// A file that was there may have been given another mode.
  void close_to_others(std::error_code& ec) const noexcept {
    struct stat s = {};
    const bool known = ::fstat(fd_.get(), &s) == 0;
    const bool open = known && (s.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    assign_errno(ec, !known || (open && ::fchmod(fd_.get(), 0600) != 0));
  }

  void allocate(std::size_t n, std::error_code& ec) const noexcept {
#if CURFEW_APPLE
    fstore_t wanted = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, offset(n), 0};
    assign_errno(ec, ::fcntl(fd_.get(), F_PREALLOCATE, &wanted) != 0);
#else
    int error = EINTR;
    while (error == EINTR) error = ::posix_fallocate(fd_.get(), 0, offset(n));
    ec.assign(error, std::system_category());
#endif
  }

  event_descriptor fd_;
  void* memory_ = nullptr;
  std::size_t mapped_ = 0;
};

}  // namespace detail
CURFEW_END

#endif
#endif
