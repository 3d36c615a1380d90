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
#include <mutex>
#include <string>
#include <string_view>

namespace web {

// Lines are collected and written together: once a second, and at the end. Requests never wait for
// that: when nobody takes the lines, what is over a mebibyte is lost.
class access_log {
 public:
  explicit access_log(std::FILE* stream) : file_{stream} {
    writer_.spawn([this](const curfew::stop_token& stop) {
      while (!stop.wait_for(std::chrono::seconds(1))) write();
    });
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

  struct file {
    std::FILE* stream;
    ~file() {
      if (stream != stdout) std::fclose(stream);
    }
  };

  void write() {
    std::string lines;
    {
      const std::lock_guard lock(mutex_);
      lines.swap(pending_);
    }
    const std::string_view left = write_out(file_.stream, lines);
    const std::lock_guard lock(mutex_);
    pending_.insert(0, left);
  }

  std::mutex mutex_;
  std::string pending_;
  std::size_t lines_ = 0;
  std::size_t lost_ = 0;  // of these
  file file_;
  curfew::task_group writer_;  // last: joined before the file is closed
};

}  // namespace web

#endif
