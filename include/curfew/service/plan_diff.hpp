// SPDX-License-Identifier: BSL-1.0
//
// What has become of a plan since it was kept: for a build that is to fail when a stop does not fit
// any more.
#ifndef CURFEW_SERVICE_PLAN_DIFF_HPP
#define CURFEW_SERVICE_PLAN_DIFF_HPP

#include <curfew/service/detail/json_reader.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/plan_text.hpp>
#include <curfew/service/timeline.hpp>
#include <curfew/stop/time_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// What to_json() has made of a plan, also as a member `plan` of another object, in which it is
/// kept by the verb of that name. The shares are computed anew. Nothing: it is none, and `error`
/// says why.
[[nodiscard]] std::optional<stop_plan> read_plan(std::string_view json, std::string& error);

/// What has changed from one plan to another, and whether for the worse.
struct plan_difference {
  bool worse = false;                   ///< for a reason, a part has a worse fate than before
  std::vector<std::string> lines = {};  ///< empty: there is no difference
};

/// Parts and reasons are the same when their names are.
[[nodiscard]] plan_difference compare(const stop_plan& before, const stop_plan& now);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Takes what a plan needs out of what was read, and keeps the first thing that is wrong.
class plan_reader {
 public:
  explicit plan_reader(std::string& error) noexcept : error_(error) {}

  std::optional<stop_plan> read(const json_value& plan) {
    using kind = json_value::kind;
    if (number(plan, "version") != 1) wrong("it has another version");
    const json_value& parts = member(plan, "parts", kind::list);
    for (const json_value& p : parts.items) names_.emplace(text(p, "name"), names_.size());
    if (names_.size() != parts.items.size()) wrong("it names a part twice");
    for (const json_value& p : parts.items) add_part(p);
    for (const json_value& r : member(plan, "reasons", kind::list).items) add_budget(r);
    if (error_.empty() && has_loop()) wrong("its parts wait for each other");
    if (!error_.empty()) return std::nullopt;
    return make_plan(parts_, budgets_);
  }

 private:
  void wrong(std::string why) {
    if (error_.empty()) error_ = std::move(why);
  }

  const json_value& member(const json_value& of, std::string_view name, json_value::kind what) {
    const json_value* const found = of.find(name);
    if (found != nullptr && found->what == what) return *found;
    wrong("it has no proper " + std::string(name));
    return none_;
  }
  std::int64_t number(const json_value& of, std::string_view name) {
    return member(of, name, json_value::kind::number).number;
  }
  const std::string& text(const json_value& of, std::string_view name) {
    return member(of, name, json_value::kind::text).text;
  }

  time_source::duration time(const json_value& of, std::string_view name) {
    const json_value* const found = of.find(name);
    const bool unlimited = found != nullptr && found->what == json_value::kind::null;
    if (unlimited) return (time_source::duration::max)();
    const std::int64_t value = number(of, name);
    if (value < 0) wrong("its " + std::string(name) + " is negative");
    return saturate(std::chrono::duration<std::int64_t, std::micro>(value));
  }

  void add_part(const json_value& p) {
    plan_part part{.name = text(p, "name"),
                   .start = time(p, "start"),
                   .drain = time(p, "drain"),
                   .stop = time(p, "stop"),
                   .abort = time(p, "abort"),
                   .optional = member(p, "optional", json_value::kind::truth).truth};
    for (const json_value& d : member(p, "after", json_value::kind::list).items) {
      const auto found = names_.find(d.text);
      if (found == names_.end()) return wrong("it has no part " + d.text);
      part.after.push_back(found->second);
    }
    parts_.push_back(std::move(part));
  }

  void add_budget(const json_value& r) {
    stop_budget budget{.name = text(r, "reason"),
                       .granted = time(r, "granted"),
                       .usable = time(r, "usable"),
                       .limit = time(r, "limit"),
                       .time = time(r, "time")};
    budgets_.push_back(std::move(budget));
  }

  /// As make_plan() would refuse it.
  [[nodiscard]] bool has_loop() const { return !part_chains::are_possible(parts_); }

  std::string& error_;
  const json_value none_;
  std::map<std::string, std::size_t, std::less<>> names_;
  std::vector<plan_part> parts_;
  std::vector<stop_budget> budgets_;
};

/// Both plans by the names of their parts.
class plan_comparison {
 public:
  plan_comparison(const stop_plan& before, const stop_plan& now) : before_(before), now_(now) {
    for (std::size_t i = 0; i != before.parts.size(); ++i) old_.emplace(before.parts[i].name, i);
  }

