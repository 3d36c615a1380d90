// SPDX-License-Identifier: BSL-1.0
//
// Everything that must be given back, in order, by when, and the truth about it afterwards.
#ifndef CURFEW_RELEASE_RESOURCE_STACK_HPP
#define CURFEW_RELEASE_RESOURCE_STACK_HPP

#include <curfew/release/detail/held.hpp>
#include <curfew/release/detail/time_limit.hpp>
#include <curfew/release/label.hpp>
#include <curfew/release/release_observer.hpp>
#include <curfew/release/release_report.hpp>
#include <curfew/stop/detail/bounds.hpp>
#include <curfew/stop/detail/fail.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <curfew/stop/time_source.hpp>

#include <cstddef>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

CURFEW_BEGIN

/// What a single entry of a resource_stack may ask for.
struct release_options {
  /// How long the release may take: then its token stops, and it is late. Any duration type;
  /// hours::max() is none.
  detail::saturated timeout = no_limit;
};

/// Owns resources of all kinds and releases them newest first, each exactly once.
///
///     curfew::resource_stack stack;
///     auto& pool = stack.emplace<connection_pool>("orders pool", 16);
///     stack.defer("listener", [&](curfew::stop_token hurry) { listener.drain(hurry); }, {5s});
///     auto report = stack.release(20s);
///
/// An entry that throws or is late keeps none of the others from being released. The stack waits
/// for each one: it runs on the caller's thread and is told to hurry, never abandoned.
///
/// Thread safety: none; one thread at a time. Awkward moments, all defined:
///  - what is registered while the stack releases is released next;
///  - release() called by an entry's release returns an empty report: the one under way goes on;
///  - moving or destroying the stack from there ends the program with a message.
class resource_stack {
 public:
  using duration = time_source::duration;

  /// Limits, tokens and measured times are those of `clock`, which outlives the stack.
  explicit resource_stack(time_source& clock) noexcept : clock_(&clock) {}
  resource_stack() noexcept : resource_stack(time_source::process()) {}

  resource_stack(resource_stack&& other) noexcept;             ///< leaves `other` empty and usable
  resource_stack& operator=(resource_stack&& other) noexcept;  ///< first releases what it holds
  ~resource_stack();                                           ///< the same

  /// Builds a T in the stack; its destructor releases it. If the constructor throws, nothing was
  /// registered, but for what the constructor itself put on the stack: that stays there.
  template <class T, class... Args>
  T& emplace(label name, Args&&... args);

  /// Registers release() or release(stop_token hurry); what it captured is destroyed right after
  /// it. If registering throws, the release is called at once, what it throws is dropped, and the
  /// error goes to the caller: nothing leaks. With an inplace_stop_token for a stop_token it costs
  /// no allocation, but must not keep the token.
  template <class Release>
  void defer(label name, Release&& release, release_options options = {});

  /// Releases everything, newest first, and says how it went. Allocates nothing of its own. The
  /// token of an entry stops at its own timeout, when `budget` is spent, or when `hurry` stops,
  /// then with its reason; whichever is first. An entry is late that returns at its limit or after
  /// it: its timeout or what was left of the budget. One that begins after the budget is still
  /// released, hurried from the start. If no timer can be had, every entry with a limit is. The
  /// times in the report cost a reading of the clock an entry; the destructor makes no report, and
  /// takes no times unless somebody observes.
  release_report release(detail::saturated budget = no_limit, stop_token hurry = {}) noexcept;

  /// Who hears of the next releases while they go on; null: nobody. Outlives them, and follows the
  /// entries when the stack is moved.
  void observe(release_observer* observer) noexcept { observer_ = observer; }

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return chain_.size(); }

 private:
  template <class T, class... Args>
  detail::held<T>& push(const label& name, duration limit, detail::release_node::run_function* run,
                        Args&&... args);
  time_source::time_point release_one(detail::release_node& n, time_source::time_point begin,
                                      time_source::time_point end,
                                      const stop_token& hurry) noexcept;
  std::exception_ptr run_watched(detail::release_node& n, const detail::release_terms&) noexcept;
  void release_unseen() noexcept;
  void require_idle() const noexcept;

  time_source* clock_;
  release_observer* observer_ = nullptr;
  detail::release_chain chain_;
  bool releasing_ = false;
  unsigned building_ = 0;  // entries whose memory is taken and which are not yet in the chain
};

// --- registering --------------------------------------------------------------------------------

namespace detail {

/// Runs a release whose registration did not come to an end.
template <class F>
class release_now_unless_kept {
 public:
  explicit release_now_unless_kept(F& f) noexcept : f_(f) {}
  release_now_unless_kept(const release_now_unless_kept&) = delete;
  release_now_unless_kept& operator=(const release_now_unless_kept&) = delete;
  ~release_now_unless_kept() {
    if (!kept_) static_cast<void>(attempt([this] { call_at_leisure(f_); }));
  }
  void keep() noexcept { kept_ = true; }

 private:
  F& f_;
  bool kept_ = false;
};

class counted_scope {
 public:
  explicit counted_scope(unsigned& count) noexcept : count_(count) { ++count_; }
  counted_scope(const counted_scope&) = delete;
  counted_scope& operator=(const counted_scope&) = delete;
  ~counted_scope() { --count_; }

 private:
  unsigned& count_;
};

}  // namespace detail

