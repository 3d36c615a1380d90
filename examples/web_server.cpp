// SPDX-License-Identifier: BSL-1.0
//
// A small real HTTP/1.1 server that stops on time, under whoever runs it: a terminal, a container,
// systemd, the service manager of Windows. It is made of five components, which come up in the
// order of their needs, and go down in this one:
//
//   at once        /readyz says 503 while /livez stays 200, and answers say "Connection: close";
//   listener       stays open for the lame duck time, so that load balancers look away, and closes;
//                  requests in flight are finished, and cut when their time is spent; idle and
//                  silent connections are closed at once;
//   cache warmer   beside that: nothing has to be rendered any more;
//   database pool  when the last request has given its connection back;
//   access log     is written out: whatever comes before may have something to say;
//   configuration  nothing to do.
//
// A second Ctrl-C cuts what is in flight, and one typed at a terminal skips the lame duck time.
// Who takes too long is named, at half, nine tenths and all of its time; try --hang "cache warmer".
//
//   web_server --port 8080                          in the foreground
//   web_server plan                                 whether a stop fits into the time there is
//   web_server install -- --port 8080               as a service; then: web_server start
//
// Build: g++ -std=c++20 -O2 -pthread -Iinclude examples/web_server.cpp -o web_server
// MinGW: the same with -static and, at the end, -lws2_32.
#include "web/access_log.hpp"
#include "web/cache.hpp"
#include "web/configuration.hpp"
#include "web/database.hpp"
#include "web/host.hpp"
#include "web/listener.hpp"
#include "web/options.hpp"
#include "web/site.hpp"
#include "web/specification.hpp"
#include "web/system.hpp"
#include "web/traffic.hpp"

#include <curfew/service/audit_log.hpp>
#include <curfew/service/components.hpp>
#include <curfew/service/health.hpp>
#include <curfew/service/presets.hpp>
#include <curfew/service/service_main.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using curfew::component, curfew::lifecycle, curfew::service, curfew::severity, curfew::step;
using web::options, web::tcp_socket;

// What the components are about, and how they are brought up and down. Lives in main.
class web_server final : public curfew::event_sink {
 public:
  explicit web_server(const options& chosen) : chosen_(chosen) {}

  // False: it cannot be written.
  bool open_audit() {
    std::error_code error;
    if (!chosen_.audit.empty()) audit_.emplace(chosen_.audit, error, audit_options);
    return !error;
  }

  // For a run, or, without a service, for a look at the plan.
  void declare(lifecycle& parts, service* self) {
    if (self != nullptr) watch(parts, *self);
    const auto add = [&](curfew::label name, component c) {
      if (name.text == chosen_.hang) c.stop = hang;
      parts.add(name, std::move(c));
    };
    add("configuration", {.start = [this](step& s) { configure(s); }});
    add("access log", access_log());
    add("database pool", database_pool());
    add("cache warmer", cache_warmer());
    add("listener", listener());
  }

  curfew::health_report look() { return health_->ask(curfew::health_probe::readiness); }

 private:
  // Ready is what has all its components up, and a database that answers.
  void watch(lifecycle& parts, service& self) {
    self_ = &self;
    health_.emplace(self.token());
    health_->watch(parts);
    health_->add("database",
                 [this](const curfew::stop_token& until) { return db_.answers(until); });
  }

  // ---- configuration: what a reload reads anew

  void configure(step& s) {
    if (!settings_.load(chosen_.greeting, chosen_.greeting_file))
      return s.fail("cannot read " + chosen_.greeting_file);
    self_->on_reload([this] { reload(); });
    self_->on_user_code([this](int code) {
      if (code == 128) self_->log().write(severity::info, curfew::to_string(look()));
    });
  }

  void reload() {
    if (!settings_.load(chosen_.greeting, chosen_.greeting_file))
      warn("the greeting cannot be read anew: the old one stays");
    if (!log_.reopen()) warn("the access log cannot be opened anew: the old one stays");
    std::error_code error;
    if (audit_) audit_->reopen(error);
    if (error) warn("the audit file cannot be opened anew: the old one stays");
    if (cache_.warm()) render_pages({});
  }

  // ---- access log: a sink, so everybody else is stopped before it

  component access_log() {
    const auto open = [this](step& s) {
      if (!log_.open(chosen_.access_log)) s.fail("cannot write to " + chosen_.access_log);
    };
    const auto close = [this] {
      const std::string count = std::to_string(log_.written());
      if (served_) web::say("access log written with " + count + " requests");
    };
    component c = curfew::sink_preset{.after = {"configuration"},
                                      .lines = log_.lines(),
                                      .open = open,
                                      .close = close,
                                      .timeout = share(0.03)};
    c.abort_timeout = share(0.02);
    return c;
  }

  // ---- database pool: closes when all connections are back

  component database_pool() {
    const auto close = [this] {
      const std::string busy = std::to_string(db_.lent().count());
      if (served_) web::say("database closed with " + busy + " queries in flight");
    };
    return curfew::connection_pool_preset{
        .lent = db_.lent(), .close = close, .timeout = share(0.04)};
  }

  // ---- cache warmer: nobody is answered before the pages are there; a pause takes them away

