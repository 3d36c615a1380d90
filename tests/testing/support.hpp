// SPDX-License-Identifier: BSL-1.0
// What the tests of services in a box share.
#pragma once

#include <curfew/service/run.hpp>

#include <condition_variable>
#include <mutex>

namespace test {

/// Waits for the test, or the test for it.
class door {
 public:
  void open() {
    const std::lock_guard guard(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// The shortest service there is.
inline void serve(curfew::service& s) {
  s.ready();
  s.token().wait();
}

}  // namespace test
