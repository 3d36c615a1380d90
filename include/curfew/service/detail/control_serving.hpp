// SPDX-License-Identifier: BSL-1.0
//
// The bodies of a control server.
#ifndef CURFEW_SERVICE_DETAIL_CONTROL_SERVING_HPP
#define CURFEW_SERVICE_DETAIL_CONTROL_SERVING_HPP

#include <curfew/release/detail/attempt.hpp>
#include <curfew/service/detail/control_server.hpp>
#include <curfew/service/detail/error_text.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/park.hpp>

#include <exception>
#include <new>
#include <utility>

CURFEW_BEGIN
namespace detail {

inline control_server::control_server(control_options o, control_handler h, event_sink& audit,
                                      time_source& clock)
    : options_(std::move(o)), handler_(std::move(h)), audit_(audit), clock_(clock) {
  options_.clients = within<std::size_t>(options_.clients, 1, 256);
  while (!unmade_ && places_.size() != options_.clients) places_.emplace_back(unmade_);
}

inline void control_server::open(const std::shared_ptr<control_server>& self, std::error_code& ec) {
  control_server& s = *self;
  ec = s.unmade_;
  if (s.is_a_copy()) ec = std::make_error_code(std::errc::operation_not_permitted);
  if (!ec) s.listener_.open(s.options_.path, ec);
  if (ec) return;
  s.door_keeps_ = self;
  if (!s.door_.start(&control_server::door_entry, &s, ec)) s.close();
}

// ---- letting in

inline void control_server::door_entry(void* self) noexcept {
  auto& s = *static_cast<control_server*>(self);
  s.admit_all(s.door_keeps_);
}

inline void control_server::admit_all(const std::shared_ptr<control_server>& self) noexcept {
  while (!closing()) {
    if (listener_.accept(lobby_) != control_io::done) continue;
    static_cast<void>(attempt([&] { admit(self); }));
    lobby_.drop();
  }
}

inline void control_server::admit(const std::shared_ptr<control_server>& self) {
  control_peer peer;
  const bool known = control_connection::knows_peer_at_once;
  if (known && turned_away(peer)) return;
  const bool stranger = known && !peer.same_user && !peer.administrator;
  control_place* const p = free_place(stranger);
  if (p == nullptr) {
    const std::string text = framed(answer_text(control_answer::refused(no_place_left)));
    static_cast<void>(lobby_.write(text.data(), text.size(), control_limit({})));
    return;
  }
  p->link.adopt(lobby_);
  p->peer = std::move(peer);
  p->known = known;
  p->stranger = stranger;
  start_visit(self, *p);
}

inline bool control_server::turned_away(control_peer& peer) {
  if (!lobby_.identify(peer)) return true;
  if (options_.strangers || peer.same_user || peer.administrator) return false;
  control_request r = request_of(peer);
  r.verb = "connect";
  tell(r, default_policy(r));
  return true;
}

inline control_place* control_server::free_place(bool stranger) noexcept {
  control_place* found = nullptr;
  std::size_t strangers = 0;
  for (control_place& p : places_) {
    const bool taken = p.taken.load(std::memory_order_acquire);
    if (taken && p.stranger) ++strangers;
    if (!taken) found = &p;
  }
  const bool full = stranger && strangers >= options_.clients - (options_.clients + 3) / 4;
  return full ? nullptr : found;
}

/// A thread that has left its place is at its end, and so soon joined.
inline void control_server::start_visit(const std::shared_ptr<control_server>& self,
                                        control_place& p) noexcept {
  if (p.worker.joinable()) p.worker.join();
  std::error_code ec;
  auto* const v = new (std::nothrow) visit{self, &p};
  p.taken.store(v != nullptr, std::memory_order_relaxed);
  if (v != nullptr && p.worker.start(&control_server::visit_entry, v, ec)) return;
  delete v;
  p.link.drop();
  p.taken.store(false, std::memory_order_relaxed);
}

// ---- talking

inline void control_server::visit_entry(void* opaque) noexcept {
  const std::unique_ptr<visit> v(static_cast<visit*>(opaque));
  control_server& s = *v->server;
  static_cast<void>(attempt([&] { s.talk(*v->place); }));
  v->place->watching.store(false);
  v->place->link.drop();
  v->place->taken.store(false, std::memory_order_release);
  s.left_.fetch_add(1, std::memory_order_release);
  unpark_all(s.left_);
}

inline void control_server::talk(control_place& p) {
  std::string text;
  duration patience = options_.patience;
  while (read_request(p, patience, text) && serve(p, text)) patience = options_.idle;
}

/// A length is believed only as far as a request may be long.
inline bool control_server::read_request(control_place& p, duration patience, std::string& text) {
  const control_time silent_until = control_limit(patience);
  control_io io = control_io::rung;
  while (io == control_io::rung && !closing()) io = p.link.wait(silent_until);
  if (io != control_io::done) return false;
  const control_time limit = control_limit(options_.patience);
  frame_head head{};
  if (p.link.read(head.data(), head.size(), limit) != control_io::done) return false;
  const std::size_t size = size_of_frame(head);
  if (size > most_of_a_request) {
    static_cast<void>(send(p, answer_text(control_answer::refused(
                                  "the request is too long: it has at most " +
                                  std::to_string(most_of_a_request) + " bytes; shorten it"))));
    return false;
  }
  text.resize(size);
  return p.link.read(text.data(), size, limit) == control_io::done;
}

/// False: there is nothing more to say to this client.
inline bool control_server::serve(control_place& p, const std::string& text) {
  if (!p.known && !p.link.identify(p.peer)) return false;
  p.known = true;
  control_order order;
  const bool clear = read_order(text, order);
  control_request r = request_of(p.peer);
  r.verb = order.verb;
  r.change = order.change;
  r.arguments = order.arguments;
  const control_decision d =
      clear ? decide(r)
            : control_decision::deny(
                  "this is no request of version 1: that is a JSON object with the members "
                  "curfew and verb; send one");
  tell(r, d);
  if (!d.allowed) return send(p, answer_text(control_answer::refused(d.why))) && clear;
  if (r.verb == "watch") return watch(p);
  return send(p, answer_text(handle(r)));
}

inline control_decision control_server::decide(const control_request& r) const noexcept {
  const bool known = options_.strangers || r.same_user || r.administrator;
  const bool own = known && options_.policy;
  control_decision d;
  const std::exception_ptr error =
      attempt([&] { d = own ? options_.policy(r) : default_policy(r); });
  if (error == nullptr) return d;
  d.allowed = false;
  static_cast<void>(attempt([&] { d.why = "the policy failed: " + error_text(error).str(); }));
  return d;
}

inline control_answer control_server::handle(const control_request& r) const {
  control_answer a;
  const std::exception_ptr error = attempt([&] { a = handler_(r); });
  return error == nullptr ? a : control_answer::refused(error_text(error).str());
}

inline bool control_server::send(control_place& p, const std::string& text) noexcept {
  control_io io = control_io::closed;
  static_cast<void>(attempt([&] {
    const std::string frame = framed(text);
    io = p.link.write(frame.data(), frame.size(), control_limit(options_.patience));
  }));
  return io == control_io::done;
}

/// Until the client says or does anything, or the endpoint closes and all has been passed on.
inline bool control_server::watch(control_place& p) {
  p.watching.store(true);
  std::uint64_t place = events_.end();
  bool goes_on = send(p, answer_text(control_answer::done()));
  while (goes_on) {
    const bool last = closing();
    goes_on = pass_on(p, place) && !last &&
              (closing() || p.link.wait((control_time::max)()) == control_io::rung);
  }
  return false;
}

inline bool control_server::pass_on(control_place& p, std::uint64_t& place) {
  stored_event e;
  std::uint64_t lost = 0;
  while (events_.read(place, e, lost)) {
    if (lost != 0 && !send(p, lost_json(lost))) return false;
    if (!send(p, event_json(e.get()))) return false;
  }
  return true;
}

inline void control_server::write(const lifecycle_event& e) noexcept {
  events_.write(e);
  for (control_place& p : places_)
    if (p.watching.load()) p.link.ring();
}

// ---- audit

inline void control_server::tell(const control_request& r, const control_decision& d) noexcept {
  std::uint64_t untold = 0;
  if (!d.allowed && !refusals_.take(std::chrono::steady_clock::now(), untold)) return;
  tell_now(r, d, untold);
}

inline void control_server::tell_now(const control_request& r, const control_decision& d,
                                     std::uint64_t untold) noexcept {
  std::string why;
  static_cast<void>(attempt([&] {
    why = d.why;
    if (untold != 0) why += " (" + std::to_string(untold) + " more have been denied before)";
  }));
  const std::lock_guard guard(telling_);
  if (all_told_) return;
  audit_.write({.kind = event_kind::control,
                .wall = r.when,
                .at = clock_.now(),
                .text = why,
                .caller = r.caller,
                .verb = r.verb,
                .change = r.change,
                .allowed = d.allowed});
}

// ---- closing

inline bool control_server::all_left(control_time limit) noexcept {
  for (;;) {
    const std::uint32_t seen = left_.load(std::memory_order_acquire);
    bool all = true;
    for (const control_place& p : places_) all = all && !p.taken.load(std::memory_order_acquire);
    if (all || !park_until(left_, seen, limit)) return all;
  }
}

/// A forked child has none of the threads, and what they held when it was made is held for ever: it
/// closes its own copies of the connections, and never destroys the rest.
inline void control_server::leave_to_parent() noexcept {
  listener_.close();
  lobby_.drop();
  door_ = thread();
  for (control_place& p : places_) {
    p.link.drop();
    p.worker = thread();
  }
}

/// What is being answered is answered, and what was seen is passed on, for half a second. Then
/// nobody waits for a client any more; a function of the user's that hangs even so is left behind
/// with its thread.
inline void control_server::close() noexcept {
  constexpr std::chrono::milliseconds patience(500);
  if (is_a_copy()) return leave_to_parent();
  closing_.store(true, std::memory_order_release);
  listener_.ring();
  if (door_.joinable()) door_.join();
  listener_.close();
  door_keeps_.reset();
  for (control_place& p : places_) p.link.ring();
  if (!all_left(control_limit(patience))) {
    for (control_place& p : places_) p.link.cut();
    static_cast<void>(all_left(control_limit(patience)));
  }
  for (control_place& p : places_) {
    if (!p.worker.joinable()) continue;
    p.taken.load(std::memory_order_acquire) ? p.worker.detach() : p.worker.join();
  }
  const std::uint64_t untold = refusals_.rest();
  const control_peer nobody;
  if (untold != 0) tell_now(request_of(nobody), {.why = "closing"}, untold);
  const std::lock_guard guard(telling_);
  all_told_ = true;
}

}  // namespace detail
CURFEW_END

#endif
