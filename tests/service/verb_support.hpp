// SPDX-License-Identifier: BSL-1.0
//
// A verb as it is typed, on a system that a test makes up.
#ifndef CURFEW_TESTS_SERVICE_VERB_SUPPORT_HPP
#define CURFEW_TESTS_SERVICE_VERB_SUPPORT_HPP

#include <curfew/service/detail/verb_main.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "../host/leaping_clock.hpp"
#include "../host/scripted_manager.hpp"

namespace test {

/// argv as main has it.
class typed {
 public:
  typed(std::initializer_list<const char*> words) : words_(words.begin(), words.end()) {
    for (std::string& w : words_) argv_.push_back(w.data());
  }
  explicit typed(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& w : words_) argv_.push_back(w.data());
  }
  typed(const typed&) = delete;
  typed& operator=(const typed&) = delete;

  [[nodiscard]] int argc() const { return static_cast<int>(argv_.size()); }
  [[nodiscard]] char** argv() { return argv_.data(); }
  [[nodiscard]] std::span<char* const> words() const { return {argv_.data(), argv_.size()}; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> argv_;
};

inline const std::string root = CURFEW_WINDOWS != 0 ? "C:\\srv\\" : "/srv/";

class scripted_backend final : public curfew::detail::verb_backend {
 public:
  scripted_manager services = {};
  failure resolve_fails = {};
  failure render_fails = {};
  curfew::findings found = {};

  curfew::service_manager& manager() override { return services; }
  failure resolve(curfew::install_request& asked) override {
    asked.executable = root + "web server";
    return resolve_fails;
  }
  failure render(curfew::detail::render_form form, const curfew::install_request& asked,
                 std::string& into) override {
    into = std::string("form: ") + to_string(form) +
           "\nargs: " + std::to_string(asked.spec.arguments.size());
    return render_fails;
  }
  curfew::findings diagnose(const curfew::install_request&) override { return found; }
};

/// What a verb prints, and the system it works on, from one verb to the next.
struct stage final : curfew::detail::verb_output {
  scripted_backend backend = {};
  scripted_manager& services = backend.services;
  leaping_clock clock = {};
  curfew::stop_source stop{clock};
  curfew::detail::program_facts facts = {};
  curfew::service_spec spec = {.name = "web", .reloads = true, .arguments = {"--port", "80"}};

  std::string printed = {};
  std::string complained = {};
  std::string lost_because = {};

  /// stage.type("install --dry-run"), without the program's name; its exit code.
  int type(std::string_view line) {
    std::vector<std::string> words{"./web_server"};
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = (std::min)(line.find(' ', at), line.size());
      words.emplace_back(line.substr(at, end - at));
      at = end + 1;
    }
    const typed t(std::move(words));
    curfew::detail::verb_call call{spec, curfew::detail::parse_verb_line(t.words()), "web_server",
                                   stop.get_token(), facts};
    call.spec = curfew::detail::spec_named(spec, call.line.name);
    printed.clear();
    complained.clear();
    services.calls.clear();
    return obey_verb(backend, call, *this);
  }
  [[nodiscard]] bool said(std::string_view text) const {
    return printed.find(text) != printed.npos;
  }
  [[nodiscard]] bool complains(std::string_view text) const {
    return complained.find(text) != complained.npos;
  }

  void out(std::string_view text) override { printed += text; }
  void err(std::string_view text) override { complained += text; }
  [[nodiscard]] std::string lost() const override { return lost_because; }
};

using words = std::vector<std::string>;

}  // namespace test

#endif
