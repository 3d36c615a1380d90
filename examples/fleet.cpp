// SPDX-License-Identifier: BSL-1.0
//
// Three processes that are stopped as one, or go on as one: a database, the orders that are kept in
// it, and a web site that takes them. The program starts itself once for each, and has all of them
// stopped: while payments are open, when they are not, and when one crashes as it is asked.
//
// Run it: fleet. It takes no arguments, and has ended its processes when it ends.
#include <curfew/host/child_guard.hpp>
#include <curfew/host/executable.hpp>
#include <curfew/service/components.hpp>
#include <curfew/service/control_client.hpp>
#include <curfew/service/coordinator.hpp>
#include <curfew/service/run.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#if CURFEW_WINDOWS
#include <process.h>
#else
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace std::chrono_literals;
using curfew::prepare_answer;

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

// ---- a member: an ordinary service that can be asked

int serve(int argc, char** argv) {
  const std::string name = argv[1], path = argv[2], trouble = argv[3];
  int payments = trouble == "payments" ? 2 : 0;
  const auto prepare = [&] {
    if (trouble == "crash") std::_Exit(9);
    if (payments == 0) return prepare_answer::ready();
    return prepare_answer::veto(std::to_string(std::exchange(payments, 0)) + " are open");
  };
  const auto declare = [&](curfew::lifecycle& parts) {
    parts.add("payments", {.prepare = prepare, .resume = [] {}});
  };
  curfew::component_options options;
  options.control.path = path;
  return curfew::run_in_foreground({.name = name}, argc, argv,
                                   curfew::components(declare, options));
}

// ---- a child that ends with its parent's interest in it

class process {
 public:
  process(std::string name, std::string path, std::string trouble) {
    std::string self = curfew::executable_path();
#if CURFEW_WINDOWS
    child_ = _spawnl(_P_NOWAIT, self.c_str(), "fleet", name.c_str(), path.c_str(), trouble.c_str(),
                     nullptr);
    std::error_code ignored;
    guard_.adopt(reinterpret_cast<void*>(child_), ignored);
#else
    auto environment = guard_.environment();
    char* const words[] = {self.data(), name.data(), path.data(), trouble.data(), nullptr};
    if (child_ = fork(); child_ != 0) return;
    guard_.in_child();
    execve(self.c_str(), words, environment.data());
    _exit(127);
#endif
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
#if CURFEW_WINDOWS
  ~process() = default;
#else
  ~process() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
#endif

 private:
  curfew::child_guard guard_;
#if CURFEW_WINDOWS
  std::intptr_t child_;
#else
  pid_t child_;
#endif
};

// ---- where they can be asked

#if CURFEW_WINDOWS
struct place {
  const std::string name = "curfew-fleet-" + std::to_string(_getpid()) + "-";
};
#else
struct place {
  place() { name = std::string(mkdtemp(name.data())) + "/"; }
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() { std::filesystem::remove_all(name); }
  std::string name = "/tmp/curfew-fleet-XXXXXX";
};
#endif

// "up", or what else it says of itself.
std::string phase_of(const std::string& path, const curfew::stop_token& limit) {
  std::error_code error;
  curfew::control_client client(path, limit, error);
  if (error) return "not there";
  const std::string status = client.ask("status", limit).body;
  return status.find("\"phase\":\"up\"") != status.npos ? "up" : status;
}

struct member {
  member(const place& at, const std::string& name, const std::string& trouble)
      : path(at.name + name), child(name, path, trouble) {
    const curfew::stop_source limit(20s);
    while (phase_of(path, limit.get_token()) != "up" && !limit.get_token().wait_for(20ms)) {
    }
  }
  std::string phase() const { return phase_of(path, curfew::stop_source(5s).get_token()); }

  const std::string path;
  const process child;
};

bool stop(curfew::coordinator& fleet) {
  const curfew::coordinator_report report = fleet.stop(30s);
  std::fputs((to_text(report) + '\n').c_str(), stdout);
  return report.ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) return serve(argc, argv);
  const place at;
  {
    const member database(at, "database", "none");
    const member orders(at, "orders", "payments");
    const member web(at, "web", "none");
    curfew::coordinator fleet;
    fleet.add("database", database.path);
    fleet.add("orders", orders.path, {.after = {"database"}});
    fleet.add("web", web.path, {.after = {"orders"}});

    say("-- payments are open: one says no, and all go on");
    if (stop(fleet)) return 1;
    say("-- none is open any more: all agree, and are stopped");
    if (!stop(fleet)) return 1;
  }
  const member database(at, "database", "crash");
  const member orders(at, "orders", "none");
  const member web(at, "web", "none");
  curfew::coordinator fleet;
  fleet.add("database", database.path);
  fleet.add("orders", orders.path, {.after = {"database"}});
  fleet.add("web", web.path, {.after = {"orders"}});
  say("-- the database crashes as it is asked: the others go on");
  if (stop(fleet)) return 1;
  say("the orders are " + orders.phase() + ", the web site is " + web.phase() + "\n");
  curfew::coordinator rest;
  rest.add("orders", orders.path);
  rest.add("web", web.path, {.after = {"orders"}});
  say("-- the others alone");
  return stop(rest) ? 0 : 1;
}
