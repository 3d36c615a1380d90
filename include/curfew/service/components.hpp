// SPDX-License-Identifier: BSL-1.0
//
// A program that is made of components: a main for run() and service_main().
#ifndef CURFEW_SERVICE_COMPONENTS_HPP
#define CURFEW_SERVICE_COMPONENTS_HPP

#include <curfew/service/detail/component_run.hpp>
#include <curfew/service/lifecycle.hpp>
#include <curfew/service/plan.hpp>
#include <curfew/service/run.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// Declares components, and leaves the rest to the service:
///
///     int main(int argc, char** argv) {
///       database db;
///       return curfew::service_main(
///           {.name = "orders"}, argc, argv, curfew::components([&](curfew::lifecycle& parts) {
///             parts.add("database", {.start = [&] { db.open(); }, .stop = [&] { db.close(); }});
///             parts.add("listener", {.after = {"database"}, ...});
///           }));
///     }
///
/// It is ready when all of them are up. Asked to stop, it stops them within the time that the
/// reason leaves; a second signal moves the stop up one rung, a third ends the process. A component
/// that has failed for good stops all others, and the run is a failure. When one had to be
/// abandoned, and all others have been stopped, the process ends at once with a report: nothing
/// that the one still uses is destroyed under it. Under the service manager of Windows a pause
/// brings down what is declared to be pausable.
///
/// Declare: declare(lifecycle&), or declare(lifecycle&, service*) for components that need the
/// service they are part of. It is called for a run, and without a service for verbs that only look
/// at what is declared; so it declares and does nothing else.
template <class Declare>
[[nodiscard]] auto components(Declare declare, component_options options = {}) {
  return detail::component_main<Declare>(std::move(declare), std::move(options));
}

/// The same for a main of one's own: starts, says ready(), waits for the stop, stops. The exit
/// code: 0, or that of a failure. Once in a run; another call is refused as a failure.
[[nodiscard]] inline int run_components(service& self, lifecycle& parts,
                                        const component_options& options = {}) {
  return detail::component_run(self, parts, options).run();
}

CURFEW_END

#endif
