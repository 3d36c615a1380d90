// SPDX-License-Identifier: BSL-1.0
//
// Who started this process: the service control manager says so when it is asked, and nobody else.
#ifndef CURFEW_HOST_WINDOWS_FIND_HOST_HPP
#define CURFEW_HOST_WINDOWS_FIND_HOST_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/detail/console_host.hpp>
#include <curfew/host/detail/hosted.hpp>
#include <curfew/host/message_buffer.hpp>
#include <curfew/host/service_spec.hpp>
#include <curfew/host/windows/event_log.hpp>
#include <curfew/host/windows/scm_dispatcher.hpp>

#include <span>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// A run on its way to the thread that the SCM makes for it.
struct scm_run {
  const service_spec& spec;
  std::span<char* const> args;  // of the installed command line
  hosted_body body;
  void* context;

  /// The name that the service is installed under is argv[0], and the rest is for this start.
  static outcome serve(void* self, scm_host& host, int argc, char** argv) {
    const scm_run& run = *static_cast<scm_run*>(self);
    std::vector<char*> all(run.args.begin(), run.args.end());
    if (argc > 1) all.insert(all.end(), argv + 1, argv + argc);
    event_log_sink log(argc > 0 ? argv[0] : run.spec.name);
    return run.body(run.context, {.host = host, .args = all, .sink = &log});
  }
};

inline int with_host(const service_spec& spec, std::span<char* const> args, bool foreground,
                     hosted_body body, void* context) {
  message_buffer early;
  if (!foreground) {
    scm_run run{spec, args, body, context};
    const scm_return r = scm_dispatch(spec, &scm_run::serve, &run);
    if (r.served) return r.code;
    if (r.error)
      early.write(severity::error,
                  "not run as a service, since its manager cannot be reached: it "
                  "serves what it has started; see what the system says: " +
                      r.error.message());
  }
  console_host console;
  return exit_code(body(context, {.host = console, .args = args, .early = &early}));
}

}  // namespace detail
CURFEW_END

#endif
#endif
