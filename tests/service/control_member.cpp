// SPDX-License-Identifier: BSL-1.0
//
// What a coordinator hears from a process by its control endpoint, whatever that answers.
#include <curfew/service/control_answer.hpp>
#include <curfew/service/control_endpoint.hpp>
#include <curfew/service/detail/control_member.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/service/fleet_member.hpp>
#include <curfew/stop/stop_token.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "control_support.hpp"

using namespace std::chrono_literals;
using curfew::control_answer;
using curfew::control_request;
using curfew::member_answer;
using curfew::member_word;
using curfew::detail::control_member;
using curfew::detail::process_id;

namespace {

/// A program that answers what the test says; it is this process, and so does not end.
struct program {
  explicit program(std::function<control_answer(const control_request&)> f) : answer(std::move(f)) {
    const auto handler = [this](const control_request& r) {
      {
        const std::lock_guard guard(lock);
        asked.push_back(std::string(r.verb) + " " + std::string(r.change) + " " +
                        std::string(r.arguments));
      }
      return answer(r);
    };
    door.emplace(curfew::control_options{.path = place.path()}, handler, audit);
    std::error_code ec;
    door->open(ec);
    REQUIRE_MESSAGE(!ec, ec.message());
  }

  [[nodiscard]] curfew::member_call call(std::int64_t pid = 0) const {
    return {.change = "deploy 7", .lease = 90s, .pid = pid, .limit = token};
  }

  control_place_for_a_test place;
  kept_audit audit;
  std::function<control_answer(const control_request&)> answer;
  std::mutex lock;
  std::vector<std::string> asked;
  curfew::stop_source limit{1min};
  curfew::stop_token token = limit.get_token();
  control_member member{place.path()};
  std::optional<curfew::control_endpoint> door;
};

program saying_yes() {
  return program([](const control_request&) { return control_answer::done(); });
}

}  // namespace

TEST_CASE("a prepare is told its change and its lease and answers with its process") {
  program p = saying_yes();
  const member_answer a = p.member.prepare(p.call());
  CHECK(a.word == member_word::yes);
  CHECK(a.pid == process_id());
  CHECK(p.asked == std::vector<std::string>{R"(prepare deploy 7 {"lease_ms":90000})"});
  CHECK(p.member.is_there());
}

TEST_CASE("a refusal has its reason") {
  program p([](const control_request&) { return control_answer::refused("two are open"); });
  for (const member_answer& a : {p.member.prepare(p.call()), p.member.commit(p.call())}) {
    CHECK(a.word == member_word::no);
    CHECK(a.text == "two are open");
  }
}

TEST_CASE("where no program is there is nobody to be asked") {
  const curfew::stop_token never;
  const control_place_for_a_test place;
  control_member member(place.path());
  const curfew::member_call call{.limit = never};
  CHECK(member.prepare(call).word == member_word::gone);
  CHECK(member.commit(call).word == member_word::gone);
  CHECK(member.abort(call).word == member_word::gone);
}

TEST_CASE("a program that does not answer in time may have heard the question") {
  program* self = nullptr;
  program p([&](const control_request&) {
    self->limit.request_stop();
    return control_answer::done();
  });
  self = &p;
  CHECK(p.member.prepare(p.call()).word == member_word::failed);
  CHECK(p.member.is_there());
}

TEST_CASE("a limit that has passed already asks nothing and waits for nothing") {
  program p = saying_yes();
  p.limit.request_stop();
  CHECK(p.member.prepare(p.call()).word == member_word::failed);
  CHECK(p.member.abort(p.call()).word == member_word::failed);
  CHECK(p.member.commit(p.call()).word == member_word::failed);
}

TEST_CASE("who is told to stop and does not end in time has not stopped") {
  program p = saying_yes();
  REQUIRE(p.member.prepare(p.call()).word == member_word::yes);
  const curfew::stop_source soon(p.token, 1s);  // it is busy, and answers all the same
  const curfew::stop_token limit = soon.get_token();
  const member_answer a = p.member.commit({.pid = process_id(), .limit = limit});
  CHECK(a.word == member_word::failed);
  CHECK(a.text == "it does not end in time");
}

