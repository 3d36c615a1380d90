// SPDX-License-Identifier: BSL-1.0
//
// What the manager of units makes of files, of rights, and of systemctl's words, without a systemd.
#include <curfew/host/systemd/service_doctor.hpp>
#include <curfew/host/systemd/unit_manager.hpp>

#include "doctest/doctest.h"

#if CURFEW_LINUX

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "posix_support.hpp"

namespace {

namespace fs = std::filesystem;
using namespace curfew::detail;

/// A folder that goes with the test.
class scratch {
 public:
  scratch() { ::mkdtemp(name_.data()); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { fs::remove_all(name_); }
  [[nodiscard]] std::string operator/(const std::string& more) const { return name_ + "/" + more; }
  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(name_), {}));
  }

 private:
  std::string name_ = (fs::temp_directory_path() / "curfew-unit-XXXXXX").string();
};

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

unsigned mode(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? s.st_mode & 07777u : 0;
}

/// A shell script in the place of a program.
class script {
 public:
  script(const std::string& path, const std::string& lines) {
    std::ofstream(path) << "#!/bin/sh\n" << lines << '\n';
    ::chmod(path.c_str(), 0755);
  }
};

/// A variable of the environment for the time of a test.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) {
    const char* before = std::getenv(name);
    had_ = before != nullptr;
    before_ = had_ ? before : "";
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { had_ ? ::setenv(name_, before_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  bool had_ = false;
  std::string before_;
};

const unit_properties healthy = unit_properties::parse(
    "Type=notify\nNotifyAccess=main\nTimeoutStartUSec=35s\nTimeoutStopUSec=35s\nWatchdogUSec=0\n"
    "ExecStart={ path=/bin/sh ; argv[]=/bin/sh ; ignore_errors=no }\nUnitFileState=enabled\n"
    "LoadState=loaded\nNeedDaemonReload=no\nPrivateTmp=yes\nProtectHome=tmpfs\n");

/// What the doctor says of a healthy unit after a change of it.
curfew::findings with(const std::string& changes, const curfew::service_spec& spec = {}) {
  const std::string before =
      "Type=notify\nNotifyAccess=main\nTimeoutStartUSec=35s\nTimeoutStopUSec=35s\n"
      "ExecStart={ path=/bin/sh ; argv[]=/bin/sh ; }\nUnitFileState=enabled\nPrivateTmp=yes\n";
  return examine_unit(spec, {"web", false, unit_properties::parse(before + changes)});
}

bool finds(const curfew::findings& all, const std::string& what) {
  for (const auto& f : all) {
    if (f.what.find(what) != f.what.npos) return !f.fix.empty();
  }
  return false;
}

}  // namespace

TEST_CASE("a unit file is written as a whole and readable by all") {
  const scratch folder;
  const unit_file file(folder / "a/b", "web.service");
  std::vector<std::string> made;
  CHECK_FALSE(file.write({"one\n"}, made));
  CHECK(made.size() == 2);
  CHECK_FALSE(file.write({"two\n"}, made));
  CHECK(content(file.path()) == "two\n");
  CHECK(mode(file.path()) == 0644);
  CHECK(std::distance(fs::directory_iterator(folder / "a/b"), {}) == 1);
  stored_unit read;
  CHECK_FALSE(file.read(read));
  CHECK(read.bytes == "two\n");
  CHECK(read.mode == 0644);
  CHECK(read.is_safe());
  CHECK_FALSE(file.remove());
  CHECK_FALSE(file.remove());
  stored_unit none;
  CHECK_FALSE(file.read(none));
  CHECK(none.bytes.empty());
}

TEST_CASE("a unit file that cannot be written leaves nothing behind") {
  const scratch folder;
  fs::create_directory(folder / "web.service");  // a rename cannot replace it
  const unit_file file(folder / ".", "web.service");
  std::vector<std::string> made;
  const auto f = file.write({"one\n"}, made);
  CHECK(f.kind == curfew::failure::kind_type::failed);
  CHECK(made.empty());
  CHECK(folder.size() == 1);
  std::ofstream(folder / "plain") << "x";
  CHECK(unit_file(folder / "plain", "web.service").write({"one\n"}, made));
}

TEST_CASE("a link or an empty file in the place of a unit file is a mask") {
  const scratch folder;
  fs::create_symlink("/dev/null", folder / "web.service");
  std::ofstream(folder / "empty.service");
  stored_unit read;
  auto f = unit_file(folder / "", "web.service").read(read);
  CHECK(f.text.find("is a link, so the unit is masked") != f.text.npos);
  f = unit_file(folder / "", "empty.service").read(read);
  CHECK(f.text.find("is empty, so the unit is masked") != f.text.npos);
}

