// SPDX-License-Identifier: BSL-1.0
//
// Threads that take work from a queue. Asked to stop they finish what is queued; when that takes
// longer than it may, they leave the rest, and the exit code says so.
//
//   worker_pool          twelve letters, a tenth of a second each; Ctrl-C: all are delivered
//   worker_pool 1000     more than fit into the second that a stop has: most are left, exit code 70
#include <curfew/service/run.hpp>
#include <curfew/stop/task_group.hpp>
#include <curfew/stop/wait.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;

class letter_box {
 public:
  explicit letter_box(int letters) : letters_(letters) {}

  // Waits for a letter; false: there is none and will be none, or `cut` has stopped.
  bool take(const curfew::stop_token& cut) {
    std::unique_lock lock(mutex_);
    curfew::wait(changed_, lock, cut, [&] { return letters_ > 0 || closed_; });
    return !cut.stop_requested() && letters_ > 0 && letters_-- > 0;
  }

  // Nobody puts a letter in any more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  int letters() const { return letters_; }  // when nobody takes any

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int letters_;  // they are all alike
  bool closed_ = false;
};

void deliver_all(curfew::service& self, int letters) {
  auto& box = self.resources().emplace<letter_box>("letter box", letters);
  // Not stopped when the program is, but when its time is over.
  auto& carriers = self.resources().emplace<curfew::task_group>("carriers");
  const auto drain = [&, letters](const curfew::stop_token& hurry) {
    box.close();
    const curfew::stop_callback cut(hurry, [&] { carriers.request_stop(); });
    carriers.join();
    std::printf("%d delivered, %d left\n", letters - box.letters(), box.letters());
  };
  self.resources().defer("letters", drain, {1s});

  const auto carry = [&](const curfew::stop_token& cut) {
    while (box.take(cut)) std::this_thread::sleep_for(100ms);
  };
  for (int i = 0; i < 3; ++i) carriers.spawn(carry);
  std::printf("three carriers, %d letters; press Ctrl-C to stop\n", letters);
  std::fflush(stdout);
  (void)self.token().wait();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && std::string_view(argv[1]) == "--help"))
    return std::puts("usage: worker_pool [LETTERS]"), argc == 2 ? 0 : 2;
  const int letters = argc == 2 ? std::atoi(argv[1]) : 12;
  return curfew::run({.name = "worker_pool"}, argc, argv,
                     [=](curfew::service& self) { deliver_all(self, letters); });
}