TEST_CASE("where the end of a process cannot be seen it has ended when its endpoint is closed") {
  program* self = nullptr;
  std::thread closer;
  program p([&](const control_request&) {
    closer = std::thread([&] { self->door->close(); });
    return control_answer::done();
  });
  self = &p;
  CHECK(p.member.commit(p.call()).word == member_word::yes);
  closer.join();
}

TEST_CASE("another process in the place of the one that agreed is told nothing") {
  program p = saying_yes();
  const std::int64_t other = process_id() + 1;
  for (const member_answer& a : {p.member.commit(p.call(other)), p.member.abort(p.call(other))}) {
    CHECK(a.word == member_word::gone);
    CHECK(a.text.find("has taken its place") != std::string::npos);
  }
  CHECK(p.asked.empty());
}

TEST_CASE("an abort that is refused because nothing is prepared leaves it going on") {
  std::string phase = "up";
  program p([&](const control_request& r) {
    return r.verb == "status" ? control_answer::done(R"({"phase":")" + phase + "\"}")
                              : control_answer::refused("nothing is prepared");
  });
  CHECK(p.member.abort(p.call()).word == member_word::yes);
  phase = "stopping";
  const member_answer a = p.member.abort(p.call());
  CHECK(a.word == member_word::no);
  CHECK(a.text == "nothing is prepared");
}

namespace {

/// Answers a prepare when it may, and refuses so many aborts.
struct late_program {
  explicit late_program(int refusals)
      : left(refusals), p([this](const control_request& r) {
          if (r.verb == "status") return control_answer::done(R"({"phase":"up"})");
          if (r.verb == "abort")
            return left-- > 0 ? control_answer::refused("nothing is prepared")
                              : control_answer::done();
          while (!over) std::this_thread::sleep_for(1ms);
          return control_answer::done();
        }) {
    const curfew::stop_source soon(50ms);
    const curfew::stop_token limit = soon.get_token();
    CHECK(p.member.prepare({.change = "deploy 7", .lease = 90s, .limit = limit}).word ==
          member_word::failed);
  }
  ~late_program() { over = true; }

  std::atomic<bool> over{false};
  std::atomic<int> left;
  program p;
};

}  // namespace

TEST_CASE(
    "an abort that is refused after a prepare that was not heard does not say that it goes on") {
  late_program late(1000);
  CHECK(late.p.member.abort(late.p.call()).word == member_word::failed);
}

TEST_CASE("an abort that comes before its prepare is asked for again") {
  late_program late(2);
  CHECK(late.p.member.abort(late.p.call()).word == member_word::yes);
  CHECK(late.left == -1);
}

TEST_CASE("who finds all places taken comes again to say what was agreed") {
  control_place_for_a_test place;
  kept_audit audit;
  const auto answer = [](const control_request& r) {
    return control_answer::refused("heard " + std::string(r.verb));
  };
  curfew::control_endpoint door({.path = place.path(), .clients = 1}, answer, audit);
  door.open();
  const curfew::stop_token limit = a_minute();
  for (const bool commits : {true, false}) {
    std::unique_ptr<rude_client> other;
    do {  // whoever was there before may be about to leave
      other = std::make_unique<rude_client>(place.path());
      static_cast<void>(other->say(curfew::detail::framed(R"({"curfew":1,"verb":"status"})")));
    } while (other->hear().find("heard status") == std::string::npos);
    std::thread leaves([&] {
      std::this_thread::sleep_for(200ms);
      other.reset();
    });
    control_member member(place.path());
    const curfew::member_call call{.change = "deploy 7", .limit = limit};
    const member_answer a = commits ? member.commit(call) : member.abort(call);
    leaves.join();
    CHECK(a.text == (commits ? "heard commit" : "heard abort"));
  }
}