  component cache_warmer() {
    component c;
    c.after = {"database pool"};
    c.start = [this](step& s) {
      if (!web::count_down(s, "warming up", chosen_.warm_up)) return;
      if (!render_pages(s.token())) return s.fail("the database does not answer");
      cache_.set_warm(true);
    };
    c.stop = [this] { cache_.set_warm(false); };
    c.start_timeout = 30s + chosen_.warm_up;
    c.stop_timeout = share(0.03);
    c.pausable = true;
    return c;
  }

  bool render_pages(const curfew::stop_token& until) {
    if (!db_.answers(until)) return false;
    cache_.put("/", settings_.greeting() + "\n");
    return true;
  }

  // ---- listener, and the requests that have come in by it

  component listener() {
    component c =
        curfew::listener_preset{.after = {"database pool"},
                                .open = [this](step& s) { open_door(s); },
                                .close = [this](step& s) { close_door(s); },
                                .work = clients_,
                                .cancel = [this] { clients_.cut(self_->token().reason()); },
                                .drain_timeout = share(0.77),
                                .stop_timeout = share(0.03)};
    // What takes its time is watched by /livez; else who is in the queue already waits for it.
    if (chosen_.warm_up.count() == 0)
      c.start_when = {.text = "a warm cache", .holds = [this] { return cache_.warm(); }};
    return c;
  }

  // The one that systemd has opened for us, or else our own.
  void open_door(step& s) {
    std::error_code error;
    tcp_socket socket = web::passed_socket(*self_);
    if (!socket)
      socket = web::listen_on(static_cast<std::uint16_t>(chosen_.port), web::backlog, error);
    if (error) {
      return s.fail("cannot listen on port " + std::to_string(chosen_.port) + ": " +
                    error.message() + "; stop its user, or take another with --port (0: any)");
    }
    clients_.open();
    const web::site here{log_, db_, cache_, clients_, *health_, self_->token()};
    door_.emplace(*self_, here, std::move(socket));
    port_ = door_->port();
    deaf_.emplace(door_->ended(), failure{s.self()});
  }

  // At the beginning of a drain, and of a stop that comes without one.
  void close_door(step& s) {
    const bool drains = s.what() == curfew::component_step::drain;
    if (drains && served_ && !web::is_typed(self_->token().reason()))
      (void)web::count_down(s, "lame duck", chosen_.lame_duck);
    if (door_) door_->close();
  }

  // When nobody accepts any more, though nobody has closed the door.
  struct failure {
    curfew::component_link link;
    void operator()() const noexcept { link.fail("it does not accept any more"); }
  };

  // ---- the rest

  // What is kept of it all, and said when all are up.
  void write(const curfew::lifecycle_event& e) noexcept override {
    if (audit_) audit_->write(e);
    if (e.kind != curfew::event_kind::ready) return;
    served_ = true;
    web::say("listening on http://127.0.0.1:" + std::to_string(port_));
  }
  bool flush(const curfew::stop_token& limit) noexcept override {
    return !audit_ || audit_->flush(limit);
  }

  void warn(const char* what) { self_->log().write(severity::warning, what); }
  web::seconds share(double part) const { return chosen_.stop_timeout * part; }
  [[noreturn]] static void hang() {
    for (;;) std::this_thread::sleep_for(1h);
  }

  static inline const curfew::audit_options audit_options{.service = "web_server"};

  const options& chosen_;
  std::optional<curfew::audit_log> audit_;
  service* self_ = nullptr;
  web::configuration settings_;
  web::access_log log_;
  web::database_pool db_{1000};
  web::page_cache cache_;
  web::traffic clients_;
  std::optional<curfew::health> health_;
  std::optional<web::listener> door_;
  std::optional<curfew::stop_callback<failure>> deaf_;
  std::atomic<unsigned> port_{0};
  std::atomic<bool> served_{false};  // it has been ready
};

// Components, and before them the arguments: who starts a Windows service may add some of its own.
template <class Components>
struct program {
  int operator()(service& self) {
    if (wrong.empty()) wrong = web::read_options(self.args().subspan(1 + own), chosen);
    const bool understood = wrong.empty();
    if (understood && !server.open_audit()) wrong = "cannot write to " + chosen.audit;
    if (wrong.empty()) return components(self);
    if (!understood && self.host() == curfew::host_kind::console) web::complain(web::usage);
    self.log().write(severity::error, wrong);
    return understood ? 1 : 2;
  }
  auto parts() { return components.parts(); }
  auto recording() const { return components.recording(); }
  auto control_path() const { return components.control_path(); }

  web_server& server;
  options& chosen;
  std::string wrong;
  std::size_t own;
  Components components;
};

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  const auto own = curfew::own_arguments(argc, argv);
  const std::string wrong = web::read_options(own, chosen);
  if (chosen.help) return web::say(web::usage), 0;
  if (!wrong.empty() && curfew::names_verb(argc, argv)) return web::complain(wrong), 2;
  web::prepare_sockets();
  web_server server(chosen);
  auto components = curfew::components(
      [&](lifecycle& parts, service* self) { server.declare(parts, self); },
      {.recording = chosen.recording,
       .sinks = {&server},
       .control = {.path = chosen.control,
                   .health = [&] { return curfew::reply(server.look()).body; }}});
  return curfew::service_main(
      web::specify(wrong.empty() ? chosen : options{}), argc, argv,
      program<decltype(components)>{server, chosen, wrong, own.size(), std::move(components)});
}
