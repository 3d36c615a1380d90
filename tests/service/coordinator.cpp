// SPDX-License-Identifier: BSL-1.0
//
// The rules of a coordinator, with members that only play their parts: whatever one of them does in
// whatever phase, the rest is stopped as one or goes on as one.
#include <curfew/service/coordinator.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using curfew::fleet_outcome;
using curfew::fleet_step;
using curfew::member_answer;
using curfew::member_fate;
using curfew::member_word;

const std::array<std::string, 3> names = {"database", "orders", "web"};

enum class deed { obey, refuse, err, fling, hang, deafen, die, die_after };

constexpr std::array all_deeds = {deed::obey, deed::refuse, deed::err, deed::fling,
                                  deed::hang, deed::deafen, deed::die, deed::die_after};
constexpr std::array all_steps = {fleet_step::prepare, fleet_step::commit, fleet_step::abort};

enum class condition { up, prepared, down, dead };

struct noted {
  std::size_t who;
  fleet_step step;
  bool begins;
};

/// What all members of a test share: what happened in which order, and their time.
struct world {
  curfew::manual_clock clock;
  std::mutex lock;
  std::condition_variable changed;
  std::vector<noted> log;
  std::vector<std::vector<std::size_t>> peers;  // who is asked at the same time as whom
  std::size_t refuser = names.size();           // is told no abort
  bool deaf_may_return = false;

  [[nodiscard]] std::size_t count(std::size_t who, fleet_step step, bool begins) const {
    return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [&](const noted& n) {
      return n.who == who && n.step == step && n.begins == begins;
    }));
  }
};

class player final : public curfew::fleet_member {
 public:
  player(world& w, std::size_t self) : w_(w), self_(self) {}

  member_answer prepare(const curfew::member_call& call) override {
    return play(fleet_step::prepare, call);
  }
  member_answer commit(const curfew::member_call& call) override {
    return play(fleet_step::commit, call);
  }
  member_answer abort(const curfew::member_call& call) override {
    return play(fleet_step::abort, call);
  }
  bool is_there() noexcept override { return state != condition::dead; }

  std::array<deed, 3> script = {deed::obey, deed::obey, deed::obey};
  std::function<void(fleet_step, const curfew::member_call&)> before;
  std::atomic<condition> state{condition::up};

 private:
  member_answer play(fleet_step step, const curfew::member_call& call) {
    note(step, true);
    if (before) before(step, call);
    CHECK_FALSE(call.change.empty());
    CHECK(call.pid == (step == fleet_step::prepare || state != condition::prepared ? call.pid : 7));
    const member_answer answer = act(step, call);
    note(step, false);
    return answer;
  }

  member_answer act(fleet_step step, const curfew::member_call& call) {
    if (state == condition::dead) return {.word = member_word::gone};
    switch (script[static_cast<std::size_t>(step)]) {
      case deed::obey: break;
      case deed::refuse: return {.word = member_word::no, .text = "three payments are open"};
      case deed::err: return {.word = member_word::failed, .text = "no connection"};
      case deed::fling:
#if CURFEW_EXCEPTIONS
        throw std::system_error(std::make_error_code(std::errc::io_error), "flung");
#else
        return {.word = member_word::failed, .text = "flung"};
#endif
      case deed::hang: return hang(step, call);
      case deed::deafen: return stay_deaf(step, call);
      case deed::die: state = condition::dead; return {.word = member_word::gone};
      case deed::die_after:
        obey(step);
        state = condition::dead;
        return {.pid = 7};
    }
    obey(step);
    return {.pid = 7};
  }

  void obey(fleet_step step) {
    state = step == fleet_step::prepare  ? condition::prepared
            : step == fleet_step::commit ? condition::down
                                         : condition::up;
  }

  /// Time passes when the others who are asked now have ended: it is this one that is late.
  void let_peers_end(fleet_step step) {
    std::unique_lock guard(w_.lock);
    for (const std::size_t p : w_.peers[self_]) {
      if (step == fleet_step::abort && p == w_.refuser) continue;
      w_.changed.wait(guard, [&] { return w_.count(p, step, false) != 0; });
    }
  }