TEST_CASE("a unit file that others can change is not safe") {
  const scratch folder;
  const unit_file file(folder / ".", "web.service");
  std::vector<std::string> made;
  for (const mode_t shared : {0664u, 0646u, 0666u}) {
    CHECK_FALSE(file.write({"one\n", shared}, made));
    CHECK(mode(file.path()) == shared);
    stored_unit read;
    CHECK_FALSE(file.read(read));
    CHECK_FALSE(read.is_safe());
  }
}

TEST_CASE("a mask of nearly all rights does not close new folders to their owner") {
  const scratch folder;
  const mode_t before = ::umask(0777);
  std::vector<std::string> made;
  const bool good = make_folders(folder / "a/b", made);
  ::umask(before);
  CHECK(good);
  CHECK(mode(folder / "a") == 0700);
  CHECK(mode(folder / "a/b") == 0700);
}

TEST_CASE("only files that begin with our mark are ours") {
  CHECK(is_ours(""));
  CHECK(is_ours(curfew::render_unit({})));
  CHECK_FALSE(is_ours("[Unit]\n# Written by curfew\n"));
}

TEST_CASE("an upgrade is told by the lines that differ") {
  CHECK(lines_only_in("a\nb\nc\n", "a\nx\nc\n") == "b");
  CHECK(lines_only_in("a\na\n\nb", "a\n") == "a\nb");
  CHECK(lines_only_in("a\n", "a\n") == "");
}

TEST_CASE("a failed step takes back the folders that it has made") {
  const scratch home;
  const variable place("XDG_CONFIG_HOME", (home / "config").c_str());
  fs::create_directories(home / "config/systemd/user/web.service");
  fs::remove(home / "config/systemd/user/web.service");
  fs::remove_all(home / "config");
  const systemctl manager(true);
  const unit_steps steps(manager, "web");
  const auto step = steps.file({}, {"text\n"});
  CHECK_FALSE(step.apply());
  CHECK(content(home / "config/systemd/user/web.service") == "text\n");
  const variable path("PATH", "/nowhere");
  CHECK(step.undo());  // no systemctl to read the files again: told, but they are gone
  CHECK_FALSE(fs::exists(home / "config"));
}

TEST_CASE("an undone step gives back the old bytes and the old mode") {
  const scratch home;
  const variable place("XDG_CONFIG_HOME", (home / "config").c_str());
  const variable path("PATH", "/nowhere");
  const unit_steps steps(systemctl(true), "web");
  const auto file = home / "config/systemd/user/web.service";
  CHECK_FALSE(steps.file({}, {"old\n", 0600}).apply());
  const auto step = steps.file({"old\n", 0600}, {"new\n"});
  CHECK_FALSE(step.apply());
  CHECK(content(file) == "new\n");
  CHECK(mode(file) == 0644);
  CHECK(step.undo());
  CHECK(content(file) == "old\n");
  CHECK(mode(file) == 0600);
}

TEST_CASE("units of a user lie where the XDG directories say") {
  const variable home("HOME", "/home/ann");
  {
    const variable config("XDG_CONFIG_HOME", nullptr);
    CHECK(unit_folder(true) == "/home/ann/.config/systemd/user");
  }
  {
    const variable config("XDG_CONFIG_HOME", "relative");
    CHECK(unit_folder(true) == "/home/ann/.config/systemd/user");
    const variable no_home("HOME", nullptr);
    CHECK(check_rights(true).text.find("HOME is not set") == 0);
  }
  const variable config("XDG_CONFIG_HOME", "/cfg");
  CHECK(unit_folder(true) == "/cfg/systemd/user");
  CHECK(unit_folder(false) == "/etc/systemd/system");
}

TEST_CASE("without systemctl nothing is done and the reason is told") {
  const variable path("PATH", "/nowhere");
  curfew::systemd_service_manager manager(true);
  curfew::service_status status;
  curfew::install_plan plan;
  const auto f = manager.query("web", status);
  CHECK(f.kind == curfew::failure::kind_type::not_supported);
  CHECK(f.text.find("systemctl cannot be started") != f.text.npos);
  CHECK(manager.plan_uninstall("web", plan).kind == curfew::failure::kind_type::not_supported);
  CHECK(manager.start("web").kind == curfew::failure::kind_type::not_supported);
  CHECK(manager.start("--now").kind == curfew::failure::kind_type::failed);
  CHECK(plan.empty());
}

