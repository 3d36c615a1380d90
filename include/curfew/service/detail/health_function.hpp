// SPDX-License-Identifier: BSL-1.0
//
// A check of any kind as the one that a health calls.
#ifndef CURFEW_SERVICE_DETAIL_HEALTH_FUNCTION_HPP
#define CURFEW_SERVICE_DETAIL_HEALTH_FUNCTION_HPP

#include <curfew/service/health_options.hpp>
#include <curfew/stop/stop_token.hpp>

#include <concepts>
#include <system_error>
#include <type_traits>
#include <utility>

CURFEW_BEGIN
namespace detail {

/// No integers: of those 0 means success to some and failure to others.
template <class T>
concept health_answer = std::is_void_v<T> || std::same_as<T, bool> ||
    std::same_as<T, std::error_code> || std::same_as<T, health_result>;

template <class F, class... Args>
concept answers_health = std::is_invocable_v<F&, Args...> &&
    health_answer<std::remove_cvref_t<std::invoke_result_t<F&, Args...>>>;

class health_function {
 public:
  health_function() = default;
  health_function(const health_function&) = delete;
  health_function& operator=(const health_function&) = delete;
  virtual ~health_function() = default;
  virtual health_result run(const stop_token& token) = 0;
};

[[nodiscard]] inline health_result as_result(bool good) {
  return {good ? health_status::healthy : health_status::unhealthy};
}
[[nodiscard]] inline health_result as_result(std::error_code ec) {
  return ec ? health_result::unhealthy(ec.message()) : health_result();
}
[[nodiscard]] inline health_result as_result(health_result r) { return r; }

template <class F>
class health_function_of final : public health_function {
 public:
  explicit health_function_of(F&& f) : f_(std::move(f)) {}
  health_result run(const stop_token& token) override {
    if constexpr (std::is_invocable_v<F&, stop_token>) {
      return called(token);
    } else {
      return called();
    }
  }

 private:
  template <class... Args>
  health_result called(const Args&... args) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Args&...>>) {
      f_(args...);
      return {};
    } else {
      return as_result(f_(args...));
    }
  }

  F f_;
};

}  // namespace detail

CURFEW_END

#endif
