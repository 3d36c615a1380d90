// SPDX-License-Identifier: BSL-1.0
//
// What is wrong with a service that is installed on Windows: files and rights of the real system.
#include <curfew/config.hpp>

#include "doctest/doctest.h"

#if CURFEW_WINDOWS

#include <curfew/host/windows/service_doctor.hpp>

#include <chrono>
#include <string>

#include "service_support.hpp"

using namespace test;

namespace {

/// A folder with a file in it, gone in the end.
class folder {
 public:
  folder() {
    CreateDirectoryW(curfew::detail::utf16(path).c_str(), nullptr);
    CloseHandle(CreateFileW(curfew::detail::utf16(file).c_str(), GENERIC_WRITE, 0, nullptr,
                            CREATE_ALWAYS, 0, nullptr));
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    DeleteFileW(curfew::detail::utf16(file).c_str());
    RemoveDirectoryW(curfew::detail::utf16(path).c_str());
  }

  const std::string path = beside_us("doctor " + std::to_string(GetCurrentProcessId()));
  const std::string file = path + "\\app.exe";
};

/// An access list of entries for well-known groups.
class access_list {
 public:
  access_list() { InitializeAcl(get(), sizeof room_, ACL_REVISION); }
  access_list& allow(WELL_KNOWN_SID_TYPE whom, DWORD rights, DWORD flags = 0) {
    AddAccessAllowedAceEx(get(), ACL_REVISION, flags, rights, sid(whom));
    return *this;
  }
  access_list& deny(WELL_KNOWN_SID_TYPE whom, DWORD rights) {
    AddAccessDeniedAceEx(get(), ACL_REVISION, 0, rights, sid(whom));
    return *this;
  }
  ACL* get() { return reinterpret_cast<ACL*>(room_); }
  DWORD anybody() { return curfew::detail::rights_in(get()); }

 private:
  PSID sid(WELL_KNOWN_SID_TYPE whom) {
    DWORD size = sizeof sid_;
    REQUIRE(CreateWellKnownSid(whom, nullptr, sid_, &size) != 0);
    return sid_;
  }
  alignas(8) unsigned char room_[1024] = {};
  alignas(8) unsigned char sid_[SECURITY_MAX_SID_SIZE] = {};
};

void protect(const std::string& path, access_list& list) {
  SECURITY_DESCRIPTOR description{};
  InitializeSecurityDescriptor(&description, SECURITY_DESCRIPTOR_REVISION);
  SetSecurityDescriptorDacl(&description, 1, list.get(), 0);
  REQUIRE(SetFileSecurityW(curfew::detail::utf16(path).c_str(), DACL_SECURITY_INFORMATION,
                           &description) != 0);
}

constexpr DWORD all = FILE_ALL_ACCESS;
constexpr DWORD read_only = FILE_GENERIC_READ | FILE_GENERIC_EXECUTE;

std::string found(const std::string& name, const curfew::service_spec& spec = {}) {
  std::string text;
  for (const auto& f : curfew::examine_scm(spec, name)) {
    CHECK(!f.fix.empty());
    text += f.what + '\n';
  }
  return text;
}

bool harmful(const std::string& path, DWORD harm) {
  bool writable = false;
  REQUIRE(curfew::detail::anybody_has(harm, path, writable) == 0);
  return writable;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

void create(const std::string& name, const std::string& image_path) {
  curfew::scm_settings s = curfew::wanted_scm_settings(request(name));
  s.command_line = image_path;
  REQUIRE(curfew::detail::create_entry(s) == 0);
  REQUIRE(curfew::detail::write_mark(name, true) == 0);
}

}  // namespace

TEST_CASE("what is granted to everybody by any of its names counts") {
  for (const auto whom : {WinWorldSid, WinAuthenticatedUserSid, WinBuiltinUsersSid,
                          WinInteractiveSid, WinBuiltinGuestsSid}) {
    CHECK(access_list().allow(whom, FILE_WRITE_DATA).anybody() == FILE_WRITE_DATA);
  }
  for (const auto whom : {WinBuiltinAdministratorsSid, WinLocalSystemSid, WinCreatorOwnerSid}) {
    CHECK(access_list().allow(whom, all).anybody() == 0);
  }
}

TEST_CASE("generic rights are those of files") {
  CHECK((access_list().allow(WinWorldSid, GENERIC_WRITE).anybody() & FILE_WRITE_DATA) != 0);
  CHECK((access_list().allow(WinWorldSid, GENERIC_READ).anybody() & FILE_WRITE_DATA) == 0);
}

TEST_CASE("an entry for what is made in a folder says nothing of the folder") {
  CHECK(access_list().allow(WinWorldSid, all, INHERIT_ONLY_ACE).anybody() == 0);
}

TEST_CASE("the first entry that speaks of a right decides and one for some leaves the others") {
  CHECK(access_list().deny(WinWorldSid, all).allow(WinWorldSid, all).anybody() == 0);
  CHECK(access_list().allow(WinWorldSid, all).deny(WinWorldSid, all).anybody() == all);
  CHECK(access_list().deny(WinBuiltinGuestsSid, all).allow(WinWorldSid, all).anybody() == all);
}

TEST_CASE("no list lets everybody do everything and an empty one nobody") {
  CHECK(curfew::detail::rights_in(nullptr) == all);
  CHECK(access_list().anybody() == 0);
}

TEST_CASE("a file and a folder that everybody may write to are told from others") {
  const folder f;
  for (const bool of_folder : {false, true}) {
    const std::string& path = of_folder ? f.path : f.file;
    const DWORD harm = of_folder ? curfew::detail::harm_to_folder : curfew::detail::harm_to_file;
    access_list open;
    protect(path, open.allow(WinWorldSid, all));
    CHECK(harmful(path, harm));
    access_list closed;
    protect(path, closed.allow(WinBuiltinAdministratorsSid, all).allow(WinWorldSid, read_only));
    CHECK_FALSE(harmful(path, harm));
    protect(path, open);
  }
}

TEST_CASE("of what cannot be read it is said that it could not") {
  bool writable = false;
  CHECK(curfew::detail::anybody_has(all, "C:\\not there\\at all", writable) != 0);
  curfew::findings seen;
  curfew::detail::examine_part({"", "C:\\not there\\at all", all}, seen);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].level == curfew::severity::notice);
  CHECK(has(seen[0].what, "could not be read"));
}