  /// What it does meanwhile: time passes.
  member_answer hang(fleet_step step, const curfew::member_call& call) {
    let_peers_end(step);
    w_.clock.advance(call.limit.remaining());
    CHECK(call.limit.stop_requested());
    return {.word = member_word::failed, .text = "no answer in time"};
  }
  /// Until the very moment in which it is given up.
  member_answer stay_deaf(fleet_step step, const curfew::member_call& call) {
    let_peers_end(step);
    const auto nine_tenths = call.limit.remaining();
    w_.clock.advance(nine_tenths);
    w_.clock.advance(nine_tenths / 9);
    std::unique_lock guard(w_.lock);
    w_.changed.wait(guard, [this] { return w_.deaf_may_return; });
    return {};
  }

  void note(fleet_step step, bool begins) {
    const std::lock_guard guard(w_.lock);
    w_.log.push_back({self_, step, begins});
    w_.changed.notify_all();
  }

  world& w_;
  const std::size_t self_;
};

struct shape {
  const char* name;
  std::vector<std::vector<std::size_t>> after;
  std::vector<std::vector<std::size_t>> peers;
};

const std::vector<shape> shapes = {
    {"chain", {{}, {0}, {1}}, {{}, {}, {}}},
    {"two on one", {{}, {0}, {0}}, {{}, {2}, {1}}},
    {"one on two", {{}, {}, {0, 1}}, {{1}, {0}, {}}},
};

/// Three members that depend on each other as the shape says; ended only when no thread of a
/// coordinator is left that could touch them.
struct fleet {
  explicit fleet(const shape& s) : form(s) {
    w.peers = s.peers;
    for (std::size_t i = 0; i != names.size(); ++i) {
      curfew::member_options options{.prepare_timeout = 10s, .stop_timeout = 30s};
      for (const std::size_t d : s.after[i]) options.after.push_back(names[d]);
      members.push_back(std::make_shared<player>(w, i));
      them.add(names[i], members.back(), options);
    }
  }
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;
  ~fleet() {
    {
      const std::lock_guard guard(w.lock);
      w.deaf_may_return = true;
      w.changed.notify_all();
    }
    own.reset();
    std::vector<std::weak_ptr<player>> left(members.begin(), members.end());
    members.clear();
    for (const auto& m : left) {
      while (!m.expired()) std::this_thread::yield();
    }
  }

  const curfew::coordinator_report& stop() { return report = them.stop(); }

  world w;
  shape form;
  std::vector<std::shared_ptr<player>> members;
  std::unique_ptr<curfew::coordinator> own = std::make_unique<curfew::coordinator>(w.clock);
  curfew::coordinator& them = *own;
  curfew::coordinator_report report;
};

std::string told(const curfew::coordinator_report& r) { return to_text(r); }

/// Its answer was on its way to the coordinator when the time of all was over: somebody who was
/// asked together with it is late. It counts as silent, which is so.
bool overtaken(const fleet& f, std::size_t i) {
  const auto& asked = f.report.members[i].asked;
  if (asked.empty() || asked.back().answer.word != member_word::silent) return false;
  const auto step = static_cast<std::size_t>(asked.back().step);
  if (f.members[i]->script[step] == deed::deafen) return false;
  bool by_a_peer = false;
  for (const std::size_t p : f.form.peers[i]) {
    const deed what = f.members[p]->script[step];
    by_a_peer = by_a_peer || what == deed::hang || what == deed::deafen;
  }
  CHECK(by_a_peer);
  return true;
}