TEST_CASE("of all that systemctl says the failure is the reason") {
  CHECK(reason_in("Created symlink a -> b.\nFailed to enable: no\nSee more.\n") ==
        "Failed to enable: no");
  CHECK(reason_in("Warning: changed on disk\nAccess denied\n\n") == "Access denied");
  CHECK(reason_in("one") == "one");
  CHECK(reason_in("") == "");
}

TEST_CASE("a stop ends the wait for systemctl but not what takes a step back") {
  const scratch folder;
  const script systemctl(folder / "systemctl",
                         "case \"$*\" in *disable*) : >\"$0.undone\";; *) sleep 1000;; esac");
  const variable path("PATH", (folder / "" + ":/usr/bin:/bin").c_str());
  curfew::stop_source source;
  source.request_stop();
  const curfew::detail::systemctl manager(true);
  const auto bound = manager.bound(source.get_token(), std::chrono::hours(1));
  const auto step = unit_steps(bound, "web").enabled(true, "disabled");
  CHECK(step.apply().text == "systemctl enable was interrupted: a stop was asked for; do it again");
  CHECK(fs::exists(folder / "systemctl.undone"));
  curfew::systemd_service_manager all(true);
  all.bound(source.get_token(), std::chrono::hours(1));
  curfew::service_status status;
  CHECK(all.query("web", status).text ==
        "systemctl show was interrupted: a stop was asked for; do it again");
}

TEST_CASE("a systemctl whose exit code is lost is told so") {
  const scratch folder;
  const script systemctl(folder / "systemctl", "echo ActiveState=active");
  const variable path("PATH", (folder / "" + ":/usr/bin:/bin").c_str());
  const test::disposition ignored(SIGCHLD, SIG_IGN);
  curfew::systemd_service_manager manager(true);
  curfew::service_status status;
  CHECK(manager.query("web", status).text.find("systemctl show: its exit code was lost") == 0);
}

TEST_CASE("only of a systemctl that is not there it is said that systemd is not") {
  const scratch folder;
  std::ofstream(folder / "systemctl") << "no program";
  ::chmod((folder / "systemctl").c_str(), 0755);
  const variable path("PATH", (folder / "" + ":/usr/bin:/bin").c_str());
  const auto f = curfew::detail::systemctl(true).run({"start", "web"});
  CHECK(f.kind == curfew::failure::kind_type::failed);
}

TEST_CASE("a manager of a user renders units of a user whatever is asked") {
  curfew::install_request asked;
  asked.spec.name = "web";
  asked.executable = "/bin/sh";
  CHECK(curfew::systemd_service_manager(true).render(asked).find("DynamicUser") ==
        std::string::npos);
  asked.user = true;
  CHECK(curfew::systemd_service_manager(false).render(asked).find("DynamicUser") !=
        std::string::npos);
}

TEST_CASE("the words of systemctl become a state") {
  const auto state = [](const std::string& text) { return state_of(unit_properties::parse(text)); };
  using s = curfew::service_state;
  CHECK(state("LoadState=not-found\nActiveState=inactive\n") == s::not_installed);
  CHECK(state("LoadState=not-found\nActiveState=failed\n") == s::not_installed);
  CHECK(state("LoadState=not-found\nActiveState=active\n") == s::running);
  CHECK(state("LoadState=loaded\nActiveState=inactive\nJob=\n") == s::stopped);
  CHECK(state("LoadState=loaded\nActiveState=inactive\nJob=17\n") == s::starting);
  CHECK(state("LoadState=loaded\nActiveState=failed\n") == s::failed);
  CHECK(state("LoadState=loaded\nActiveState=failed\nJob=17\n") == s::starting);
  CHECK(state("ActiveState=activating\nSubState=start\n") == s::starting);
  CHECK(state("ActiveState=activating\nSubState=auto-restart\n") == s::failed);
  CHECK(state("ActiveState=activating\nSubState=auto-restart\nJob=17\n") == s::starting);
  CHECK(state("ActiveState=active\n") == s::running);
  CHECK(state("ActiveState=reloading\n") == s::reloading);
  CHECK(state("ActiveState=deactivating\n") == s::stopping);
  CHECK(state("") == s::unknown);
}