TEST_CASE("an installed service whose files everybody may change is found") {
  const folder f;
  const service_name name;
  create(name, '"' + f.file + "\" run");
  access_list open;
  access_list closed;
  open.allow(WinWorldSid, all);
  closed.allow(WinBuiltinAdministratorsSid, all).allow(WinWorldSid, read_only);
  protect(f.file, open);
  protect(f.path, closed);
  CHECK(has(found(name), "the executable " + f.file + " can be changed"));
  CHECK_FALSE(has(found(name), "the folder " + f.path));
  protect(f.file, closed);
  protect(f.path, open);
  CHECK(has(found(name), "the folder " + f.path));
  CHECK_FALSE(has(found(name), "the executable"));
}

TEST_CASE("an installed service whose folders further up everybody may change is found") {
  const folder f;
  const service_name name;
  const std::string below = f.path + "\\bin";
  REQUIRE(CreateDirectoryW(curfew::detail::utf16(below).c_str(), nullptr) != 0);
  const std::string program = below + "\\app.exe";
  REQUIRE(CopyFileW(curfew::detail::utf16(f.file).c_str(), curfew::detail::utf16(program).c_str(),
                    1) != 0);
  create(name, '"' + program + '"');
  access_list open;
  access_list closed;
  open.allow(WinWorldSid, all);
  closed.allow(WinBuiltinAdministratorsSid, all).allow(WinWorldSid, read_only);
  protect(below, closed);
  protect(f.path, closed);
  CHECK_FALSE(has(found(name), "the folder " + f.path));
  protect(f.path, open);
  CHECK(has(found(name), "the folder " + f.path + " can be changed"));
  CHECK_FALSE(has(found(name), "the folder " + below));
  protect(below, open);
  DeleteFileW(curfew::detail::utf16(program).c_str());
  RemoveDirectoryW(curfew::detail::utf16(below).c_str());
}

