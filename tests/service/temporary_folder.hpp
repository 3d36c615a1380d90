// SPDX-License-Identifier: BSL-1.0
//
// A folder of its own for a test, and files in it.
#ifndef CURFEW_TESTS_SERVICE_TEMPORARY_FOLDER_HPP
#define CURFEW_TESTS_SERVICE_TEMPORARY_FOLDER_HPP

#include <curfew/service/detail/end_process.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

class temporary_folder {
 public:
  temporary_folder() : path_(std::filesystem::temp_directory_path() / ("curfew-" + unique())) {
    std::filesystem::create_directories(path_);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  static std::string unique() {
    static int count = 0;
    return std::to_string(curfew::detail::process_id()) + "-" + std::to_string(++count);
  }

  std::filesystem::path path_;
};

inline std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void put_bytes(const std::string& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

/// Without their ends; what follows the last end is a line too, if there is such a thing.
inline std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream in(file, std::ios::binary);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

#endif