TEST_CASE("a status has what the last run left") {
  const auto now = status_of(unit_properties::parse(
      "ActiveState=active\nMainPID=4711\nExecMainCode=1\nExecMainStatus=3\nStatusText=a=b\n"
      "UnitFileState=enabled\nLoadState=loaded\nTimeoutStartUSec=1min "
      "35s\nTimeoutStopUSec=infinity\nStateChangeTimestampMonotonic=5000000000\n"
      "TriggeredBy=web.socket web.timer\n"));
  CHECK(now.since == 5000000000);
  CHECK(now.triggers == "web.socket web.timer");
  CHECK(now.pid == 4711);
  CHECK(now.exit_code == 3);
  CHECK(now.text == "a=b");
  CHECK(now.enabled);
  CHECK(now.start_limit == std::chrono::seconds(90));
  CHECK(now.stop_limit == (clock_duration::max)());
}

TEST_CASE("the note of a run that was killed is not told") {
  const auto status = [](const std::string& text) {
    return status_of(unit_properties::parse(text));
  };
  const auto killed = status("ExecMainCode=2\nExecMainStatus=9\nStatusText=at work\n");
  CHECK(killed.exit_code == 137);
  CHECK(killed.text == "");
  CHECK(status("ExecMainCode=1\nExecMainStatus=1\nStatusText=no port\n").text == "no port");
  CHECK(status("MainPID=7\nExecMainCode=2\nStatusText=at work\n").text == "at work");
}

TEST_CASE("a limit that is not of the unit is not told") {
  const auto gone = status_of(unit_properties::parse("LoadState=not-found\nTimeoutStopUSec=90s\n"));
  CHECK(gone.stop_limit == clock_duration::zero());
}

TEST_CASE("what starts until the next boot only does not start with the system") {
  CHECK_FALSE(status_of(unit_properties::parse("UnitFileState=enabled-runtime\n")).enabled);
}

TEST_CASE("a signal is sent for a reload only where the unit does nothing else for it") {
  const auto by_signal = [](const std::string& text) {
    return reloads_by_signal(unit_properties::parse("MainPID=9\n" + text));
  };
  const std::string ours = "ExecReload={ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; pid=0 }";
  CHECK(by_signal("Type=notify\n" + ours));
  CHECK_FALSE(by_signal("Type=notify\nMainPID=0\n" + ours));
  CHECK_FALSE(by_signal("Type=simple\n" + ours));
  CHECK_FALSE(by_signal("Type=notify\nExecReload={ path=/x ; argv[]=/x ; }\n" + ours));
  CHECK_FALSE(by_signal("Type=notify\n" + ours + "\nExecReload={ path=/x ; argv[]=/x ; }"));
  CHECK_FALSE(by_signal("Type=notify\nExecReload={ path=/x ; argv[]=/x -HUP $MAINPID ; }"));
  CHECK_FALSE(by_signal("Type=notify-reload\n"));
}

TEST_CASE("a program that its account cannot reach is refused with the folder in the way") {
  const scratch folder;
  fs::create_directory(folder / "app");
  const auto program = folder / "app/web";
  std::ofstream(program) << "x";
  CHECK(check_program(program).text ==
        program + " is not executable, and systemd could not start it: chmod +x it");
  ::chmod(program.c_str(), 0755);
  CHECK_FALSE(check_program(program));
  CHECK(check_program(folder / "none"));
  CHECK(check_program(folder / "app"));
  ::chmod((folder / "app").c_str(), 0700);
  const auto f = check_strangers_way(program, "/usr");
  CHECK(f.text.find("because of the rights of ") != f.text.npos);
  CHECK(is_bound("/root", "/root/app"));
  CHECK_FALSE(is_bound("/root/app", "/root/app"));
  CHECK_FALSE(is_bound("/opt", "/opt/app"));
  CHECK(check_characters("/opt/it's"));
}

TEST_CASE("what a service needs has to be there") {
  curfew::install_request asked;
  asked.spec.name = "web";
  CHECK_FALSE(check_paths(asked));
  asked.spec.writable_paths = {"/var/lib/web/data"};
  CHECK_FALSE(check_paths(asked));  // which systemd makes, or the service in it
  asked.spec.writable_paths = {"/var/lib/website"};
  CHECK(check_paths(asked));
  asked.spec.writable_paths = {"/nowhere/at/all"};
  CHECK(check_paths(asked).text ==
        "there is no /nowhere/at/all, without which systemd would not start it: create it");
  CHECK_FALSE(check_account("root"));
  CHECK_FALSE(check_account("12345"));
  CHECK(check_account("nobody-of-that-name").text.find("there is no account") == 0);
}

