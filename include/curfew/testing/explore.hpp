// SPDX-License-Identifier: BSL-1.0
//
// Every order in which components may start, stop, fail and hang, tried against the rules by which
// a lifecycle brings them up and down: for tests of one's own graph of components.
#ifndef CURFEW_TESTING_EXPLORE_HPP
#define CURFEW_TESTING_EXPLORE_HPP

#include <curfew/service/lifecycle.hpp>
#include <curfew/testing/detail/explorer.hpp>
#include <curfew/testing/explore_options.hpp>

#include <initializer_list>
#include <string>
#include <vector>

CURFEW_BEGIN

/// Tries all orders of what may happen to these components, and looks after each event whether it
/// is still true that
///
///   - a component starts when all it is after are up, and stops when all that are after it are
///     gone; its functions run one at a time, each in its turn;
///   - what has started is stopped, once, or told as abandoned; what has not is not;
///   - a stop ends at its deadline at the latest, and then nothing begins any more;
///   - nothing waits for ever, and nothing goes round in circles;
///   - a failure is answered: by a restart, by a stop, or by telling that the whole has failed; and
///     the first one stays the one that is told;
///   - a stop is prepared only when all agree, and one that is not made is taken back everywhere.
///
/// No function is run, no thread is made, and time is only counted:
///
///     curfew::lifecycle parts;
///     declare(parts);
///     const auto found = curfew::explore(parts);
///     CHECK_MESSAGE(found, found.text());
///
/// The number of orders grows fast: small graphs are explored to their end, others up to
/// most_states. Throws as lifecycle::validate().
[[nodiscard]] inline explore_report explore(const lifecycle& parts,
                                            const explore_options& options = {}) {
  parts.validate();
  std::vector<std::string> names;
  for (const plan_part& p : parts.parts()) names.push_back(p.name);
  return detail::explorer<detail::lifecycle_machine>(detail::lifecycle_access::graph(parts), names,
                                                     options)
      .run();
}

CURFEW_END

#endif
