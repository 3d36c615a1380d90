// SPDX-License-Identifier: BSL-1.0
//
// For tests of control endpoints: paths of their own, an audit that is kept, and clients that
// behave badly.
#ifndef CURFEW_TESTS_SERVICE_CONTROL_SUPPORT_HPP
#define CURFEW_TESTS_SERVICE_CONTROL_SUPPORT_HPP

#include <curfew/service/control_client.hpp>
#include <curfew/service/control_endpoint.hpp>
#include <curfew/service/detail/end_process.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A path that no other test has; the folder goes with it.
class control_place_for_a_test {
 public:
  control_place_for_a_test() {
    static std::atomic<int> count{0};
    name_ = "curfew-" + std::to_string(curfew::detail::process_id()) + "-" +
            std::to_string(count.fetch_add(1));
#if CURFEW_POSIX
    folder_ = std::filesystem::temp_directory_path() / name_;
    std::filesystem::create_directory(folder_);
#endif
  }
  control_place_for_a_test(const control_place_for_a_test&) = delete;
  control_place_for_a_test& operator=(const control_place_for_a_test&) = delete;
  ~control_place_for_a_test() {
    std::error_code ec;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ec);
  }

  [[nodiscard]] std::string path() const {
    return folder_.empty() ? name_ : (folder_ / "control").string();
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::string name_;
  std::filesystem::path folder_;
};

/// One line for each decision: "allowed status", "denied stop: why".
class kept_audit final : public curfew::event_sink {
 public:
  void write(const curfew::lifecycle_event& e) noexcept override {
    std::string line = std::string(e.allowed ? "allowed " : "denied ") + std::string(e.verb);
    if (!e.change.empty()) line += " for " + std::string(e.change);
    if (!e.text.empty()) line += ": " + std::string(e.text);
    const std::lock_guard guard(lock_);
    lines_.push_back(line);
    last_ = e;
    last_.text = last_.verb = last_.change = {};
    sid_ = e.caller.sid;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard guard(lock_);
    return lines_;
  }
  [[nodiscard]] curfew::caller_identity caller() const {
    const std::lock_guard guard(lock_);
    curfew::caller_identity c = last_.caller;
    c.sid = sid_;
    return c;
  }
  /// Waits until there are so many.
  [[nodiscard]] bool await(std::size_t count) const {
    for (int i = 0; i != 3000 && lines().size() < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return lines().size() >= count;
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
  curfew::lifecycle_event last_;
  std::string sid_;
};

/// Long enough that only what hangs is cut off by it.
[[nodiscard]] inline curfew::stop_token a_minute() {
  return curfew::stop_source(std::chrono::minutes(1)).get_token();
}

/// Sends bytes of any kind.
class rude_client {
 public:
  explicit rude_client(const std::string& path) : link_(ec_) {
    if (!ec_) link_.connect(path, curfew::detail::control_limit(std::chrono::minutes(1)), ec_);
  }
  [[nodiscard]] bool connected() const { return !ec_; }
  bool say(std::string_view bytes) {
    return link_.write(bytes.data(), bytes.size(), soon()) == curfew::detail::control_io::done;
  }
  /// The next frame; empty: the endpoint has hung up, or says nothing for a minute.
  std::string hear() {
    curfew::detail::frame_head head{};
    if (link_.read(head.data(), head.size(), soon()) != curfew::detail::control_io::done) return {};
    std::string text(curfew::detail::size_of_frame(head), '\0');
    const auto io = link_.read(text.data(), text.size(), soon());
    return io == curfew::detail::control_io::done ? text : std::string();
  }
  /// True: the other side has hung up within a minute.
  bool is_cut_off() {
    char byte = 0;
    curfew::detail::control_io io = curfew::detail::control_io::done;
    while (io == curfew::detail::control_io::done) io = link_.read(&byte, 1, soon());
    return io == curfew::detail::control_io::closed;
  }

 private:
  static curfew::detail::control_time soon() {
    return curfew::detail::control_limit(std::chrono::minutes(1));
  }
  std::error_code ec_;
  curfew::detail::control_connection link_;
};

#endif