TEST_CASE("the doctor finds nothing wrong with a healthy unit") {
  CHECK(examine_unit({}, {"web", false, healthy}).empty());
}

TEST_CASE("the doctor finds what keeps systemd and the program from understanding each other") {
  CHECK(finds(with("Type=simple\n"), "Type=simple"));
  CHECK(with("Type=notify-reload\n").empty());
  CHECK(finds(with("NotifyAccess=none\n"), "NotifyAccess=none"));
  CHECK(finds(with("TimeoutStopUSec=29s\n"), "a stop is killed after 29s, but may take 30s"));
  CHECK(with("TimeoutStopUSec=infinity\n").empty());
  CHECK(finds(with("TimeoutStartUSec=10s\n"), "a start is killed"));
  curfew::service_spec watched;
  watched.watchdog = std::chrono::seconds(3);
  CHECK(finds(with("WatchdogUSec=2s\n", watched), "between two heartbeats"));
  for (const char* none : {"WatchdogUSec=0\n", "WatchdogUSec=infinity\n"}) {
    const auto found = with(none, watched);
    CHECK(finds(found, "nobody restarts the service when it is stuck"));
    CHECK(found.front().level == curfew::severity::warning);
    CHECK(found.size() == 1);
  }
  CHECK(with("WatchdogUSec=3s\n", watched).empty());
}

TEST_CASE("the doctor finds what keeps a stop from being one") {
  CHECK(finds(with("KillSignal=9\n"), "KillSignal=SIGKILL"));
  CHECK(finds(with("KillMode=none\n"), "KillMode=none"));
  CHECK(with("KillSignal=15\nKillMode=mixed\n").empty());
}

TEST_CASE("a fix is one that works") {
  const std::string own = "/etc/systemd/system/web.service.d/z.conf";
  const auto added = with("Type=simple\nDropInPaths=/usr/lib/service.d/a.conf " + own + "\n");
  CHECK(added.front().fix.find("out of " + own + ", then systemctl daemon-reload") !=
        std::string::npos);
  CHECK(with("Type=simple\n").front().fix == "Type=notify: install again");
  CHECK(with("UnitFileState=static\n").front().fix == "install again");
  examined_unit foreign{"web", true, unit_properties::parse("Type=simple\n"), false};
  const auto found = examine_unit({}, foreign);
  CHECK(found.front().fix == "Type=notify: systemctl --user edit web");
  CHECK(finds(found, "was not written by curfew"));
}

TEST_CASE("the doctor finds that the unit starts another program") {
  const auto found = [](const std::string& program) {
    return examine_unit({}, {"web", false, healthy, true, program});
  };
  CHECK(found("/bin/sh").empty());
  CHECK(finds(found("/bin/ls"), "the unit starts /bin/sh, and not this program"));
  CHECK(finds(with("ExecMainStatus=127\n"), "did not find its libraries"));
}

TEST_CASE("the doctor finds a program that is gone or hidden") {
  CHECK(finds(with("ExecStart=\n"), "no ExecStart"));
  CHECK(finds(with("ExecStart=\nExecStart={ path=/nowhere/x ; argv[]=x ; }\n"),
              "no program /nowhere/x"));
  const scratch folder;  // in /tmp, unless the environment says otherwise
  const auto program = folder / "web";
  fs::copy("/bin/sh", program);
  const std::string starts = "ExecStart=\nExecStart={ path=" + program + " ; argv[]=x ; }\n";
  if (!is_hidden(program)) return;
  CHECK(finds(with(starts), "hides its own program by PrivateTmp"));
  const auto bound = fs::path(program).parent_path().string();
  CHECK_FALSE(
      finds(with(starts + "BindReadOnlyPaths=" + bound + ":" + bound + ":rbind\n"), "hides"));
  CHECK_FALSE(finds(with(starts + "PrivateTmp=no\n"), "hides"));
}

TEST_CASE("the doctor finds who else could replace the program") {
  const scratch folder;
  const auto program = folder / "web";
  fs::copy("/bin/sh", program);
  const std::string starts =
      "PrivateTmp=no\nExecStart=\nExecStart={ path=" + program + " ; argv[]=x ; }\n";
  CHECK_FALSE(finds(with(starts), "everybody can write"));
  ::chmod(program.c_str(), 0750);
  CHECK_FALSE(finds(with(starts), "own account cannot get at"));
  CHECK(finds(with(starts + "DynamicUser=yes\n"), "own account cannot get at"));
  ::chmod(program.c_str(), 0777);
  CHECK(finds(with(starts), "everybody can write to " + program));
}