/// Before anything of `who` begins in that step, that of all `others` who do it has ended.
void check_order(const fleet& f, fleet_step step, const std::vector<noted>& log) {
  for (std::size_t user = 0; user != names.size(); ++user) {
    for (const std::size_t used : f.form.after[user]) {
      const std::size_t first = step == fleet_step::abort ? used : user;
      const std::size_t second = step == fleet_step::abort ? user : used;
      const auto at = [&](std::size_t who, bool begins) {
        return std::find_if(log.begin(), log.end(), [&](const noted& n) {
          return n.who == who && n.step == step && n.begins == begins;
        });
      };
      if (at(first, true) == log.end() || at(second, true) == log.end()) continue;
      const deed what = f.members[first]->script[static_cast<std::size_t>(step)];
      CHECK(at(first, true) < at(second, true));
      if (what == deed::deafen || what == deed::fling) continue;  // its end is not noted in time
      CHECK(at(first, false) < at(second, true));
    }
  }
}

/// The report says what was asked, no more and no less, and of each member what is so.
void check_report(const fleet& f, const std::vector<noted>& log) {
  const curfew::coordinator_report& r = f.report;
  REQUIRE(r.members.size() == names.size());
  for (std::size_t i = 0; i != names.size(); ++i) {
    const curfew::member_report& m = r.members[i];
    CHECK(m.name == names[i]);
    std::vector<fleet_step> asked, noted_ones;
    for (const auto& e : m.asked) asked.push_back(e.step);
    for (const noted& n : log)
      if (n.who == i && n.begins) noted_ones.push_back(n.step);
    CHECK(asked == noted_ones);
    if (overtaken(f, i)) continue;
    const condition is = f.members[i]->state;
    switch (m.fate) {
      case member_fate::untouched:
        CHECK(asked.empty());
        CHECK(is == condition::up);
        break;
      case member_fate::absent: CHECK(is == condition::dead); break;
      case member_fate::refused: CHECK(is == condition::up); break;
      case member_fate::resumed:  // it has said so, and may have died since
        CHECK((is == condition::up || f.members[i]->script[2] == deed::die_after));
        break;
      case member_fate::stopped: CHECK((is == condition::down || is == condition::dead)); break;
      case member_fate::died: CHECK(is == condition::dead); break;
      case member_fate::in_doubt: CHECK(r.outcome == fleet_outcome::aborted); break;
      case member_fate::left:
        CHECK(is != condition::down);
        CHECK(r.outcome == fleet_outcome::partly);
        break;
    }
  }
}

/// All or nothing, and nobody is asked the same twice.
void check_unity(const fleet& f, const std::vector<noted>& log) {
  const bool aborted = f.report.outcome == fleet_outcome::aborted;
  for (std::size_t i = 0; i != names.size(); ++i) {
    const auto count = [&](fleet_step step) {
      return std::count_if(log.begin(), log.end(), [&](const noted& n) {
        return n.who == i && n.step == step && n.begins;
      });
    };
    const auto& asked = f.report.members[i].asked;
    const member_word first = asked.empty() ? member_word::no : asked[0].answer.word;
    const bool may_be_prepared = first == member_word::yes || first == member_word::failed;
    const bool known_dead = f.report.members[i].fate == member_fate::died;
    CHECK(count(fleet_step::prepare) <= 1);
    CHECK(count(fleet_step::commit) == (aborted ? 0 : 1));
    if (!aborted) CHECK(count(fleet_step::abort) == 0);
    if (aborted && !known_dead) CHECK(count(fleet_step::abort) == (may_be_prepared ? 1 : 0));
  }
}

void check_all(fleet& f) {
  std::vector<noted> log;
  {
    const std::lock_guard guard(f.w.lock);
    log = f.w.log;
  }
  INFO(told(f.report));
  for (const fleet_step step : all_steps) check_order(f, step, log);
  check_report(f, log);
  check_unity(f, log);
}

/// What becomes of a stop in which one member does this, and all others do as they are told.
fleet_outcome outcome_of(fleet_step step, deed what) {
  if (what == deed::obey) return fleet_outcome::stopped;
  if (step == fleet_step::prepare) return fleet_outcome::aborted;
  return what == deed::die || what == deed::die_after ? fleet_outcome::stopped
                                                      : fleet_outcome::partly;
}

}  // namespace

