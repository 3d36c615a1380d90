// SPDX-License-Identifier: BSL-1.0
//
// The pages of the web server, rendered before anybody asks for them.
#ifndef CURFEW_EXAMPLES_WEB_CACHE_HPP
#define CURFEW_EXAMPLES_WEB_CACHE_HPP

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace web {

// Thread safety: all members, from any thread.
class page_cache {
 public:
  // Nobody is answered from it before it is warm.
  bool warm() const { return warm_; }
  void set_warm(bool on) { warm_ = on; }

  void put(const std::string& path, std::string page) {
    const std::lock_guard lock(lock_);
    pages_[path] = std::move(page);
  }
  std::optional<std::string> find(const std::string& path) const {
    const std::lock_guard lock(lock_);
    const auto at = pages_.find(path);
    return at == pages_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  std::atomic<bool> warm_{false};
  mutable std::mutex lock_;
  std::map<std::string, std::string> pages_;
};

}  // namespace web

#endif
