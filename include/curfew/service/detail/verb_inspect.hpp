// SPDX-License-Identifier: BSL-1.0
//
// The verbs that look and change nothing: render and doctor.
#ifndef CURFEW_SERVICE_DETAIL_VERB_INSPECT_HPP
#define CURFEW_SERVICE_DETAIL_VERB_INSPECT_HPP

#include <curfew/config.hpp>
#include <curfew/service/detail/verb_install.hpp>
#include <curfew/service/detail/verb_session.hpp>
#include <curfew/service/detail/verb_text.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

CURFEW_BEGIN
namespace detail {

[[nodiscard]] int verb_render(verb_session& s);
[[nodiscard]] int verb_doctor(verb_session& s);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] constexpr const char* to_string(render_form form) noexcept {
  switch (form) {
    case render_form::unit: return "unit";
    case render_form::scm: return "scm";
    case render_form::kubernetes: return "kubernetes";
  }
  return "unknown";
}

[[nodiscard]] inline std::vector<render_form> forms_of(const verb_line& line) {
  std::vector<render_form> forms;
  if (line.unit) forms.push_back(render_form::unit);
  if (line.scm) forms.push_back(render_form::scm);
  if (line.kubernetes) forms.push_back(render_form::kubernetes);
  if (!forms.empty()) return forms;
  return {CURFEW_WINDOWS != 0 ? render_form::scm : render_form::unit, render_form::kubernetes};
}

/// One form stands alone, as it is to be in a file; several have headings that are comments.
inline int verb_render(verb_session& s) {
  if (failure why = prepare_request(s)) return s.fail(std::move(why));
  const std::vector<render_form> forms = forms_of(s.line());
  for (const render_form form : forms) {
    std::string text;
    failure why = s.backend().render(form, *s.report().request, text);
    if (why) return s.fail(std::move(why));
    if (!text.ends_with('\n')) text += '\n';
    if (forms.size() > 1) s.note(std::string("# ---- ") + to_string(form) + '\n');
    s.print(text);
    if (forms.size() > 1 && form != forms.back()) s.note("\n");
    s.report().rendered.emplace_back(to_string(form), std::move(text));
  }
  return 0;
}

/// What install would refuse is a finding like any other.
[[nodiscard]] inline findings diagnose(verb_session& s) {
  if (const failure why = prepare_request(s)) return {{severity::error, why.text}};
  return s.backend().diagnose(*s.report().request);
}

inline int verb_doctor(verb_session& s) {
  const findings& found = s.report().found.emplace(diagnose(s));
  const bool ill = std::any_of(found.begin(), found.end(),
                               [](const finding& f) { return f.level == severity::error; });
  if (found.empty()) return s.succeed("nothing found that is wrong");
  s.succeed(counted(found.size(), "finding"), ill ? exit_code_verb_failed : 0);
  s.note(findings_text(found));
  return s.report().code;
}

}  // namespace detail
CURFEW_END

#endif
