// SPDX-License-Identifier: BSL-1.0
//
// A program without standard streams.
//   proc_streams run FILE      fills them, uses them, and writes to FILE what it saw
//   proc_streams without FILE  Windows: starts "run FILE" detached, with no handles at all
#include <curfew/host/standard_streams.hpp>

#include <fstream>
#include <iostream>
#include <string>

#if CURFEW_WINDOWS
#include <windows.h>

#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace {

#if CURFEW_WINDOWS
int open_file(const char* name) { return _fileno(std::fopen(name, "a")); }
int write_to(int fd) { return _write(fd, "raw\n", 4); }
#else
int open_file(const char* name) { return open(name, O_WRONLY | O_APPEND); }
int write_to(int fd) { return static_cast<int>(write(fd, "raw\n", 4)); }
#endif

int run(const char* file) {
  const auto missing = curfew::detail::fill_standard_streams();
  std::ofstream out(file);
  std::cout << "to nobody" << std::endl;
  std::cerr << "to nobody" << std::endl;
  out << "missing " << missing.input << missing.output << missing.error << "\n";
  out << "above " << (open_file(file) > 2) << "\n";
  out << "good " << std::cout.good() << std::cerr.good() << "\n";
  out << "printed " << (std::printf("more\n") == 5 && std::fflush(stdout) == 0) << "\n";
  out << "raw " << write_to(1) << write_to(2) << "\n";
  out << "end of input " << (std::getchar() == EOF) << "\n";
  const auto again = curfew::detail::fill_standard_streams();
  out << "again " << again.input << again.output << again.error << "\n";
  return 0;
}

#if CURFEW_WINDOWS

int without(const std::string& file) {
  char self[1024] = {};
  GetModuleFileNameA(nullptr, self, sizeof self);
  std::string command = std::string("\"") + self + "\" run \"" + file + "\"";
  STARTUPINFOA start = {};
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
  PROCESS_INFORMATION info = {};
  if (!CreateProcessA(nullptr, command.data(), nullptr, nullptr, FALSE, DETACHED_PROCESS, nullptr,
                      nullptr, &start, &info)) {
    return 3;
  }
  WaitForSingleObject(info.hProcess, 60'000);
  DWORD code = 4;
  GetExitCodeProcess(info.hProcess, &code);
  return static_cast<int>(code);
}

#else

int without(const std::string&) { return 2; }

#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return std::string(argv[1]) == "run" ? run(argv[2]) : without(argv[2]);
}