  plan_difference all() {
    parts();
    paths();
    for (const reason_plan& r : now_.reasons) reason(r);
    for (const reason_plan& r : before_.reasons) {
      if (now_.find(r.budget.name) == nullptr) say("- reason " + r.budget.name);
    }
    return std::move(found_);
  }

 private:
  void say(std::string line) { found_.lines.push_back(std::move(line)); }
  void changed(const std::string& what, const std::string& from, const std::string& to) {
    if (from != to) say("~ " + what + ": " + from + " -> " + to);
  }

  void parts() {
    std::vector<bool> kept(before_.parts.size());
    for (const plan_part& p : now_.parts) {
      const auto found = old_.find(p.name);
      if (found == old_.end()) {
        say("+ part " + p.name);
      } else {
        kept[found->second] = true;
        part(before_.parts[found->second], p);
      }
    }
    for (std::size_t i = 0; i != kept.size(); ++i) {
      if (!kept[i]) say("- part " + before_.parts[i].name);
    }
  }

  void part(const plan_part& from, const plan_part& to) {
    const auto limit = [&](const char* what, time_source::duration a, time_source::duration b) {
      if (a != b) changed(to.name + ", " + what, to_text(a), to_text(b));
    };
    limit("start", from.start, to.start);
    limit("drain", from.drain, to.drain);
    limit("stop", from.stop, to.stop);
    limit("abort", from.abort, to.abort);
    changed(to.name + ", after", names(before_, from), names(now_, to));
    changed(to.name, from.optional ? "optional" : "required",
            to.optional ? "optional" : "required");
  }

  [[nodiscard]] static std::string names(const stop_plan& plan, const plan_part& p) {
    std::vector<std::string_view> all;
    for (const std::size_t d : p.after) all.push_back(plan.parts[d].name);
    std::sort(all.begin(), all.end());
    std::string text;
    for (const std::string_view name : all) text.append(text.empty() ? "" : ", ").append(name);
    return text.empty() ? "nothing" : text;
  }

  /// One of several that are equally long is as good as another.
  void paths() {
    const auto path = [this](const char* what, const critical_path& from, const critical_path& to) {
      const auto text = [](const stop_plan& plan, const critical_path& p) {
        return path_text(plan, p) + ", " + to_text(p.length);
      };
      if (from.length != to.length) changed(what, text(before_, from), text(now_, to));
    };
    path("start", before_.start, now_.start);
    path("stop", before_.stop, now_.stop);
  }

  [[nodiscard]] static const char* verdict(bool fits) noexcept {
    return fits ? "fits" : "does not fit";
  }

  void reason(const reason_plan& to) {
    const reason_plan* const from = before_.find(to.budget.name);
    if (from == nullptr) {
      say("+ reason " + to.budget.name + ": " + verdict(to.fits()));
    } else {
      changed(to.budget.name + ", for parts", to_text(from->budget.time), to_text(to.budget.time));
      changed(to.budget.name, verdict(from->fits()), verdict(to.fits()));
    }
    for (std::size_t i = 0; i != now_.parts.size(); ++i) fate(from, to, i);
  }

  /// A part and a reason that are new have had no worse fate.
  void fate(const reason_plan* from, const reason_plan& to, std::size_t part) {
    const std::string& name = now_.parts[part].name;
    const auto known = old_.find(name);
    const part_fate is = to.shares[part].fate;
    const bool had = from != nullptr && known != old_.end();
    const part_fate was = had ? from->shares[known->second].fate : part_fate::done;
    changed(to.budget.name + ", " + name, to_string(was), to_string(is));
    if (is > was) found_.worse = true;
  }

  const stop_plan& before_;
  const stop_plan& now_;
  std::map<std::string_view, std::size_t> old_;
  plan_difference found_;
};

}  // namespace detail

inline std::optional<stop_plan> read_plan(std::string_view json, std::string& error) {
  error.clear();
  detail::json_value all;
  if (!detail::read_json(json, all)) {
    error = "it is no JSON";
    return std::nullopt;
  }
  const detail::json_value* const kept = all.find("plan");
  return detail::plan_reader(error).read(kept != nullptr ? *kept : all);
}

inline plan_difference compare(const stop_plan& before, const stop_plan& now) {
  return detail::plan_comparison(before, now).all();
}

CURFEW_END

#endif