TEST_CASE("whatever one member does in a prepare or a commit the fleet stops as one or goes on") {
  for (const shape& form : shapes) {
    for (std::size_t who = 0; who != names.size(); ++who) {
      for (const fleet_step step : {fleet_step::prepare, fleet_step::commit}) {
        for (const deed what : all_deeds) {
          CAPTURE(form.name);
          CAPTURE(names[who]);
          CAPTURE(to_string(step));
          CAPTURE(static_cast<int>(what));
          fleet f(form);
          f.members[who]->script[static_cast<std::size_t>(step)] = what;
          f.stop();
          check_all(f);
          CHECK(f.report.outcome == outcome_of(step, what));
          const bool clean =
              what == deed::obey || (step == fleet_step::commit && what == deed::die_after);
          CHECK(f.report.ok() == clean);
          const bool blamed = f.report.outcome == fleet_outcome::aborted;
          if (std::none_of(f.form.peers[who].begin(), f.form.peers[who].end(),
                           [&](std::size_t p) { return overtaken(f, p); }))
            CHECK(f.report.member == (blamed ? names[who] : ""));
          CHECK(f.report.why.empty() != blamed);
        }
      }
    }
  }
}

TEST_CASE("whatever one member does in an abort the others go on") {
  for (const shape& form : shapes) {
    for (std::size_t refuser = 0; refuser != names.size(); ++refuser) {
      for (std::size_t who = 0; who != names.size(); ++who) {
        for (const deed what : all_deeds) {
          if (who == refuser) continue;
          CAPTURE(form.name);
          CAPTURE(names[refuser]);
          CAPTURE(names[who]);
          CAPTURE(static_cast<int>(what));
          fleet f(form);
          f.w.refuser = refuser;
          f.members[refuser]->script[0] = deed::refuse;
          f.members[who]->script[2] = what;
          f.stop();
          check_all(f);
          CHECK(f.report.outcome == fleet_outcome::aborted);
          CHECK(f.report.member == names[refuser]);
          CHECK(f.report.why == "three payments are open");
          CHECK(f.report.members[refuser].fate == member_fate::refused);
        }
      }
    }
  }
}

TEST_CASE("all who agreed are told to stop when two of them die at once") {
  fleet f(shapes[0]);
  f.members[1]->before = [&](fleet_step step, const curfew::member_call&) {
    if (step == fleet_step::commit) {
      f.members[1]->state = condition::dead;
      f.members[0]->state = condition::dead;
    }
  };
  f.stop();
  check_all(f);
  CHECK(f.report.outcome == fleet_outcome::stopped);
  CHECK_FALSE(f.report.ok());
  CHECK(f.report.members[0].fate == member_fate::died);
  CHECK(f.report.members[2].fate == member_fate::stopped);
}

TEST_CASE("a prepared member that dies while others are still asked is a reason to go on") {
  fleet f(shapes[0]);
  f.members[0]->before = [&](fleet_step step, const curfew::member_call&) {
    if (step == fleet_step::prepare) f.members[2]->state = condition::dead;
  };
  f.stop();
  check_all(f);
  CHECK(f.report.outcome == fleet_outcome::aborted);
  CHECK(f.report.member == "web");
  CHECK(f.report.why == "it has ended by itself");
  CHECK(f.report.members[2].fate == member_fate::died);
  CHECK(f.report.members[0].fate == member_fate::resumed);
}

TEST_CASE("an optional member that is not there keeps nobody from being stopped") {
  for (const bool optional : {true, false}) {
    fleet f(shapes[0]);
    const auto absent = std::make_shared<player>(f.w, 0u);
    absent->state = condition::dead;
    f.them.add("cache", absent, {.after = {"database"}, .optional = optional});
    f.stop();
    CHECK(f.report.ok() == optional);
    CHECK(f.report.members[3].asked.size() == 1);
    CHECK(f.report.members[3].fate == (optional ? member_fate::absent : member_fate::died));
    CHECK(f.members[0]->state == (optional ? condition::down : condition::up));
  }
}

