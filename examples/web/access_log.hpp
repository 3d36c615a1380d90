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
  explicit access_log(std::FILE* file) : file_(file) {
    writer_.spawn([this](const curfew::stop_token& stop) {
      while (!stop.wait_for(std::chrono::seconds(1))) write();
    });
  }

  ~access_log() {
    write();
    if (file_ != stdout) std::fclose(file_);
    say("access log written with " + std::to_string(lines_) + " requests");
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
  void write() {
    const std::lock_guard lock(mutex_);
    const bool whole = std::fwrite(pending_.data(), 1, pending_.size(), file_) == pending_.size();
    if (std::fflush(file_) != 0 || !whole) complain("the access log cannot be written");
    pending_.clear();
  }

  std::mutex mutex_;
  std::string pending_;
  std::size_t lines_ = 0;
  std::FILE* file_;
  curfew::task_group writer_;
};

}  // namespace web

#endif
