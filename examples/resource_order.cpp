// SPDX-License-Identifier: BSL-1.0
//
// What must be given back, in order, and the truth about it afterwards: newest first, and one that
// is late keeps nobody else waiting for ever.
//
// Run it: resource_order. It takes no arguments, and says the same each time.
#include <curfew/release/resource_stack.hpp>
#include <curfew/stop/stop_token.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

// Anything with a destructor can be put on the stack.
class connection {
 public:
  explicit connection(const char* to) : to_(to) { std::printf("open %s\n", to_); }
  ~connection() { std::printf("close %s\n", to_); }

 private:
  const char* to_;
};

const char* text(curfew::release_outcome outcome) {
  switch (outcome) {
    case curfew::release_outcome::released: return "released";
    case curfew::release_outcome::failed: return "failed";
    case curfew::release_outcome::late: return "late";
  }
  return "";
}

}  // namespace

int main() {
  curfew::resource_stack stack;
  stack.emplace<connection>("database", "database");
  stack.defer("journal", [] { std::printf("write journal\n"); });

  // This one would wait for an hour. It has 20 ms, and then is told to hurry.
  const auto drain = [](const curfew::stop_token& hurry) {
    std::printf("%s\n", hurry.wait_for(1h) ? "queue cut short" : "queue empty");
  };
  stack.defer("queue", drain, {20ms});
  stack.emplace<connection>("listener", "listener");

  const curfew::release_report report = stack.release(10s);
  for (const auto& entry : report) {
    std::printf("%s: %s\n", std::string(entry.name).c_str(), text(entry.outcome));
  }
  std::printf("%s\n", report.ok() ? "all is well" : "not all is well");
}
