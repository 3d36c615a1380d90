// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/install/checks.hpp>

#include <string>

#include "doctest/doctest.h"

namespace {

using namespace std::string_literals;

const std::string good_path = CURFEW_WINDOWS != 0 ? "C:\\Program Files\\web.exe" : "/opt/web";

curfew::install_request good_request() {
  curfew::install_request r;
  r.spec.name = "orders-api";
  r.executable = good_path;
  return r;
}

/// The failure's text when `change` is made to a request that was good.
template <class F>
std::string complaint_about(F change) {
  auto r = good_request();
  change(r);
  const auto f = check_request(r);
  CHECK(f.kind == curfew::failure::kind_type::failed);
  return f.text;
}

bool mentions(const std::string& text, const char* what) { return text.find(what) != text.npos; }

}  // namespace

TEST_CASE("names that systemd and the service manager of Windows both take are taken") {
  for (const char* name : {"a", "orders-api", "Orders_API.2", "9lives", "a.b-c_d"}) {
    CHECK(curfew::service_name_problem(name) == "");
  }
  CHECK(curfew::service_name_problem(std::string(200, 'x')) == "");
}

TEST_CASE("names that would be options or paths or other units are refused") {
  for (const char* name : {"", "-h", ".hidden", "..", "a/b", "a\\b", "a b", "a@b", "a@", "a%i",
                           "a:b", "a;b", "a\nb", "a$b", "a\"b", "caf\xc3\xa9", "a.service", "a."}) {
    CAPTURE(name);
    CHECK(curfew::service_name_problem(name) != "");
  }
  CHECK(curfew::service_name_problem("a\0b"s) != "");
  CHECK(curfew::service_name_problem(std::string(201, 'x')) != "");
}

TEST_CASE("a complaint says what is wrong with what and what to do") {
  CHECK(curfew::check_service_name("a b").text ==
        "service name 'a b' has ' '; use letters, digits, - _ and .");
  CHECK(curfew::check_service_name("a\nb").text ==
        "service name has a control character; use letters, digits, - _ and .");
  CHECK_FALSE(curfew::check_service_name("web"));
}

TEST_CASE("paths are absolute and on one line and do not go up") {
  CHECK(curfew::path_problem(good_path) == "");
  for (const char* path : {"", "web", "./web", "~/web"}) CHECK(curfew::path_problem(path) != "");
  CHECK(mentions(curfew::path_problem(good_path + "\nExecStartPre=/bin/rm"), "line break"));
  CHECK(mentions(curfew::path_problem(good_path + "\0x"s), "NUL"));
  CHECK(mentions(curfew::path_problem(good_path + "\x1b[2J"), "control"));
  CHECK(mentions(curfew::path_problem(good_path + "\xff"), "UTF-8"));
  CHECK(curfew::path_problem(good_path + " \xc3\xbc%$'") == "");
}

TEST_CASE("paths of POSIX systems") {
  using curfew::detail::posix_path_problem;
  for (const char* path : {"/", "/a b", "/a..b/c", "/...", "/a\\b", "/a:b"}) {
    CHECK(posix_path_problem(path) == "");
  }
  for (const char* path : {"/..", "/a/../b", "/a/..", "/a ", "/a\\", "C:\\a"}) {
    CAPTURE(path);
    CHECK(posix_path_problem(path) != "");
  }
  CHECK(posix_path_problem("/" + std::string(4094, 'x')) == "");
  CHECK(posix_path_problem("/" + std::string(4095, 'x')) != "");
}

TEST_CASE("paths of Windows") {
  using curfew::detail::windows_path_problem;
  for (const char* path : {"C:\\a", "z:\\a b\\c.exe", "\\\\server\\share\\a", "\\\\?\\C:\\a"}) {
    CHECK(windows_path_problem(path) == "");
  }
  for (const char* path : {"/a", "C:a", "C:/a", "\\a", "C:\\a\\..\\b", "C:\\a\"b", "C:\\a*"}) {
    CAPTURE(path);
    CHECK(windows_path_problem(path) != "");
  }
}