TEST_CASE("an optional member that is there has a say") {
  fleet f(shapes[0]);
  const auto there = std::make_shared<player>(f.w, 0u);
  there->script[0] = deed::refuse;
  f.them.add("cache", there, {.after = {"database"}, .optional = true});
  CHECK(f.stop().outcome == fleet_outcome::aborted);
  CHECK(f.report.member == "cache");
}

TEST_CASE("a wish to call it off counts until the first member is told to stop") {
  for (const shape& form : shapes) {
    for (std::size_t who = 0; who != names.size(); ++who) {
      for (const fleet_step when : {fleet_step::prepare, fleet_step::commit}) {
        fleet f(form);
        curfew::stop_source wish;
        f.members[who]->before = [&](fleet_step step, const curfew::member_call&) {
          if (step == when) wish.request_stop({curfew::stop_cause::signal, 15});
        };
        f.report = f.them.stop(1h, wish.get_token());
        check_all(f);
        const bool heard = when == fleet_step::prepare;
        CHECK(f.report.outcome == (heard ? fleet_outcome::aborted : fleet_outcome::stopped));
        CHECK(f.report.member.empty());
        if (heard) CHECK(f.report.why == "it is called off: signal SIGTERM");
      }
    }
  }
}

TEST_CASE("a wish that comes at any moment leaves all stopped or all going on") {
  for (int i = 0; i != 60; ++i) {
    fleet f(shapes[static_cast<std::size_t>(i) % shapes.size()]);
    curfew::stop_source wish;
    std::atomic<bool> begun{false};
    f.members[2]->before = [&](fleet_step, const curfew::member_call&) { begun = true; };
    std::thread other([&] {
      while (!begun) std::this_thread::yield();
      for (int turn = 0; turn < i / 3; ++turn) std::this_thread::yield();
      wish.request_stop();
    });
    f.report = f.them.stop(1h, wish.get_token());
    other.join();
    check_all(f);
    CHECK(f.report.outcome != fleet_outcome::partly);
    for (const auto& m : f.members)
      CHECK(m->state == (f.report.ok() ? condition::down : condition::up));
  }
}

TEST_CASE("a wish that is there from the beginning has nobody asked") {
  fleet f(shapes[0]);
  curfew::stop_source wish;
  wish.request_stop();
  f.report = f.them.stop(1h, wish.get_token());
  check_all(f);
  CHECK(f.w.log.empty());
  CHECK(f.report.outcome == fleet_outcome::aborted);
}

TEST_CASE("a budget that is spent while members are asked calls it off") {
  fleet f(shapes[0]);
  f.members[1]->before = [&](fleet_step step, const curfew::member_call& call) {
    if (step != fleet_step::prepare) return;
    CHECK(call.limit.remaining() == 3s);
    f.w.clock.advance(3s);
  };
  f.report = f.them.stop(3s);
  check_all(f);
  CHECK(f.report.outcome == fleet_outcome::aborted);
  CHECK(f.report.why == "the time for it is spent");
}

