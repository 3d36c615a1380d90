// SPDX-License-Identifier: BSL-1.0
//
// What a program in a box has told the world so far.
#ifndef CURFEW_TESTING_DETAIL_BOX_RECORD_HPP
#define CURFEW_TESTING_DETAIL_BOX_RECORD_HPP

#include <curfew/host/detail/notify_port.hpp>
#include <curfew/host/detail/scm_status.hpp>
#include <curfew/host/message_sink.hpp>
#include <curfew/service/detail/run_setting.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Written by the program's threads, read by the test's, which may wait for a change.
class box_record final : public scm_port,
                         public notify_port,
                         public message_sink,
                         public last_resort {
 public:
  struct contents {
    std::vector<scm_status> statuses = {};
    std::vector<std::string> datagrams = {};
    std::vector<std::string> lines = {};
    bool entered = false;  // main has been called
    bool ready = false;
    bool stopping = false;
    std::optional<int> ended = {};     // the process, by force or by its last signal
    std::optional<int> returned = {};  // run()

    /// Nothing is told any more.
    [[nodiscard]] bool over() const noexcept { return ended || returned; }
  };

  bool set_status(const scm_status& s) noexcept override {
    return tell([&](contents& c) { c.statuses.push_back(s); });
  }
  bool send(std::string_view datagram) noexcept override {
    return tell([&](contents& c) { c.datagrams.emplace_back(datagram); });
  }
  void write(severity, std::string_view line) noexcept override {
    tell([&](contents& c) { c.lines.emplace_back(line); });
  }
  void end(int code) noexcept override {
    change([&](contents& c) {
      if (!c.ended) c.ended = code;
    });
  }
  void await() noexcept override {}

  template <class F>
  void change(F f) {
    {
      const std::lock_guard lock(mutex_);
      f(now_);
    }
    changed_.notify_all();
  }
  [[nodiscard]] contents read() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  /// False: it did not come about before the end, or in a time after which it never will.
  template <class Condition>
  [[nodiscard]] bool await(Condition condition) const {
    std::unique_lock lock(mutex_);
    const auto enough = [&] { return now_.over() || condition(now_); };
    changed_.wait_for(lock, std::chrono::seconds(30), enough);
    return condition(now_);
  }

 private:
  /// A process that has ended tells nothing, though main runs on in the box.
  template <class F>
  bool tell(F f) {
    change([&](contents& c) {
      if (!c.ended) f(c);
    });
    return true;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  contents now_;
};

}  // namespace detail
CURFEW_END

#endif
