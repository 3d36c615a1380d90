// SPDX-License-Identifier: BSL-1.0
//
// The steps from the settings that a service has to those that it shall have, and from a service
// to none. No step keeps a handle: a service that is held somewhere does not go when it is deleted.
#ifndef CURFEW_HOST_WINDOWS_SERVICE_STEPS_HPP
#define CURFEW_HOST_WINDOWS_SERVICE_STEPS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/install/install_step.hpp>
#include <curfew/host/install/scm_plan.hpp>
#include <curfew/host/windows/service_config.hpp>
#include <curfew/host/windows/service_settings.hpp>
#include <curfew/stop/time_source.hpp>

#include <chrono>
#include <memory>
#include <string>

CURFEW_BEGIN
namespace detail {

/// Makes the entry; its undo deletes it again and waits as long for it to be gone.
[[nodiscard]] install_step creation_step(const scm_settings& wanted,
                                         time_source::duration patience);

/// Its undo makes the entry again with all that is known of it. What is not: the password of its
/// account, who was given which rights to it, and what others keep below its key in the registry.
[[nodiscard]] install_step deletion_step(const scm_settings& there, time_source::duration patience);

/// It goes as soon as nobody holds it any more; until then it looks as it did. Who may not change
/// it is not told so.
[[nodiscard]] bool is_deleted(const std::string& name);

/// Appends a step for each of the list's settings that is known and differs.
template <class List>
void plan_changes(const scm_settings& there, const scm_settings& wanted, install_plan& into);

// ---------------------------------------------------------------------------------------------

[[nodiscard]] inline failure read_service(const std::string& name, DWORD more_rights,
                                          service_handle& service, scm_settings& into) {
  DWORD error = open_service(name, right_to_read | more_rights, service);
  if (error == 0) error = read_settings(service.get(), name, into);
  return refused("read the settings of " + name, error);
}

/// What cannot be read could not be given back, so it is not written either.
template <class S>
[[nodiscard]] failure change_setting(const scm_settings& wanted, scm_settings& before) {
  const std::string doing = std::string("set the ") + S::what + " of " + wanted.name;
  service_handle service;
  if (failure f = read_service(wanted.name, S::rights, service, before)) return f;
  if (!S::known(before)) return refused(doing, ERROR_INVALID_LEVEL);
  return refused(doing, S::write(service.get(), wanted));
}

template <class S>
[[nodiscard]] failure put_setting(const scm_settings& settings) {
  service_handle service;
  DWORD error = open_service(settings.name, S::rights, service);
  if (error == 0) error = S::write(service.get(), settings);
  return refused(std::string("set back the ") + S::what + " of " + settings.name, error);
}

template <class S>
[[nodiscard]] install_step change_step(const scm_settings& there, const scm_settings& wanted) {
  const auto before = std::make_shared<scm_settings>();
  const std::string from = S::known(there) ? S::words(S::of(there)) : "as the system sets it";
  return {S::what,
          from,
          S::words(S::of(wanted)),
          S::optional,
          [=] { return change_setting<S>(wanted, *before); },
          [=] { return put_setting<S>(*before); }};
}

template <class List>
inline void plan_changes(const scm_settings& there, const scm_settings& wanted,
                         install_plan& into) {
  List::for_each([&]<class S>(S) {
    if (!S::known(wanted) || !S::known(there) || S::same(there, wanted)) return;
    into.push_back(change_step<S>(there, wanted));
  });
}

/// A new service has the system's own preshutdown timeout, whatever that is.
inline void plan_first_preshutdown(const scm_settings& wanted, install_plan& into) {
  if (!wanted.preshutdown_ms) return;
  into.push_back(change_step<preshutdown_setting>(fresh_scm_settings(wanted), wanted));
}

[[nodiscard]] inline DWORD create_entry(const scm_settings& s) {
  service_handle manager;
  if (const DWORD e = open_manager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, manager)) {
    return e;
  }
  const std::wstring group = utf16(s.load_group);
  const service_handle made(CreateServiceW(
      manager.get(), utf16(s.name).c_str(), utf16(s.display_name).c_str(), SERVICE_QUERY_STATUS,
      s.type, s.start, s.error_control, utf16(s.command_line).c_str(),
      group.empty() ? nullptr : group.c_str(), nullptr, multi_text(s.dependencies).c_str(),
      utf16(s.account).c_str(), no_password(s.account)));
  return error_unless(made ? 1 : 0);
}