TEST_CASE("arguments may have anything on one line") {
  for (const char* a :
       {"", "-x", "a b", "%h", "$HOME", "\"", "\\", "tab\there", "\xe2\x82\xac", "*"}) {
    CHECK(curfew::argument_problem(a) == "");
  }
  for (const char* a : {"a\nb", "a\rb", "\x01", "\x7f", "\xc2\x85", "\xc3", "\xed\xa0\x80"}) {
    CHECK(curfew::argument_problem(a) != "");
  }
  CHECK(curfew::argument_problem("a\0b"s) != "");
}

TEST_CASE("texts for people have no control characters") {
  CHECK(curfew::text_problem("Orders \xe2\x80\x93 100%") == "");
  for (const char* t : {"a\nUser=root", "a\tb", "\x1b[31m"}) CHECK(curfew::text_problem(t) != "");
}

TEST_CASE("accounts and dependencies are names as the system has them") {
  for (const char* a : {"www-data", "root", "_apt", "user.name"}) {
    CHECK(curfew::account_problem(a) == "");
  }
  for (const char* a : {"-u", "a\nb", "a:b", "a/b", "a\"b", "a%b"})
    CHECK(curfew::account_problem(a) != "");
  const bool windows = CURFEW_WINDOWS != 0;
  CHECK((curfew::account_problem("NT AUTHORITY\\LocalService") == "") == windows);
  for (const char* d : {"postgresql", "network-online.target", "foo@bar.service"}) {
    CHECK(curfew::dependency_problem(d) == "");
  }
  for (const char* d : {"", "--now", "a\nb", "a/b", "@", "@a", "a@", "a@.service"}) {
    CHECK(curfew::dependency_problem(d) != "");
  }
}

TEST_CASE("capabilities and privileges are spelled as the system spells them") {
  CHECK(curfew::capability_problem("CAP_NET_BIND_SERVICE") == "");
  for (const char* c : {"", "CAP_", "NET_ADMIN", "CAP_net", "CAP_A B", "CAP_A\n"}) {
    CHECK(curfew::capability_problem(c) != "");
  }
  CHECK(curfew::privilege_problem("SeChangeNotifyPrivilege") == "");
  for (const char* p : {"", "ChangeNotify", "Se Privilege", "SeX"}) {
    CHECK(curfew::privilege_problem(p) != "");
  }
}

TEST_CASE("every part of a request is looked at") {
  CHECK_FALSE(check_request(good_request()));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.name = "a b"; }), "service name"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.display_name = "a\nb"; }), "display name"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.display_name = std::string(257, 'x'); }),
                 "longer than 256"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.description = "a\nb"; }), "description"));
  CHECK(mentions(complaint_about([](auto& r) { r.executable = ""; }), "executable"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.working_directory = "x"; }), "working dir"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.account = "-x"; }), "account"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.dependencies = {"a", ""}; }), "dependency"));
  for (const char* itself : {"orders-api", "orders-api.service"}) {
    CHECK(mentions(complaint_about([&](auto& r) { r.spec.dependencies = {itself}; }), "itself"));
  }
  CHECK(mentions(complaint_about([](auto& r) { r.spec.arguments = {"a", "b\n"}; }), "argument"));
#if CURFEW_LINUX
  CHECK(mentions(complaint_about([](auto& r) { r.spec.writable_paths = {"a"}; }), "writable path"));
#endif
  CHECK(mentions(complaint_about([](auto& r) { r.spec.capabilities = {"a"}; }), "capability"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.privileges = {"a"}; }), "privilege"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.probe_port = 65536; }), "probe port 65536"));
  CHECK(mentions(complaint_about([](auto& r) { r.spec.probe_port = -1; }), "probe port"));
}

TEST_CASE("text is read as UTF-8 and nothing else passes for it") {
  using curfew::detail::first_code_point;
  CHECK(first_code_point("a").value == 'a');
  CHECK(first_code_point("\xc3\xbc").value == 0xfc);
  CHECK(first_code_point("\xe2\x82\xac").value == 0x20ac);
  CHECK(first_code_point("\xf0\x9f\x98\x80").value == 0x1f600);
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1"}) {
    CHECK(first_code_point(bad).size == 0);
    CHECK_FALSE(curfew::detail::is_utf8(bad));
  }
  CHECK(curfew::detail::is_utf8(""));
  CHECK(curfew::detail::is_utf8("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"));
}
