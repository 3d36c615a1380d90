// SPDX-License-Identifier: BSL-1.0
//
// Verbs on the system as it is: its manager, its terminal, its Ctrl-C.
#ifndef CURFEW_SERVICE_DETAIL_VERB_SYSTEM_HPP
#define CURFEW_SERVICE_DETAIL_VERB_SYSTEM_HPP

#include <curfew/config.hpp>
#include <curfew/host/install/doctor.hpp>
#include <curfew/host/install/kubernetes.hpp>
#include <curfew/host/install/scm_plan.hpp>
#include <curfew/host/install/system_manager.hpp>
#include <curfew/host/signals.hpp>
#include <curfew/host/systemd/unit.hpp>
#include <curfew/host/working_directory.hpp>
#include <curfew/service/detail/system_limits.hpp>
#include <curfew/service/detail/verb_main.hpp>

// Selector: backends define, in curfew::detail:
//   typed_words: what the program was called with, in UTF-8
//   verb_stops: the signals that interrupt a verb
//   verb_signals: others as a verb needs them, while it lives
#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/verb_process.hpp>
#else
#include <curfew/service/detail/posix/verb_process.hpp>
#endif

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Obeys what main was called with, and returns the exit code. A signal, also the hang-up of a
/// terminal, ends a wait and undoes a change half way; where the process has a signal_bridge
/// already, signals stay that one's. What only looks is spared the bridge, and the doctor finds the
/// process as its starter has made it.
[[nodiscard]] int obey_on_system(const service_spec& spec, std::span<char* const> args,
                                 program_facts facts = {});

/// The same for a line that was read already. `program`: as it was typed.
[[nodiscard]] int obey_on_system(const service_spec& spec, const verb_line& line,
                                 std::string_view program, program_facts facts = {});

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline failure path_failure(const std::string& path, std::error_code ec) {
  if (!ec) return {};
  return {failure::kind_type::failed, "cannot make " + path + " absolute: " + ec.message() +
                                          "; a service is started from elsewhere: write it whole"};
}

/// As whoever runs the service will read it: from where the executable lies on.
[[nodiscard]] inline failure make_absolute(std::string& path) {
  std::error_code ec;
  const auto here = [](std::error_code& e) { return executable_directory(e); };
  std::string whole = working_directory_for(path, host_kind::console, here, ec);
  if (ec) return path_failure(path, ec);
  path = std::move(whole);
  return {};
}

class system_backend final : public verb_backend {
 public:
  explicit system_backend(bool user) : manager_(system_manager(user)) {}

  service_manager& manager() override { return *manager_; }

  failure resolve(install_request& asked) override {
    std::error_code ec;
    asked.executable = executable_path(ec);
    failure why = path_failure("this program", ec);
    if (!why) why = make_absolute(asked.spec.working_directory);
    for (std::string& path : asked.spec.writable_paths) {
      if (CURFEW_POSIX != 0 && !why) why = make_absolute(path);
    }
    return why;
  }

  failure render(render_form form, const install_request& asked, std::string& into) override {
    const render_form own = CURFEW_WINDOWS != 0 ? render_form::scm : render_form::unit;
    if (form == own) into = manager_->render(asked);
    if (!into.empty()) return {};
    switch (form) {
      case render_form::unit: into = render_unit(asked); break;
      case render_form::scm: into = render_scm_plan(asked); break;
      case render_form::kubernetes: into = render_kubernetes(asked); break;
    }
    return {};
  }

  findings diagnose(const install_request& asked) override {
    return examine_service(asked.spec, asked.user);
  }

 private:
  std::unique_ptr<service_manager> manager_;
};

class standard_output final : public verb_output {
 public:
  void out(std::string_view text) override {
    const int error = write(stdout, text);
    const bool wanted = error != EBADF;  // else whoever started this has closed it
    if (error != 0 && wanted && lost_.empty()) lost_ = std::generic_category().message(error);
  }
  void err(std::string_view text) override { write(stderr, text); }
  [[nodiscard]] std::string lost() const override { return lost_; }

 private:
  static int write(std::FILE* to, std::string_view text) {
    errno = 0;
    const bool whole = std::fwrite(text.data(), 1, text.size(), to) == text.size();
    if (std::fflush(to) == 0 && whole) return 0;
    return errno != 0 ? errno : EIO;
  }

  std::string lost_;
};

inline int obey_on_system(const service_spec& spec, std::span<char* const> args,
                          program_facts facts) {
  std::vector<std::string> words = typed_words(args);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return obey_on_system(spec, parse_verb_line(pointers), words.empty() ? "" : words[0],
                        std::move(facts));
}

inline int obey_in_process(verb_backend& backend, const service_spec& spec, const verb_line& line,
                           std::string_view program, program_facts facts = {}) {
  const verb_signals changed(line.what);
  const stop_source stop;
  std::error_code ec;
  std::optional<signal_bridge> bridge;
  signal_options options;
  options.stop_on = verb_stops;
  if (changing_verbs.contains(line.what) || line.what == verb::ask)
    bridge.emplace(stop, options, ec);
  const std::string typed = typed_word(program.empty() ? "program" : program);
  const verb_call call{spec_named(spec, line.name), line, typed, stop.get_token(),
                       std::move(facts)};
  standard_output output;
  return obey_verb(backend, call, output);
}

inline int obey_on_system(const service_spec& spec, const verb_line& line, std::string_view program,
                          program_facts facts) {
  facts.limits = read_system_limits();
  system_backend backend(line.user);
  return obey_in_process(backend, spec, line, program, std::move(facts));
}

}  // namespace detail
CURFEW_END

#endif