[[nodiscard]] inline bool is_there(const std::string& name) {
  service_handle service;
  return open_service(name, SERVICE_QUERY_STATUS, service) != ERROR_SERVICE_DOES_NOT_EXIST;
}

/// SCM rule 21: only a change is refused, and this one changes nothing.
inline bool is_deleted(const std::string& name) {
  service_handle service;
  if (open_service(name, SERVICE_CHANGE_CONFIG, service) != 0) return false;
  return write_entry(service.get(), name, {}) == ERROR_SERVICE_MARKED_FOR_DELETE;
}

/// SCM rule 21: it goes when it has stopped and nobody holds it any more, ourselves included.
[[nodiscard]] inline bool gone(const std::string& name, time_source::duration patience) {
  const auto limit = saturating_add(std::chrono::steady_clock::now(), patience);
  while (is_there(name)) {
    if (std::chrono::steady_clock::now() >= limit) return false;
    Sleep(20);
  }
  return true;
}

/// One that runs is refused: its entry would only be marked, and nothing could take that back.
[[nodiscard]] inline failure mark_for_deletion(const std::string& name, const std::string& doing) {
  service_handle service;
  const DWORD error = open_service(name, right_to_delete | SERVICE_QUERY_STATUS, service);
  if (error == ERROR_SERVICE_DOES_NOT_EXIST) return {};
  if (error != 0) return refused(doing, error);
  SERVICE_STATUS status{};
  if (QueryServiceStatus(service.get(), &status) == 0) return refused(doing, GetLastError());
  if (status.dwCurrentState != SERVICE_STOPPED) {
    return {failure::kind_type::failed, "cannot " + doing + ": it runs; stop it first"};
  }
  const DWORD refusal = error_unless(DeleteService(service.get()));
  return refused(doing, refusal == ERROR_SERVICE_MARKED_FOR_DELETE ? 0 : refusal);
}

[[nodiscard]] inline failure delete_entry(const std::string& name, time_source::duration patience) {
  const std::string doing = "delete the service " + name;
  if (failure f = mark_for_deletion(name, doing)) return f;
  if (gone(name, patience)) return {};
  failure held = refused(doing, ERROR_SERVICE_MARKED_FOR_DELETE);
  held.kind = failure::kind_type::not_in_time;
  return held;
}

[[nodiscard]] inline failure create_again(const scm_settings& s) {
  failure first = refused("make the service " + s.name + " again", create_entry(s));
  if (first) return first;
  const scm_settings fresh = fresh_scm_settings(s);
  extra_settings::for_each([&]<class S>(S) {
    const bool same = S::known(s) && S::known(fresh) && S::of(fresh) == S::of(s);
    if (first || same || !S::known(s)) return;
    first = put_setting<S>(s);
  });
  return first;
}

[[nodiscard]] inline std::string entry_in_words(const scm_settings& s) {
  return s.command_line + ", " + type_in_words(s.type) + ", " + start_in_words(s.start) + ", as " +
         s.account;
}

inline install_step creation_step(const scm_settings& wanted, time_source::duration patience) {
  return {"service " + wanted.name,
          "",
          entry_in_words(wanted),
          false,
          [=] { return refused("make the service " + wanted.name, create_entry(wanted)); },
          [=] { return delete_entry(wanted.name, patience); }};
}

inline install_step deletion_step(const scm_settings& there, time_source::duration patience) {
  return {"service " + there.name,
          entry_in_words(there),
          "",
          false,
          [=] { return delete_entry(there.name, patience); },
          [=] { return create_again(there); }};
}

}  // namespace detail
CURFEW_END

#endif
#endif
