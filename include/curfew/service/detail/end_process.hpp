// SPDX-License-Identifier: BSL-1.0
//
// Selector: detail::end_process(int code) ends the process now, from any thread. No destructor
// runs, no exit handler, nothing that could wait for a lock. detail::process_id() tells a child
// made by fork from its parent.
#ifndef CURFEW_SERVICE_DETAIL_END_PROCESS_HPP
#define CURFEW_SERVICE_DETAIL_END_PROCESS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/end_process.hpp>
#else
#include <curfew/service/detail/posix/end_process.hpp>
#endif

#endif
