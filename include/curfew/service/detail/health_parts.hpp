// SPDX-License-Identifier: BSL-1.0
//
// The components of a lifecycle as entries of a health report.
#ifndef CURFEW_SERVICE_DETAIL_HEALTH_PARTS_HPP
#define CURFEW_SERVICE_DETAIL_HEALTH_PARTS_HPP

#include <curfew/service/detail/lifecycle_state.hpp>
#include <curfew/service/health_report.hpp>

#include <memory>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Does not keep what the components' functions hold. All members may be called from any thread,
/// but not under the lifecycle's lock, which a sink of its events is written to with.
class health_parts {
 public:
  explicit health_parts(std::weak_ptr<const lifecycle_state> parts) : parts_(std::move(parts)) {}

  [[nodiscard]] bool been_up() const noexcept;
  void add_entries(std::vector<health_entry>& to) const;

 private:
  [[nodiscard]] static health_entry entry_of(const component_status& s, bool optional);

  std::weak_ptr<const lifecycle_state> parts_;
};

/// And is, or may yet be again without a start of the whole.
inline bool health_parts::been_up() const noexcept {
  const auto parts = parts_.lock();
  if (parts == nullptr) return false;
  const whole_phase now = parts->phase();
  return now == whole_phase::up || now == whole_phase::preparing || now == whole_phase::prepared ||
         now == whole_phase::resuming;
}

/// Of an idle lifecycle the parts may just be declared by another thread: they are not looked at.
inline void health_parts::add_entries(std::vector<health_entry>& to) const {
  const auto parts = parts_.lock();
  const whole_phase now = parts != nullptr ? parts->phase() : whole_phase::stopped;
  const bool up = now == whole_phase::up;
  to.push_back({.name = "components",
                .status = up ? health_status::healthy : health_status::unhealthy,
                .text = up ? "" : to_string(now)});
  if (parts == nullptr || now == whole_phase::idle) return;
  const std::vector<component_status> all = parts->status();
  for (std::size_t i = 0; i != all.size(); ++i)
    to.push_back(entry_of(all[i], parts->graph()[i].optional));
}

inline health_entry health_parts::entry_of(const component_status& s, bool optional) {
  const bool up = s.phase == part_phase::up;
  const std::string& more = s.error.empty() ? s.note : s.error;
  std::string text = up ? "" : to_string(s.phase);
  if (!up && !more.empty()) text += ": " + more;
  return {.name = s.name,
          .status = up ? health_status::healthy : health_status::unhealthy,
          .text = std::move(text),
          .age = s.elapsed,
          .optional = optional,
          .place = s.place};
}

}  // namespace detail
CURFEW_END

#endif
