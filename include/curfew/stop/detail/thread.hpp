// SPDX-License-Identifier: BSL-1.0
//
// Selector: a thread whose start can fail with an error instead of ending a program that is built
// without exceptions. Backends define, in curfew::detail:
//   class thread   movable; destroyed only when not joinable
//     bool start(void (*entry)(void*) noexcept, void* argument, std::error_code&, thread_mask)
//          noexcept; true when it runs. The mask is as here for threads that run a user's work; by
//          default no signal of the program is delivered to the thread
//     bool start_on_new_stack(...)     the same; for the threads of a forked child
//     bool joinable() const noexcept;  void join() noexcept;  void detach() noexcept
//   void make_punctual() noexcept        timed waits of the calling thread end as soon as they can
//   std::error_code at_fork(before, in_parent, in_child) noexcept
#ifndef CURFEW_STOP_DETAIL_THREAD_HPP
#define CURFEW_STOP_DETAIL_THREAD_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/stop/detail/windows/thread.hpp>
#else
#include <curfew/stop/detail/posix/thread.hpp>
#endif

#endif
