// SPDX-License-Identifier: BSL-1.0
//
// The access log of the web server.
#ifndef CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP
#define CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP

#include "http.hpp"
#include "system.hpp"

#include <curfew/release/batch_buffer.hpp>
#include <curfew/stop/stop_token.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace web {

// Lines are collected and written together: once a second, and at the end. Requests never wait for
// that: when nobody takes the lines, what is over 4096 of them is lost.
class access_log {
 public:
  // An empty path: standard output, which does not exist everywhere, and then takes all and keeps
  // nothing. False: there is no such file, and no log.
  bool open(const std::string& path) {
    path_ = path;
    target_ = std::make_shared<target>(file_at(path_));
    if (target_->file == nullptr) return false;
    lines_.emplace([to = target_](std::span<std::string> lines) { return to->write(lines); },
                   patient);
    return true;
  }

  // For log rotation: the file has been moved away, and from now on there is a new one. False:
  // there cannot be; the old one is kept.
  bool reopen() {
    file_pointer fresh = file_at(path_);
    if (fresh == nullptr) return false;
    lines_->flush(curfew::stop_source(std::chrono::seconds(1)).get_token());
    const std::lock_guard lock(target_->writing);
    target_->file.swap(fresh);
    return true;
  }

  void add(const request& asked, const response& answer) {
    lines_->push("127.0.0.1 - - [" + web::date() + "] \"" + asked.line + "\" " +
                 std::to_string(answer.status) + " " + std::to_string(answer.body.size()) + "\n");
  }

  // Closed by whoever stops the log.
  std::optional<curfew::batch_buffer<std::string>>& lines() { return lines_; }
  std::size_t written() const { return lines_ ? lines_->counts().written : 0; }

 private:
  struct closer {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };
  using file_pointer = std::unique_ptr<std::FILE, closer>;

  // Shared with the thread that writes: when that hangs, it lives longer than we do.
  struct target {
    explicit target(file_pointer f) : file(std::move(f)) {}

    // What has been written is taken out of the lines: they may come again.
    std::error_code write(std::span<std::string> lines) {
      const std::lock_guard alone(writing);
      std::string text;
      for (const std::string& line : lines) text += line;
      const std::size_t left = write_out(file.get(), text).size();
      std::size_t done = text.size() - left;
      for (std::string& line : lines) {
        const std::size_t size = std::min(done, line.size());
        line.erase(0, size);
        done -= size;
      }
      return left == 0 ? std::error_code() : std::make_error_code(std::errc::io_error);
    }

    std::mutex writing;  // of the file
    file_pointer file;
  };

  static file_pointer file_at(const std::string& path) {
    return file_pointer(path.empty() ? stdout : std::fopen(path.c_str(), "ab"));
  }

  static constexpr curfew::batch_options patient{.capacity = 4096,
                                                 .attempts = std::numeric_limits<unsigned>::max(),
                                                 .retry_after = std::chrono::seconds(1)};

  std::string path_;
  std::shared_ptr<target> target_;
  std::optional<curfew::batch_buffer<std::string>> lines_;
};

}  // namespace web

#endif
