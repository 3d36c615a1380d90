// SPDX-License-Identifier: BSL-1.0
//
// The working directory under every host.
#include <curfew/host/executable.hpp>
#include <curfew/host/working_directory.hpp>

#include <filesystem>
#include <string>
#include <system_error>

#include "doctest/doctest.h"

namespace {

namespace fs = std::filesystem;
using curfew::host_kind;

#if CURFEW_WINDOWS
const std::string absolute = "D:\\data";
const std::string base = "C:\\opt\\web";
const std::string joined = "C:\\opt\\web\\data";
#else
const std::string absolute = "/data";
const std::string base = "/opt/web";
const std::string joined = "/opt/web/data";
#endif

constexpr host_kind all_kinds[] = {host_kind::console, host_kind::systemd, host_kind::scm};

std::string goes_to(const std::string& declared, host_kind kind, std::error_code& ec) {
  const auto directory = [](std::error_code&) { return base; };
  return curfew::detail::working_directory_for(declared, kind, directory, ec);
}

std::string goes_to(const std::string& declared, host_kind kind) {
  std::error_code ec;
  const std::string to = goes_to(declared, kind, ec);
  CHECK_FALSE(ec);
  return to;
}

struct restored {
  const fs::path before = fs::current_path();
  ~restored() { fs::current_path(before); }
};

}  // namespace

TEST_CASE("a declared directory is the same one under every host") {
  for (const host_kind kind : all_kinds) {
    CHECK(goes_to(absolute, kind) == absolute);
    CHECK(goes_to("data", kind) == joined);
  }
}

TEST_CASE(
    "pain 7 - without a declaration only a service of Windows goes and never stays in system32") {
  CHECK(goes_to("", host_kind::console).empty());
  CHECK(goes_to("", host_kind::systemd).empty());
  CHECK(goes_to("", host_kind::scm) == base);
}

TEST_CASE("a directory below a root has one separator") {
  const auto root = [](std::error_code&) { return base.substr(0, base.find_first_of("/\\") + 1); };
  std::error_code ec;
  const auto to = curfew::detail::working_directory_for("data", host_kind::scm, root, ec);
  CHECK(to == base.substr(0, base.find_first_of("/\\") + 1) + "data");
}

TEST_CASE("a relative directory of an executable that is not known is an error") {
  const auto unknown = [](std::error_code& ec) {
    ec = std::make_error_code(std::errc::no_such_file_or_directory);
    return std::string();
  };
  for (const std::string declared : {"data", ""}) {
    std::error_code ec;
    static_cast<void>(curfew::detail::working_directory_for(declared, host_kind::scm, unknown, ec));
    CHECK(ec == std::errc::no_such_file_or_directory);
  }
}

TEST_CASE("a path with a zero inside is refused and the directory stays") {
  const restored back;
  std::error_code ec;
  curfew::enter_working_directory(std::string("/tmp\0/x", 7), host_kind::console, ec);
  CHECK(ec == std::errc::invalid_argument);
  CHECK(fs::current_path() == back.before);
}

TEST_CASE("the directory is entered and another one that is not there is an error") {
  const restored back;
  std::error_code ec = std::make_error_code(std::errc::io_error);
  curfew::enter_working_directory("", host_kind::scm, ec);
  CHECK_FALSE(ec);
  CHECK(fs::equivalent(fs::current_path(), curfew::executable_directory()));
  curfew::enter_working_directory("", host_kind::console, ec);
  CHECK_FALSE(ec);
  curfew::enter_working_directory("..", host_kind::systemd, ec);
  CHECK_FALSE(ec);
  CHECK(fs::equivalent(fs::current_path(), fs::path(curfew::executable_directory()).parent_path()));
  curfew::enter_working_directory("no such directory", host_kind::systemd, ec);
  CHECK(ec == std::errc::no_such_file_or_directory);
#if CURFEW_EXCEPTIONS
  CHECK_THROWS_AS(curfew::enter_working_directory("no such directory", host_kind::scm),
                  std::system_error);
#endif
}

#if CURFEW_WINDOWS

TEST_CASE("a path that leans on the current drive or directory is refused") {
  for (const std::string leaning : {"\\data", "/data", "C:data", "C:"}) {
    std::error_code ec;
    static_cast<void>(goes_to(leaning, host_kind::scm, ec));
    CHECK(ec == std::errc::invalid_argument);
  }
  CHECK(goes_to("\\\\server\\share\\data", host_kind::scm) == "\\\\server\\share\\data");
  CHECK(goes_to("c:/data", host_kind::scm) == "c:/data");
}

#endif
