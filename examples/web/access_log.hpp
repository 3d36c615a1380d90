// SPDX-License-Identifier: BSL-1.0
//
// The access log of the web server.
#ifndef CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP
#define CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP

#include "http.hpp"
#include "system.hpp"

#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/task_group.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace web {

// Lines are collected and written together: once a second, and at the end. Requests never wait for
// that: when nobody takes the lines, what is over a mebibyte is lost.
class access_log {
 public:
  // An empty path: standard output, which does not exist everywhere, and then takes all and keeps
  // nothing. Check is_open() before use.
  explicit access_log(std::string path) : path_(std::move(path)), file_(open(path_)) {
    if (!is_open()) return;
    writer_.spawn([this](const curfew::stop_token& stop) {
      while (!stop.wait_for(std::chrono::seconds(1))) write();
    });
  }

  bool is_open() const { return file_ != nullptr; }

  // For log rotation: the file has been moved away, and from now on there is a new one. False:
  // there cannot be; the old one is kept.
  bool reopen() {
    file_pointer fresh = open(path_);
    if (fresh == nullptr) return false;
    write();
    const std::lock_guard lock(writing_);
    file_.swap(fresh);
    return true;
  }

  // Writes what is left, and fails if lines were lost.
  void finish() {
    writer_.request_stop();
    writer_.join();
    write();
    const std::lock_guard lock(mutex_);
    lost_ += static_cast<std::size_t>(std::count(pending_.begin(), pending_.end(), '\n'));
    say("access log written with " + std::to_string(lines_ - lost_) + " requests");
    if (lost_ != 0) lose("lines were lost: " + std::to_string(lost_));
  }

  void add(const request& asked, const response& answer) {
    const std::string line = "127.0.0.1 - - [" + web::date() + "] \"" + asked.line + "\" " +
                             std::to_string(answer.status) + " " +
                             std::to_string(answer.body.size()) + "\n";
    const std::lock_guard lock(mutex_);
    ++lines_;
    if (pending_.size() > most_pending) {
      ++lost_;
    } else {
      pending_ += line;
    }
  }

 private:
  static constexpr std::size_t most_pending = 1024 * 1024;

  struct closer {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };
  using file_pointer = std::unique_ptr<std::FILE, closer>;

  static file_pointer open(const std::string& path) {
    return file_pointer(path.empty() ? stdout : std::fopen(path.c_str(), "ab"));
  }

  void write() {
    const std::lock_guard alone(writing_);
    std::string lines;
    {
      const std::lock_guard lock(mutex_);
      lines.swap(pending_);
    }
    const std::string_view left = write_out(file_.get(), lines);
    const std::lock_guard lock(mutex_);
    pending_.insert(0, left);
  }

  const std::string path_;
  std::mutex writing_;  // of the file; taken before the other one
  file_pointer file_;
  std::mutex mutex_;  // of what follows
  std::string pending_;
  std::size_t lines_ = 0;
  std::size_t lost_ = 0;       // of these
  curfew::task_group writer_;  // last: joined before the file is closed
};

}  // namespace web

#endif