/// One allocation holds the node, what is held, and the name.
template <class T, class... Args>
detail::held<T>& resource_stack::push(const label& name, duration limit,
                                      detail::release_node::run_function* run, Args&&... args) {
  using node = detail::held<T>;
  detail::building_site site(chain_.memory(), sizeof(node) + name.text.size(), alignof(node));
  char* const text = static_cast<char*>(site.spot()) + sizeof(node);
  name.text.copy(text, name.text.size());
  const detail::counted_scope building(building_);
  node& n = *::new (site.spot())
                node(run, std::string_view(text, name.text.size()), name.place,
                     detail::greater(limit, duration::zero()), std::forward<Args>(args)...);
  site.built();
  chain_.push_front(n);
  return n;
}

template <class T, class... Args>
T& resource_stack::emplace(label name, Args&&... args) {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>, "the stack holds single objects");
  return push<T>(name, no_limit, &detail::destroy_held<T>, std::forward<Args>(args)...).value;
}

template <class Release>
void resource_stack::defer(label name, Release&& release, release_options options) {
  using function = std::decay_t<Release>;
  static_assert(detail::release_function<function> &&
                    detail::release_function<std::remove_reference_t<Release>>,
                "a release is called as release() or release(stop_token)");
  static_assert(std::is_nothrow_destructible_v<function>, "its captures are destroyed on the way");
  detail::release_now_unless_kept guard(release);
  push<detail::deferred<function>>(name, options.timeout, &detail::call_held<function>, *clock_,
                                   std::forward<Release>(release));
  guard.keep();
}

// --- releasing ----------------------------------------------------------------------------------

inline release_report resource_stack::release(detail::saturated budget, stop_token hurry) noexcept {
  if (releasing_) return {};
  if (building_ != 0) {
    detail::fatal(
        "a resource_stack is released while it builds an entry, which is not on it yet; let "
        "emplace() return first");
  }
  if (empty()) return {};
  releasing_ = true;
  detail::release_chain done;
  auto now = clock_->now();
  const auto end = detail::saturating_add(now, budget);
  detail::release_node* last = nullptr;
  while (detail::release_node* n = chain_.pop_front()) {
    now = release_one(*n, now, end, hurry);
    done.push_back(std::exchange(last, n), *n);
  }
  done.memory().swap(chain_.memory());
  releasing_ = false;
  return release_report(std::move(done));
}

/// From `begin`, which is now, to what it returns, which is the next one's begin: one reading of
/// the clock serves both, unless an observer takes time between them.
inline time_source::time_point resource_stack::release_one(detail::release_node& n,
                                                           time_source::time_point begin,
                                                           time_source::time_point end,
                                                           const stop_token& hurry) noexcept {
  release_entry& e = n.entry;
  e.limit = detail::lesser(e.limit, detail::time_left(end, begin));
  if (observer_ != nullptr) {
    observer_->on_start(e);
    begin = clock_->now();
  }
  e.error = run_watched(n, {*clock_, detail::limit_from(begin, e.limit), hurry});
  const auto done = clock_->now();
  e.elapsed = done - begin;
  if (e.elapsed >= e.limit) e.outcome = release_outcome::late;
  if (e.error != nullptr) e.outcome = release_outcome::failed;
  if (observer_ == nullptr) return done;
  observer_->on_done(e);
  return clock_->now();
}

/// The late notice has a timer of its own: the release's token may already have stopped because
/// the whole is hurried, and an entry that is late after that is named as well.
inline std::exception_ptr resource_stack::run_watched(detail::release_node& n,
                                                      const detail::release_terms& terms) noexcept {
  if (observer_ == nullptr) return n.run(n, terms);
  const auto late = [&n, observer = observer_]() noexcept { observer->on_late(n.entry); };
  inplace_stop_source limit(terms.clock);
  static_cast<void>(detail::give_time(limit, terms));
  const inplace_stop_callback watch(limit.get_token(), late);
  return n.run(n, terms);
}

/// As release(), but for nobody: no report is read and no observer listens, so nothing is timed but
/// what has a limit. An observer that comes in between hears of the entries that are left.
inline void resource_stack::release_unseen() noexcept {
  releasing_ = true;
  const stop_token nobody;
  while (observer_ == nullptr) {
    detail::release_node* const n = chain_.pop_front();
    if (n == nullptr) break;
    static_cast<void>(n->run(*n, {*clock_, detail::limit(*clock_, n->entry.limit), nobody}));
  }
  releasing_ = false;
  release();
}

// --- life ---------------------------------------------------------------------------------------

inline void resource_stack::require_idle() const noexcept {
  if (releasing_) {
    detail::fatal(
        "a resource_stack is moved or destroyed by one of its releases, to which it would not come "
        "back; let its owner do that");
  }
  if (building_ != 0)
    detail::fatal(
        "a resource_stack is moved or destroyed while it builds an entry, which would have no "
        "place; let emplace() return first");
}

inline resource_stack::resource_stack(resource_stack&& other) noexcept : clock_(other.clock_) {
  other.require_idle();
  chain_.swap(other.chain_);
  std::swap(observer_, other.observer_);
}

inline resource_stack& resource_stack::operator=(resource_stack&& other) noexcept {
  if (this == &other) return *this;
  require_idle();
  other.require_idle();
  release_unseen();
  clock_ = other.clock_;
  chain_ = std::move(other.chain_);
  observer_ = std::exchange(other.observer_, nullptr);
  return *this;
}

inline resource_stack::~resource_stack() {
  require_idle();
  release_unseen();
}

CURFEW_END

#endif
