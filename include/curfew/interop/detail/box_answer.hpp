// SPDX-License-Identifier: BSL-1.0
//
// For test frameworks: values of curfew's as text, and what a box answers with its story.
#ifndef CURFEW_INTEROP_DETAIL_BOX_ANSWER_HPP
#define CURFEW_INTEROP_DETAIL_BOX_ANSWER_HPP

#include <curfew/host/host_kind.hpp>
#include <curfew/host/outcome.hpp>
#include <curfew/release/release_report.hpp>
#include <curfew/stop/reason.hpp>
#include <curfew/testing/host_in_a_box.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// What became of a wait for the program in a box. In CHECK() and REQUIRE() of doctest, and in
/// EXPECT_TRUE() and ASSERT_TRUE() of GoogleTest, one that is not as hoped prints what the program
/// has told until then.
class box_answer {
 public:
  box_answer(bool as_hoped, std::string story) : ok_(as_hoped), story_(std::move(story)) {}

  explicit operator bool() const noexcept { return ok_; }
  [[nodiscard]] const std::string& story() const noexcept { return story_; }

  /// To testing::AssertionResult, which need not be known here.
  template <class Result>
  requires requires(Result r, std::string s) {
    r.failure_message();
    r << s;
  }
  operator Result() const { return Result(ok_) << story_; }

 private:
  bool ok_;
  std::string story_;
};

/// Waits as box.await_ready() does.
[[nodiscard]] box_answer became_ready(host_in_a_box& box);
/// Waits as box.await_end() does, for the end with that exit code.
[[nodiscard]] box_answer ended_with(host_in_a_box& box, int code);

// --- bodies -------------------------------------------------------------------------------------

namespace detail {

[[nodiscard]] constexpr const char* test_text(stop_cause c) noexcept { return cause_name(c); }
[[nodiscard]] inline std::string test_text(const stop_reason& r) { return to_string(r); }
[[nodiscard]] inline std::string test_text(const outcome& o) { return to_string(o); }
[[nodiscard]] constexpr const char* test_text(outcome_kind k) noexcept {
  constexpr const char* names[] = {"clean", "late", "failed", "forced"};
  return names[static_cast<std::size_t>(k)];
}
[[nodiscard]] constexpr const char* test_text(release_outcome o) noexcept {
  constexpr const char* names[] = {"released", "failed", "late"};
  return names[static_cast<std::size_t>(o)];
}
[[nodiscard]] constexpr const char* test_text(host_kind k) noexcept {
  constexpr const char* names[] = {"console", "systemd", "scm"};
  return names[static_cast<std::size_t>(k)];
}
[[nodiscard]] constexpr const char* test_text(scm_state s) noexcept {
  constexpr const char* names[] = {"none",    "stopped",          "start_pending", "stop_pending",
                                   "running", "continue_pending", "pause_pending", "paused"};
  return names[static_cast<std::size_t>(s)];
}
[[nodiscard]] inline std::string test_text(const release_entry& e) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(e.elapsed).count();
  return std::string(e.name) + ": " + test_text(e.outcome) + " after " + std::to_string(took) +
         " ms";
}
[[nodiscard]] inline std::string test_text(const release_report& report) {
  std::string text;
  for (const release_entry& e : report) {
    text.append(text.empty() ? "" : ", ").append(test_text(e));
  }
  return text.empty() ? "nothing to release" : text;
}
[[nodiscard]] inline std::string test_text(const box_answer& a) {
  return (a ? "as hoped; " : "") + a.story();
}

/// What can be told of, and no type of anybody else's.
template <class T>
concept tested_type = std::same_as<T, stop_cause> || std::same_as<T, stop_reason> ||
    std::same_as<T, outcome> || std::same_as<T, outcome_kind> || std::same_as<T, release_outcome> ||
    std::same_as<T, release_entry> || std::same_as<T, release_report> ||
    std::same_as<T, host_kind> || std::same_as<T, scm_state> || std::same_as<T, box_answer>;

/// The last of what was told, a line each.
inline void append_last(std::string& text, const char* title,
                        const std::vector<std::string>& told) {
  constexpr std::size_t most = 12;
  const std::size_t first = told.size() > most ? told.size() - most : 0;
  if (first != 0) text.append("\n  (").append(std::to_string(first)).append(" before)");
  for (std::size_t i = first; i < told.size(); ++i)
    text.append("\n  ").append(title).append(": ").append(told[i]);
}

[[nodiscard]] inline std::string box_story(const host_in_a_box& box) {
  std::string text = box.ended() ? "it has ended"
                                 : "it runs; advance() past its time, and it names what is still "
                                   "open";
  append_last(text, "told", box.lines());
  append_last(text, "systemd", box.datagrams());
  const auto statuses = box.statuses();
  if (!statuses.empty()) text.append("\n  SCM: ").append(test_text(statuses.back().state));
  return text;
}

}  // namespace detail

inline box_answer became_ready(host_in_a_box& box) {
  const bool ready = box.await_ready();
  return {ready, (ready ? "ready; " : "not ready; ") + detail::box_story(box)};
}

inline box_answer ended_with(host_in_a_box& box, int code) {
  const std::optional<int> end = box.await_end();
  const std::string what = end ? "exit code " + std::to_string(*end) : "no end in 30 s";
  return {end == code,
          what + " instead of " + std::to_string(code) + "; " + detail::box_story(box)};
}

CURFEW_END

#endif
