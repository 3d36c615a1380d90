// SPDX-License-Identifier: BSL-1.0
//
// The access log of the web server.
#ifndef CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP
#define CURFEW_EXAMPLES_WEB_ACCESS_LOG_HPP

#include "http.hpp"
#include "system.hpp"

#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/task_group.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>

namespace web {

// Lines are collected and written together: once a second, and at the end.
class access_log {
 public:
  explicit access_log(std::FILE* stream) : file_{stream} {
    writer_.spawn([this](const curfew::stop_token& stop) {
      while (!stop.wait_for(std::chrono::seconds(1))) write();
    });
  }

  // Writes what is left, and fails if anything could not be written to a file.
  void finish() {
    write();
    const std::lock_guard lock(mutex_);
    say("access log written with " + std::to_string(lines_) + " requests");
    if (lost_ && file_.stream != stdout) lose("lines were lost");
  }

  void add(const request& asked, const response& answer) {
    const std::string line = "127.0.0.1 - - [" + web::date() + "] \"" + asked.line + "\" " +
                             std::to_string(answer.status) + " " +
                             std::to_string(answer.body.size()) + "\n";
    const std::lock_guard lock(mutex_);
    pending_ += line;
    ++lines_;
  }

 private:
  struct file {
    std::FILE* stream;
    ~file() {
      if (stream != stdout) std::fclose(stream);
    }
  };

  void write() {
    const std::lock_guard lock(mutex_);
    const std::size_t size = pending_.size();
    if (std::fwrite(pending_.data(), 1, size, file_.stream) != size) lost_ = true;
    if (std::fflush(file_.stream) != 0) lost_ = true;
    pending_.clear();
  }

  std::mutex mutex_;
  std::string pending_;
  std::size_t lines_ = 0;
  bool lost_ = false;
  file file_;
  curfew::task_group writer_;  // last: joined before the file is closed
};

}  // namespace web

#endif
