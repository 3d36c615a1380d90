// SPDX-License-Identifier: BSL-1.0
//
// A change of the system's configuration: what there is, what there shall be, how to get there and
// how to get back.
#ifndef CURFEW_HOST_INSTALL_INSTALL_STEP_HPP
#define CURFEW_HOST_INSTALL_INSTALL_STEP_HPP

#include <curfew/config.hpp>

#include <functional>
#include <string>
#include <vector>

CURFEW_BEGIN

/// Why something was not done, for people, with what to do about it. Empty: it was done.
struct failure {
  /// What to do about it depends on this, and the exit code of a verb does.
  enum class kind_type {
    none,
    failed,
    needs_rights,   ///< only an administrator, or root, may
    not_supported,  ///< this system cannot
    not_installed,
    not_in_time,  ///< the state asked for was not reached within the limit; of a step's `apply`:
                  ///< it is done and cannot be taken back, but is not in force yet
  };

  kind_type kind = kind_type::none;
  std::string text = {};

  explicit operator bool() const noexcept { return kind != kind_type::none; }
};

/// `apply` is called once; `undo` only after an apply that succeeded, and gives back what was
/// before, byte for byte. Both may be empty functions when there is nothing to do.
struct install_step {
  std::string what = {};  ///< "unit file /etc/systemd/system/web.service", "start mode"
  std::string from = {};  ///< what there is; empty: nothing
  std::string to = {};    ///< what there shall be; empty: nothing
  bool optional = false;  ///< a system that cannot do it is told of, and the rest goes on
  std::function<failure()> apply = {};
  std::function<failure()> undo = {};
};

/// In the order of applying. Empty: no change.
using install_plan = std::vector<install_step>;

CURFEW_END

#endif
