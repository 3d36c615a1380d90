// SPDX-License-Identifier: BSL-1.0
//
// What the web server can be told anew while it runs.
#ifndef CURFEW_EXAMPLES_WEB_CONFIGURATION_HPP
#define CURFEW_EXAMPLES_WEB_CONFIGURATION_HPP

#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

namespace web {

// Thread safety: all members, from any thread.
class configuration {
 public:
  // The greeting, or, if there is a path, what the file there says. False: it cannot be read, and
  // all stays as it is.
  bool load(const std::string& greeting, const std::string& path) {
    std::string text = greeting;
    if (!path.empty() && !read_line(path, text)) return false;
    const std::lock_guard lock(lock_);
    greeting_ = std::move(text);
    return true;
  }

  std::string greeting() const {
    const std::lock_guard lock(lock_);
    return greeting_;
  }

 private:
  static bool read_line(const std::string& path, std::string& into) {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return false;
    char line[4096];
    const bool read = std::fgets(line, sizeof line, file) != nullptr;
    std::fclose(file);
    if (!read) return false;
    into = line;
    while (!into.empty() && (into.back() == '\n' || into.back() == '\r')) into.pop_back();
    return true;
  }

  mutable std::mutex lock_;
  std::string greeting_;
};

}  // namespace web

#endif