TEST_CASE("what is left of the budget is divided among those that stop one after the other") {
  using duration = curfew::time_source::duration;
  const auto times = [](duration budget, duration lease) {
    fleet f(shapes[0]);
    std::vector<duration> left;
    for (const auto& m : f.members) {
      m->before = [&](fleet_step step, const curfew::member_call& call) {
        if (step == fleet_step::prepare) CHECK(call.lease == lease);
        if (step == fleet_step::commit) left.push_back(call.limit.remaining());
      };
    }
    f.members[2]->script[1] = deed::deafen;
    f.report = f.them.stop(budget);
    check_all(f);
    CHECK(f.report.outcome == fleet_outcome::partly);
    return left;
  };
  // Their tokens leave a tenth of it for giving them up.
  CHECK(times(45s, 45s + 9s) == std::vector<duration>{13'500ms, 13'500ms, 27s});
  // Also when nothing is left all are told, and have a tenth of their own time.
  CHECK(times(9ms, 9ms + 9s) == std::vector<duration>{2'700ms, 2'700ms, 2'700ms});
}

TEST_CASE("a lease lasts as long as the longest way through both waves") {
  fleet f(shapes[1]);
  f.members[0]->before = [&](fleet_step step, const curfew::member_call& call) {
    if (step == fleet_step::prepare) CHECK(call.lease == 2 * 10s + 2 * 30s + 6s);
  };
  CHECK(f.stop().ok());
}

TEST_CASE("members that do not depend on each other are asked at the same time") {
  fleet f(shapes[1]);
  std::atomic<int> in_prepare{0};
  for (const std::size_t leaf : {1u, 2u}) {
    f.members[leaf]->before = [&](fleet_step step, const curfew::member_call&) {
      if (step != fleet_step::prepare) return;
      ++in_prepare;
      while (in_prepare != 2) std::this_thread::yield();
    };
  }
  CHECK(f.stop().ok());
}

TEST_CASE("a refusal cuts the prepares of the others short") {
  fleet f(shapes[1]);
  f.members[1]->script[0] = deed::refuse;
  f.members[2]->before = [&](fleet_step step, const curfew::member_call& call) {
    if (step == fleet_step::prepare) CHECK(call.limit.wait());
  };
  f.stop();
  check_all(f);
  CHECK(f.report.outcome == fleet_outcome::aborted);
  CHECK(f.report.member == "orders");
  CHECK(f.report.members[0].fate == member_fate::untouched);
  CHECK(f.report.members[2].fate == member_fate::resumed);
}

TEST_CASE("a change has the number that it is given or one of its own") {
  fleet f(shapes[0]);
  std::vector<std::string> seen;
  for (const auto& m : f.members) {
    m->before = [&](fleet_step, const curfew::member_call& call) {
      const std::lock_guard guard(f.w.lock);
      seen.emplace_back(call.change);
    };
  }
  CHECK(f.them.stop(1h, {}, "deploy 42").change == "deploy 42");
  CHECK(seen == std::vector<std::string>(6, "deploy 42"));
  seen.clear();
  const std::string own = f.stop().change;
  CHECK_FALSE(own.empty());
  CHECK(seen == std::vector<std::string>(6, own));
}

TEST_CASE("a stop that was aborted can be tried again") {
  fleet f(shapes[0]);
  f.members[0]->script[0] = deed::refuse;
  CHECK(f.stop().outcome == fleet_outcome::aborted);
  f.members[0]->script[0] = deed::obey;
  CHECK(f.stop().ok());
}

TEST_CASE("an abort is told why") {
  fleet f(shapes[0]);
  f.members[1]->script[0] = deed::refuse;
  std::string why;
  f.members[2]->before = [&](fleet_step step, const curfew::member_call& call) {
    if (step == fleet_step::abort) why = call.why;
  };
  f.stop();
  CHECK(why == "orders: three payments are open");
}

TEST_CASE("a fleet of nobody is stopped") {
  curfew::coordinator them;
  CHECK(them.stop().ok());
}

#if CURFEW_EXCEPTIONS
TEST_CASE("loops and members that are not declared are named") {
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const std::system_error& e) {
      CHECK(e.code() == std::errc::invalid_argument);
      return e.what();
    }
    return "";
  };
  world w;
  const auto member = [&] { return std::make_shared<player>(w, 0u); };
  curfew::coordinator them;
  them.add("web", member(), {.after = {"orders"}});
  CHECK(message([&] { static_cast<void>(them.stop()); }).find("web is after orders") !=
        std::string::npos);
  CHECK(message([&] { them.add("web", member()); }).find("web") != std::string::npos);
  CHECK(message([&] {
          them.add("orders", member(), {.after = {"web"}});
        }).find("web after orders after web") != std::string::npos);
  CHECK_FALSE(message([&] { static_cast<void>(them.stop()); }).empty());
  CHECK(w.log.empty());
}
#endif
