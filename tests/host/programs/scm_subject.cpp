// SPDX-License-Identifier: BSL-1.0
//
// A service for tests: scm_subject LOG MODE [ARGUMENT...]. What happens goes to the file LOG, a
// line each, because a service has no output. Outside the service manager it says so.
//   serve   tells each event; stops when asked; after code 130 a pause and a resume fail
//   gated   does not start before the file LOG.start is there, and does not end before LOG.stop is
//   fail    is never ready and returns 7
//   throw   is never ready and throws
//   self    stops by itself when code 200 arrives
//   forced  does not stop when asked; another thread tells the end
#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/scm_dispatcher.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using curfew::host_event;
using curfew::outcome;
using curfew::outcome_kind;
using curfew::stop_reason;
using curfew::detail::scm_host;
using namespace std::chrono_literals;

std::string log_path;

void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (std::FILE* const file = std::fopen(log_path.c_str(), "ab")) {
    std::fputs((line + "\n").c_str(), file);
    std::fclose(file);
  }
}

std::string in_brackets(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += std::string("[") + argv[i] + "]";
  return text;
}

struct says_goodbye {
  explicit says_goodbye(const char* t) : text(t) {}
  says_goodbye(const says_goodbye&) = delete;
  says_goodbye& operator=(const says_goodbye&) = delete;
  ~says_goodbye() {
    if (!log_path.empty()) say(text);
  }
  const char* text;
};

const says_goodbye of_the_process("statics destroyed");

/// What the service manager asks, for the thread that serves.
class mailbox final : public curfew::host_listener {
 public:
  struct letter {
    bool stop = false;
    host_event event = host_event::user;
    int code = 0;
  };

  void stop(const stop_reason& reason) noexcept override {
    put({.stop = true, .code = reason.code});
  }
  bool event(host_event what, int code) noexcept override {
    if (code == 131) return false;
    put({.event = what, .code = code});
    return true;
  }
  std::uint32_t answer(const curfew::system_event&) noexcept override { return 0; }

  letter take() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !letters_.empty(); });
    const letter first = letters_.front();
    letters_.pop_front();
    return first;
  }

 private:
  void put(const letter& l) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(l);
    arrived_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<letter> letters_;
};

void await_file(const std::string& ending) {
  for (;;) {
    if (std::FILE* const file = std::fopen((log_path + ending).c_str(), "rb")) {
      std::fclose(file);
      return;
    }
    std::this_thread::sleep_for(10ms);
  }
}

/// One event; true: the program shall end.
bool obey(scm_host& host, const mailbox::letter& letter) {
  static bool failing = false;
  if (letter.stop) return true;
  switch (letter.event) {
    case host_event::reload: say("reload"); return false;
    case host_event::pause:
      say("pause");
      failing ? host.resumed() : host.paused();
      return false;
    case host_event::resume:
      say("resume");
      failing ? host.paused() : host.resumed();
      return false;
    case host_event::user: break;
  }
  say("code " + std::to_string(letter.code));
  if (letter.code == 130) failing = !failing;
  return letter.code == 200;
}

[[noreturn]] void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(1h);
}

/// As a watchdog does it: it tells the end, and would then end the process.
[[noreturn]] void force(scm_host& host, const stop_reason& reason) {
  std::thread([&host, reason] {
    host.stopped({.kind = outcome_kind::forced, .reason = reason});
    sleep_for_ever();
  }).detach();
  sleep_for_ever();
}

outcome serve(const std::string& mode, scm_host& host) {
  mailbox box;
  host.attach(box);
  host.accept({.reload = true, .pause = true, .user = true});
  host.progress("first", 2s);
  host.progress("second", 3s);
  if (mode == "gated") await_file(".start");
  host.ready();
  mailbox::letter letter = box.take();
  while (!obey(host, letter)) letter = box.take();
  const auto cause =
      letter.stop ? curfew::stop_cause::service_control : curfew::stop_cause::requested;
  const stop_reason why{cause, letter.stop ? letter.code : 0};
  say("stop " + to_string(why));
  if (mode == "forced") force(host, why);
  host.stopping(why, 9s);
  host.progress("closing", 4s);
  if (mode == "gated") await_file(".stop");
  host.detach();
  return {.reason = why};
}

outcome body(void* context, scm_host& host, int argc, char** argv) {
  const std::string& mode = *static_cast<const std::string*>(context);
  const says_goodbye frame("body destroyed");
  say("service " + in_brackets(argc, argv));
  if (mode == "fail") return {.kind = outcome_kind::failed, .result = 7};
#if CURFEW_EXCEPTIONS
  if (mode == "throw") throw std::runtime_error("as it was told to");
#else
  if (mode == "throw") return {.kind = outcome_kind::failed};
#endif
  return serve(mode, host);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  log_path = argv[1];
  const std::string mode = argv[2];
  say("main " + in_brackets(argc - 3, argv + 3));
  std::string context = mode;
  const curfew::service_spec spec{.name = "subject", .start_timeout = 11s, .stop_timeout = 12s};
  const auto first = curfew::detail::scm_dispatch(spec, body, &context);
  const auto second = curfew::detail::scm_dispatch(spec, body, &context);
  say(std::string(first.served ? "served" : "not served") + ", error " +
      std::to_string(first.error.value()) + ", then " + std::to_string(second.error.value()));
  say("main returns " + std::to_string(first.code));
  return first.code;
}

#else

int main() { return 77; }

#endif
