// SPDX-License-Identifier: BSL-1.0
//
// A service of systemd's, for systemd_notify.py. Its arguments are what it does, in this order:
//   ready, reloading, stopping, alive, fault, progress=TEXT   as a host is told; progress with 20 s
//   say=TEXT           progress that needs no time, said again while it waits for a signal: such a
//                      text is dropped when the manager's queue is full
//   raw=TEXT           a notification past the host
//   stopped=RESULT,ERRNO
//   sleep=MS
//   term, hup, usr1    waits for the signal, with a call of alive() every 50 ms
//   barrier            waits until the manager has read all
//   descriptors        tells the names of those that it was passed
//   serve=NAME         takes that socket and greets the first client
//   keep=NAME,TEXT, kept=NAME, forget=NAME   stores a file with a text, tells the text, removes it
//   exit=CODE
#include <curfew/config.hpp>

#if CURFEW_LINUX

#include <curfew/host/detail/systemd_host.hpp>
#include <curfew/host/systemd/environment.hpp>
#include <curfew/host/systemd/listen_fds.hpp>
#include <curfew/host/systemd/notify_socket.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

class subject {
 public:
  /// False: there is no such word.
  bool act(const std::string& word, const std::string& value);

 private:
  bool tell_host(const std::string& word, const std::string& value);
  bool wait(const std::string& word, const std::string& value);
  bool use_descriptors(const std::string& word, const std::string& value);
  void await(int signal);
  void check(bool done, const char* what) const {
    std::printf("%s: %s\n", what, done ? "done" : error ? error.message().c_str() : "failed");
  }

  const curfew::systemd_environment said = curfew::read_systemd_environment();
  curfew::passed_descriptors passed{said};
  std::error_code error;
  std::string repeated;
  curfew::notify_socket socket{said.notify_socket, error};
  curfew::detail::systemd_host host{socket, curfew::time_source::process(), getpid(),
                                    said.watchdog};
};

std::string before_comma(const std::string& text) { return text.substr(0, text.find(',')); }
std::string after_comma(const std::string& text) { return text.substr(text.find(',') + 1); }

void subject::await(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  const timespec gap{0, 50'000'000};
  while (sigtimedwait(&set, nullptr, &gap) != signal) {
    host.alive();
    if (!repeated.empty()) host.progress(repeated, 0s);
  }
  repeated.clear();
}

bool subject::tell_host(const std::string& word, const std::string& value) {
  if (word == "ready") return host.ready(), true;
  if (word == "reloading") return host.reloading(), true;
  if (word == "alive") return host.alive(), true;
  if (word == "fault") return host.fault(), true;
  if (word == "progress") return host.progress(value, 20s), true;
  if (word == "say") return host.progress(repeated = value, 0s), true;
  if (word == "raw") return socket.send(value), true;
  if (word == "stopping") return host.stopping({curfew::stop_cause::signal, SIGTERM}, 30s), true;
  if (word != "stopped") return false;
  host.stopped(
      {.kind = value[0] == '0' ? curfew::outcome_kind::clean : curfew::outcome_kind::failed,
       .result = std::stoi(value),
       .error = std::stoi(after_comma(value))});
  return true;
}

bool subject::wait(const std::string& word, const std::string& value) {
  if (word == "sleep") {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(value)));
  } else if (word == "barrier") {
    check(socket.barrier(60s, error), "barrier");
  } else if (word == "term" || word == "hup" || word == "usr1") {
    await(word == "term" ? SIGTERM : word == "hup" ? SIGHUP : SIGUSR1);
  } else {
    return false;
  }
  return true;
}

bool subject::use_descriptors(const std::string& word, const std::string& value) {
  if (word == "descriptors") {
    for (const auto& p : passed) std::printf("passed %s\n", p.name.c_str());
  } else if (word == "serve") {
    const int client = accept(passed.take(value), nullptr, nullptr);
    check(write(client, "hello", 5) == 5, "serve");
    close(client);
  } else if (word == "keep") {
    const int file = memfd_create("kept", MFD_CLOEXEC);
    const std::string text = after_comma(value);
    check(write(file, text.data(), text.size()) > 0, "write");
    check(socket.store(before_comma(value), {&file, 1}, error), "store");
  } else if (word == "kept") {
    char bytes[64] = {};
    const int file = passed.take(value);
    check(pread(file, bytes, sizeof bytes - 1, 0) > 0, "read");
    std::printf("kept '%s'\n", bytes);
  } else if (word == "forget") {
    check(socket.remove(value, error), "remove");
  } else {
    return false;
  }
  return true;
}

bool subject::act(const std::string& word, const std::string& value) {
  if (word == "exit") std::exit(std::stoi(value));
  return tell_host(word, value) || wait(word, value) || use_descriptors(word, value);
}

void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  block_signals();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  subject s;
  curfew::clear_systemd_environment();
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    const std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    if (s.act(word.substr(0, equals), value)) continue;
    std::printf("no such word: %s\n", word.c_str());
    return 99;
  }
  return 0;
}

#else

int main() { return 77; }

#endif