TEST_CASE("of a path each folder is looked at and to make files is harm in the last one alone") {
  using curfew::severity;
  const auto parts = curfew::detail::parts_of("C:\\a\\b\\app.exe");
  REQUIRE(parts.size() == 4);
  CHECK(parts[0].path == "C:\\a\\b\\app.exe");
  CHECK(parts[1].path == "C:\\a\\b");
  CHECK(parts[2].path == "C:\\a");
  CHECK(parts[3].path == "C:\\");
  CHECK((parts[1].harm & FILE_ADD_FILE) != 0);
  CHECK(parts[1].level == severity::error);
  CHECK((parts[2].harm & FILE_ADD_FILE) == 0);
  CHECK((parts[2].harm & FILE_DELETE_CHILD) != 0);
  CHECK((parts[2].harm & curfew::detail::right_to_delete) != 0);
  CHECK((parts[3].harm & curfew::detail::right_to_delete) == 0);
  CHECK(curfew::detail::parts_of("C:\\app.exe").size() == 2);
  CHECK(curfew::detail::parts_of("app.exe").size() == 1);
}

TEST_CASE("an installed service without an executable is found") {
  const service_name name;
  create(name, "\"C:\\not there\\app.exe\" run");
  CHECK(has(found(name), "there is no executable C:\\not there\\app.exe"));
}

TEST_CASE("SCM rule 19 - an installed service without quotes is found and so is its executable") {
  const folder f;
  const service_name name;
  create(name, f.file + " run");
  const std::string seen = found(name);
  CHECK(has(seen, "no quotes"));
  CHECK_FALSE(has(seen, "there is no executable"));
}

TEST_CASE("a variable in an image path is looked up") {
  const service_name name;
  create(name, "\"%SystemRoot%\\system32\\cmd.exe\" run");
  CHECK_FALSE(has(found(name), "there is no executable"));
}

TEST_CASE("a service that is not installed is said not to be and is no error") {
  const service_name name;
  CHECK(has(found(name), "the service is not installed"));
  for (const auto& f : curfew::examine_scm({}, name)) CHECK(f.level != curfew::severity::error);
}

TEST_CASE("a service that somebody else installed is said to be") {
  const service_name name;
  create(name, "\"C:\\not there\\app.exe\"");
  CHECK_FALSE(has(found(name), "not installed by curfew"));
  REQUIRE(curfew::detail::write_mark(name, false) == 0);
  const std::string seen = found(name);
  CHECK(has(seen, "not installed by curfew"));
  CHECK_FALSE(has(seen, "there is no executable"));
}

TEST_CASE("SCM rule 21 - a service that has been deleted and is held is found") {
  const service_name name;
  create(name, "\"C:\\not there\\app.exe\"");
  CHECK_FALSE(has(found(name), "has been deleted"));
  curfew::detail::service_handle held;
  REQUIRE(curfew::detail::open_service(name, curfew::detail::right_to_delete, held) == 0);
  REQUIRE(DeleteService(held.get()) != 0);
  CHECK(has(found(name), "has been deleted"));
}

TEST_CASE("SCM rule 14 - a stop longer than the system waits when it shuts down is found") {
  const service_name name;
  create(name, "\"C:\\not there\\app.exe\"");
  const auto limit = curfew::detail::system_scm_limits().shutdown;
  curfew::service_spec spec;
  spec.stop_timeout = limit;
  CHECK_FALSE(has(found(name, spec), "shuts down"));
  spec.stop_timeout = limit + std::chrono::minutes(30);
  CHECK(has(found(name, spec), "when the system shuts down it gets"));
}

TEST_CASE("SCM rule 26 - a process that has loaded user32 is told of it") {
  const service_name name;
  CHECK(has(found(name), "user32") == (GetModuleHandleW(L"user32.dll") != nullptr));
  HMODULE const loaded = LoadLibraryW(L"user32.dll");
  REQUIRE(loaded != nullptr);
  CHECK(has(found(name), "user32"));
  FreeLibrary(loaded);
}

#else

TEST_CASE("there is no service of Windows to be examined here") { CHECK(CURFEW_WINDOWS == 0); }

#endif
