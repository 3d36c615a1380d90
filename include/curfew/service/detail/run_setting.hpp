// SPDX-License-Identifier: BSL-1.0
//
// Where a run takes place: the real process under its host, or a test's box.
#ifndef CURFEW_SERVICE_DETAIL_RUN_SETTING_HPP
#define CURFEW_SERVICE_DETAIL_RUN_SETTING_HPP

#include <curfew/host/detail/hosted.hpp>
#include <curfew/host/detail/signal_source.hpp>
#include <curfew/service/detail/end_process.hpp>
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/time_source.hpp>

CURFEW_BEGIN
namespace detail {

/// How a run ends the process when it must.
class last_resort {
 public:
  virtual void end(int code) noexcept = 0;
  /// For the main thread, while another one ends the process.
  virtual void await() noexcept = 0;

 protected:
  ~last_resort() = default;
};

class process_end final : public last_resort {
 public:
  void end(int code) noexcept override { end_process(code); }
  void await() noexcept override {
    const inplace_stop_source never;
    for (;;) never.get_token().wait();
  }
};

struct run_setting {
  const hosted& place;
  last_resort& end;
  time_source& time = time_source::process();
  time_source& real_time = time_source::process();  ///< of what hangs in the system itself
  signal_source* source = nullptr;                  ///< null: the system's
};

}  // namespace detail
CURFEW_END

#endif