TEST_CASE("the doctor finds that a service ends with the login") {
  const scratch folder;
  const variable path("PATH", (folder / "" + ":/usr/bin:/bin").c_str());
  const script no(folder / "loginctl", "echo Linger=no");
  CHECK(no_linger()->fix == "loginctl enable-linger");
  const script yes(folder / "loginctl", "echo Linger=yes");
  CHECK_FALSE(no_linger());
  const script failed(folder / "loginctl", "exit 1");
  CHECK_FALSE(no_linger());
}

TEST_CASE("the doctor finds paths that the account cannot write to") {
  const scratch folder;  // of the tests' account, and of nobody else
  curfew::service_spec spec;
  spec.writable_paths = {folder / ""};
  CHECK(finds(with("DynamicUser=yes\n", spec), "the service's own account cannot write to "));
  CHECK_FALSE(finds(with("User=" + std::to_string(::geteuid()) + "\n", spec), "cannot write"));
  spec.capabilities = {"CAP_DAC_OVERRIDE"};
  CHECK_FALSE(finds(with("DynamicUser=yes\n", spec), "cannot write"));
  spec.capabilities.clear();
  ::chmod((folder / "").c_str(), 0777);
  CHECK_FALSE(finds(with("DynamicUser=yes\n", spec), "cannot write"));
  spec.writable_paths = {"/"};
  CHECK(finds(with("DynamicUser=yes\n", spec), "cannot write to / because of the rights of /"));
}

TEST_CASE("an account has the rights of its files and groups or those of others") {
  struct stat s = {};
  s.st_uid = 1000;
  s.st_gid = 50;
  s.st_mode = 0742;
  const auto may = [&](const service_account& a, unsigned wanted) { return a.may(wanted, "/", s); };
  CHECK(may({1000, {}}, 7));
  CHECK(may({7, {49, 50}}, 4));
  CHECK_FALSE(may({7, {49, 50}}, 2));
  CHECK(may({7, {49}}, 2));
  CHECK(may({}, 2));
  CHECK_FALSE(may({}, 4));
  CHECK(may({0, {}}, 7));
}

TEST_CASE("a state directory is one that nothing would change") {
  const scratch folder;
  const std::string self = std::to_string(::geteuid());
  CHECK_FALSE(check_state(folder / ".", "web", ""));
  fs::create_directory(folder / "web");
  ::chmod((folder / "web").c_str(), 0700);
  CHECK(check_state(folder / ".", "web", ""));
  CHECK_FALSE(check_state(folder / ".", "web", self));
  CHECK(check_state(folder / ".", "web", "4711"));
  ::chmod((folder / "web").c_str(), 0755);
  CHECK(check_state(folder / ".", "web", self));
  fs::create_symlink("private/left", folder / "left");
  CHECK_FALSE(check_state(folder / ".", "left", ""));
  fs::create_symlink("/var/lib/left", folder / "other");
  CHECK(check_state(folder / ".", "other", ""));
}

TEST_CASE("the doctor finds what was changed since the install") {
  CHECK(finds(with("UnitFileState=disabled\n"), "does not start with the system"));
  curfew::service_spec demand;
  demand.start = curfew::start_mode::demand;
  CHECK(with("UnitFileState=disabled\n", demand).empty());
  CHECK(
      finds(with("DropInPaths=/etc/systemd/system/web.service.d/a.conf\n"), "settings are added"));
  CHECK(with("DropInPaths=/usr/lib/systemd/system/service.d/10-all.conf\n").empty());
  CHECK(finds(with("NeedDaemonReload=yes\n"), "changed after"));
}

TEST_CASE("the doctor tells why there is nothing to look at") {
  const auto why = [](const char* text) {
    return no_unit({"web", true, unit_properties::parse(text)});
  };
  CHECK_FALSE(why("LoadState=loaded\n"));
  CHECK(why("LoadState=not-found\n")->level == curfew::severity::notice);
  CHECK(why("LoadState=masked\n")->level == curfew::severity::error);
  CHECK(why("LoadState=masked\n")->fix.find("systemctl --user unmask web, ") == 0);
  CHECK(why("LoadState=bad-setting\n")->level == curfew::severity::error);
}

#else

TEST_CASE("there is no systemd here") { CHECK(CURFEW_LINUX == 0); }

#endif
