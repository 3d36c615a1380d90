// SPDX-License-Identifier: BSL-1.0
//
// Where a program lies, whatever it is called and whatever has become of its file.
#include <curfew/host/executable.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "doctest/doctest.h"

namespace {

namespace fs = std::filesystem;

const std::string programs = CURFEW_TEST_PROGRAM_DIR;

/// A folder that goes with the test.
struct folder {
  explicit folder(const std::string& name)
      : path(fs::path(programs) / fs::path(std::u8string(name.begin(), name.end()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  const fs::path path;
};

std::string text_of(const fs::path& path) {
  const auto text = path.u8string();
  return std::string(text.begin(), text.end());
}

}  // namespace

TEST_CASE("a program knows its file and its directory") {
  std::error_code ec = std::make_error_code(std::errc::io_error);
  const std::string path = curfew::executable_path(ec);
  REQUIRE_FALSE(ec);
  CHECK(fs::path(path).is_absolute());
  CHECK(fs::exists(path));
  CHECK(fs::path(path).stem().string().find("executable") != std::string::npos);
  CHECK(path == curfew::executable_path());
  CHECK(curfew::executable_directory(ec) == text_of(fs::path(path).parent_path()));
  CHECK(curfew::executable_directory() == curfew::executable_directory(ec));
}

#if CURFEW_POSIX

#include "posix_support.hpp"

namespace {

const std::string original = programs + "/proc_where";

/// A copy: a hard link would leave the file with another name.
std::string copy_to(const fs::path& path) {
  fs::copy_file(original, path);
  return path.string();
}

}  // namespace

TEST_CASE("the directory of a path has no slash at its end except for the root") {
  using curfew::detail::directory_of;
  CHECK(directory_of("/opt/x/web") == "/opt/x");
  CHECK(directory_of("/web") == "/");
  CHECK(directory_of("").empty());
}

TEST_CASE("a program finds itself by any name and from any working directory") {
  const folder here("proc executable \xc3\xa9 (deleted)");
  const std::string path = copy_to(here.path / "web server\n (deleted)");
  test::program p({path});
  const std::string first = p.line();
  CHECK(first + "\n" + p.line() == fs::canonical(path).string());
  CHECK(p.line() == fs::canonical(here.path).string());
  CHECK(p.end() == 0);
}

TEST_CASE("a program that was called through a link finds the file") {
  const folder here("proc_executable_link");
  fs::create_symlink(original, here.path / "link");
  test::program p({(here.path / "link").string()});
  CHECK(p.line() == fs::canonical(original).string());
}

TEST_CASE("a program whose file was removed or replaced has the name it was started by") {
  const folder here("proc_executable_gone");
  for (const bool replaced : {false, true}) {
    const std::string path = copy_to(here.path / "web");
    const std::string wanted = fs::canonical(path).string();
    int in[2] = {};
    REQUIRE(pipe(in) == 0);
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    const int kept = dup(0);
    dup2(in[0], 0);
    test::program p({path, "wait"});
    dup2(kept, 0);
    close(kept);
    CHECK(p.line() == "ready");
    fs::remove(path);
    if (replaced) std::ofstream(path) << "new";
    CHECK(write(in[1], "\n", 1) == 1);
    CHECK(p.line() == wanted);
    CHECK(p.end() == 0);
    close(in[0]);
    close(in[1]);
    if (replaced) fs::remove(path);
  }
}

TEST_CASE("a path is as long as the system lets it be") {
  const folder here("proc_executable_long");
  fs::path deep = here.path;
  for (int i = 0; i < 10; ++i) deep /= std::string(200, static_cast<char>('a' + i));
  fs::create_directories(deep);
  const std::string path = copy_to(deep / "web");
  test::program p({path});
  CHECK(p.line() == fs::canonical(path).string());
  CHECK(p.end() == 0);
}

TEST_CASE("a link that cannot be read is an error and no path") {
  std::error_code ec;
  CHECK(curfew::detail::read_link("/proc/self/no-such-link", ec).empty());
  CHECK(ec == std::errc::no_such_file_or_directory);
}

#else

#include <windows.h>

namespace {

/// What a program says, in its first line.
std::string first_line(const std::wstring& command) {
  std::FILE* const out = _wpopen(command.c_str(), L"rb");
  char line[2048] = {};
  if (out == nullptr || std::fgets(line, sizeof line, out) == nullptr) return "nothing";
  _pclose(out);
  const std::string text = line;
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

TEST_CASE("the directory of a path keeps what is a root") {
  using curfew::detail::directory_of;
  CHECK(directory_of("C:\\opt\\web.exe") == "C:\\opt");
  CHECK(directory_of("C:\\web.exe") == "C:\\");
  CHECK(directory_of("C:/opt/web.exe") == "C:/opt");
  CHECK(directory_of("\\\\?\\C:\\web.exe") == "\\\\?\\C:\\");
  CHECK(directory_of("\\\\server\\share\\web.exe") == "\\\\server\\share\\");
  CHECK(directory_of("\\\\server\\share\\x\\web.exe") == "\\\\server\\share\\x");
  CHECK(directory_of("").empty());
}

TEST_CASE("a program finds itself by a name that no code page has") {
  const folder here("proc executable \xc3\xa9 \xe4\xb8\xad");
  const fs::path copy = here.path / L"web \u4e2d.exe";
  fs::copy_file(fs::path(programs) / "proc_where.exe", copy);
  CHECK(first_line(L"\"\"" + copy.wstring() + L"\"\"") == text_of(fs::canonical(copy)));
}

#endif
