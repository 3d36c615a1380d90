// SPDX-License-Identifier: BSL-1.0
#include <curfew/interop/senders.hpp>

#include "doctest/doctest.h"

#include <curfew/stop/stop_token.hpp>
#include <curfew/testing/manual_clock.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

// Of a library of senders no more than this needs: queries, environments, one sender.
namespace other {

using namespace std::chrono_literals;

struct get_stop_token_t {
  template <class Env>
  constexpr auto operator()(const Env& env) const noexcept {
    if constexpr (requires { env.query(*this); }) {
      return env.query(*this);
    } else {
      return curfew::never_stop_token();
    }
  }
};
inline constexpr get_stop_token_t get_stop_token{};

struct get_name_t {};

template <class Receiver>
auto get_env(const Receiver& r) {
  return r.get_env();
}

// Completes when its receiver's token stops; the operation holds nothing but the callback.
template <class Receiver>
class until_stopped {
 public:
  explicit until_stopped(Receiver r) : receiver_(std::move(r)) {}
  void start() noexcept { on_stop_.emplace(get_stop_token(get_env(receiver_)), done{this}); }

 private:
  struct done {
    until_stopped* self;
    void operator()() const noexcept { self->receiver_.set_stopped(); }
  };
  using token = decltype(get_stop_token(get_env(std::declval<const Receiver&>())));

  Receiver receiver_;
  std::optional<typename token::template callback_type<done>> on_stop_;
};

// A receiver that is given an environment and counts.
template <class Env>
struct counting {
  counting(Env e, int* s) : env(std::move(e)), stopped(s) {}
  Env env;
  int* stopped;
  Env get_env() const { return env; }
  void set_stopped() noexcept { ++*stopped; }
};

// Somebody's token, which is none of curfew's.
class flag {
 public:
  class token {
   public:
    template <class F>
    class callback_type {
     public:
      explicit callback_type(token t, F f) : flag_(t.flag_), f_(std::move(f)) {
        if (flag_->set) f_();
        flag_->call = [](void* me) { static_cast<callback_type*>(me)->f_(); };
        flag_->self = this;
      }
      callback_type(const callback_type&) = delete;
      callback_type& operator=(const callback_type&) = delete;
      ~callback_type() { flag_->call = nullptr; }

     private:
      flag* flag_;
      F f_;
    };

    explicit token(flag* owner) : flag_(owner) {}
    [[nodiscard]] bool stop_requested() const noexcept { return flag_->set; }
    [[nodiscard]] bool stop_possible() const noexcept { return true; }
    bool operator==(const token&) const = default;

   private:
    flag* flag_;
  };

  [[nodiscard]] token get_token() { return token(this); }
  void raise() {
    set = true;
    if (call != nullptr) call(self);
  }

 private:
  bool set = false;
  void (*call)(void*) = nullptr;
  void* self = nullptr;
};
static_assert(curfew::stoppable_token<flag::token>);

}  // namespace other

using namespace std::chrono_literals;

namespace {

struct empty_env {};
struct named_env : curfew::stop_env<curfew::inplace_stop_token> {
  using stop_env::query;
  using stop_env::stop_env;
  [[nodiscard]] std::string query(other::get_name_t) const { return "named"; }
};

template <class Env, class Query>
concept answers = requires(const Env& env) {
  env.query(Query());
};

}  // namespace

static_assert(curfew::stoppable_token<curfew::stop_token>);
static_assert(curfew::stoppable_token<curfew::inplace_stop_token>);
static_assert(curfew::unstoppable_token<curfew::never_stop_token>);
static_assert(std::same_as<curfew::stop_token_of_t<curfew::stop_env<curfew::stop_token>>,
                           curfew::stop_token>);
static_assert(std::same_as<curfew::stop_token_of_t<empty_env>, curfew::never_stop_token>);
static_assert(curfew::get_stop_token.query(0));

TEST_CASE("an environment answers with its token") {
  curfew::stop_source source;
  const curfew::stop_env env(source.get_token());
  CHECK(curfew::get_stop_token(env) == source.get_token());
  CHECK_FALSE(answers<decltype(env), other::get_stop_token_t>);
  CHECK_FALSE(answers<decltype(env), other::get_name_t>);
}

TEST_CASE("it answers the query of another library that it was given") {
  curfew::inplace_stop_source source;
  const curfew::stop_env env(source.get_token(), other::get_stop_token);
  CHECK(other::get_stop_token(env) == source.get_token());
  CHECK(curfew::get_stop_token(env) == source.get_token());
  CHECK_FALSE(answers<decltype(env), other::get_name_t>);
}

TEST_CASE("it is a base of environments that answer more") {
  curfew::inplace_stop_source source;
  const named_env env(source.get_token());
  CHECK(curfew::get_stop_token(env) == source.get_token());
  CHECK(env.query(other::get_name_t()) == "named");
}

TEST_CASE("a stop reaches an operation through the environment of its receiver") {
  curfew::stop_source source;
  int stopped = 0;
  other::until_stopped operation(
      other::counting{curfew::stop_env(source.get_token(), other::get_stop_token), &stopped});
  operation.start();
  CHECK(stopped == 0);
  source.request_stop();
  CHECK(stopped == 1);
}

TEST_CASE("an operation that is stopped before its start completes at its start") {
  curfew::inplace_stop_source source;
  source.request_stop();
  int stopped = 0;
  other::until_stopped operation(
      other::counting{curfew::stop_env(source.get_token(), other::get_stop_token), &stopped});
  operation.start();
  CHECK(stopped == 1);
}

TEST_CASE("a receiver without a token never stops") {
  int stopped = 0;
  other::until_stopped operation(other::counting{empty_env(), &stopped});
  operation.start();
  CHECK(stopped == 0);
}

TEST_CASE("the stop of anybodys token reaches a curfew context") {
  other::flag theirs;
  const curfew::from_stoppable_token stop(theirs.get_token());
  CHECK_FALSE(stop.get_token().stop_requested());
  theirs.raise();
  CHECK(stop.get_token().reason().cause == curfew::stop_cause::requested);
  const curfew::from_stoppable_token late(theirs.get_token());
  CHECK(late.get_token().stop_requested());
}

TEST_CASE("with a parent it has a deadline too and after its end nothing passes") {
  curfew::manual_clock clock;
  const curfew::inplace_stop_source parent(clock, 1s);
  other::flag theirs;
  {
    const curfew::from_stoppable_token stop(theirs.get_token(), parent.get_token());
    CHECK(stop.get_token().deadline() == parent.get_token().deadline());
    clock.advance(1s);
    CHECK(stop.get_token().reason().cause == curfew::stop_cause::deadline);
  }
  theirs.raise();
}

TEST_CASE("a context of a token that never stops does not stop") {
  const curfew::from_stoppable_token stop{curfew::never_stop_token()};
  CHECK_FALSE(stop.get_token().stop_requested());
}

TEST_CASE("the end of a context races the stop of the token that it follows") {
  for (int i = 0; i < 1'000; ++i) {
    curfew::stop_source theirs;
    auto stop =
        std::make_unique<curfew::from_stoppable_token<curfew::stop_token>>(theirs.get_token());
    int calls = 0;
    auto callback = std::make_unique<curfew::inplace_stop_callback<std::function<void()>>>(
        stop->get_token(), [&] { ++calls; });
    std::thread stopper([&] { theirs.request_stop(); });
    callback.reset();
    stop.reset();
    stopper.join();
    CHECK(calls <= 1);
  }
}
