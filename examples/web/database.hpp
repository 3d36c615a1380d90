// SPDX-License-Identifier: BSL-1.0
//
// What the web server asks for its answers.
#ifndef CURFEW_EXAMPLES_WEB_DATABASE_HPP
#define CURFEW_EXAMPLES_WEB_DATABASE_HPP

#include <curfew/release/roster.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/wait.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace web {

// Stands for a pool of connections to a database: they are lent, one query at a time, and must be
// back before it closes.
class database_pool {
 public:
  class connection;

  explicit database_pool(std::size_t size) : size_(size), free_(size) {}

  // Waits until one is free. Empty: the request was stopped, or its deadline has passed, or the
  // pool is closed.
  std::optional<connection> lend(const std::string& to, const curfew::inplace_stop_token& request);

  // Whether it is of any use to ask it.
  bool answers(const curfew::stop_token& until);

  // Who has one.
  curfew::roster<64>& lent() { return lent_; }
  std::size_t size() const { return size_; }

 private:
  void take_back() {
    const std::lock_guard lock(lock_);
    ++free_;
    one_is_free_.notify_one();
  }

  const std::size_t size_;
  std::mutex lock_;
  std::condition_variable_any one_is_free_;
  std::size_t free_;
  curfew::roster<64> lent_;
};

class database_pool::connection {
 public:
  connection(database_pool& pool, curfew::roster<64>::hold hold)
      : pool_(&pool), hold_(std::move(hold)) {}
  connection(connection&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), hold_(std::move(other.hold_)) {}
  connection& operator=(connection&&) = delete;
  ~connection() {
    if (pool_ != nullptr) pool_->take_back();
  }

  // False: given up, because the request was stopped or its deadline has passed.
  bool query(const curfew::inplace_stop_token& request, std::chrono::milliseconds duration) const {
    return !request.wait_for(duration);
  }

 private:
  database_pool* pool_;
  curfew::roster<64>::hold hold_;  // the last to go: then the pool may be gone as well
};

inline std::optional<database_pool::connection> database_pool::lend(
    const std::string& to, const curfew::inplace_stop_token& request) {
  std::unique_lock lock(lock_);
  if (!curfew::wait(one_is_free_, lock, request, [this] { return free_ != 0; })) return {};
  auto hold = lent_.enter(to);
  if (!hold) return {};
  --free_;
  return connection(*this, std::move(hold));
}

inline bool database_pool::answers(const curfew::stop_token& until) {
  const curfew::inplace_stop_source patience(until, std::chrono::seconds(20));
  const auto one = lend("a look", patience.get_token());
  return one && one->query(patience.get_token(), std::chrono::milliseconds(1));
}

}  // namespace web

#endif
