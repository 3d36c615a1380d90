// SPDX-License-Identifier: BSL-1.0
//
// What a check of a program's health may say, and how it is treated.
#ifndef CURFEW_SERVICE_HEALTH_OPTIONS_HPP
#define CURFEW_SERVICE_HEALTH_OPTIONS_HPP

#include <curfew/service/health_report.hpp>
#include <curfew/stop/detail/duration.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

CURFEW_BEGIN

/// One or several, as in `health_probe::startup | health_probe::readiness`.
class health_probes {
 public:
  constexpr health_probes(health_probe p) noexcept
      : bits_(static_cast<std::uint8_t>(1u << static_cast<unsigned>(p))) {}

  [[nodiscard]] constexpr bool contains(health_probe p) const noexcept {
    return (bits_ & health_probes(p).bits_) != 0;
  }
  friend constexpr health_probes operator|(health_probes a, health_probes b) noexcept {
    a.bits_ = static_cast<std::uint8_t>(a.bits_ | b.bits_);
    return a;
  }

 private:
  std::uint8_t bits_;
};

[[nodiscard]] constexpr health_probes operator|(health_probe a, health_probe b) noexcept {
  return health_probes(a) | health_probes(b);
}

/// For a check that has more to say than yes or no.
struct health_result {
  health_status status = health_status::healthy;
  std::string text = {};

  [[nodiscard]] static health_result healthy(std::string text = {}) {
    return {health_status::healthy, std::move(text)};
  }
  [[nodiscard]] static health_result degraded(std::string text) {
    return {health_status::degraded, std::move(text)};
  }
  [[nodiscard]] static health_result unhealthy(std::string text) {
    return {health_status::unhealthy, std::move(text)};
  }
};

/// What a check of health counts for, how long it may take, and how often it is made.
struct health_options {
  /// What it counts for.
  health_probes probes = health_probe::readiness;

  /// After that its token stops and it is unhealthy, whatever it does. Less than the second for
  /// which Kubernetes waits, so that the answer still says who is late.
  detail::saturated timeout = std::chrono::milliseconds(800);

  /// How long what it said is good for. Zero: each ask looks anew, or joins a look that goes on.
  detail::saturated max_age = std::chrono::seconds(1);

  /// A failure of it only degrades the whole.
  bool optional = false;
};

CURFEW_END

#endif
