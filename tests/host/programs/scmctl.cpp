// SPDX-License-Identifier: BSL-1.0
//
// Drives the service control manager of Windows from a test: each call prints one JSON object.
//
//   scmctl install   NAME BINPATH [key=value...]
//                    (type=own|share start=demand|auto|disabled display= account= password=)
//   scmctl uninstall NAME
//   scmctl start     NAME [ARG...]           arguments reach ServiceMain
//   scmctl control   NAME CODE               stop|pause|continue|interrogate|paramchange|shutdown|
//                                            preshutdown|0..255
//   scmctl query     NAME
//   scmctl wait      NAME STATE TIMEOUT_MS   stopped|start_pending|stop_pending|running|
//                                            continue_pending|pause_pending|paused|gone
//                                            prints every transition it saw
//   scmctl watch     NAME DURATION_MS        transitions seen for that long
//   scmctl config    NAME                    QueryServiceConfig and QueryServiceConfig2
//   scmctl set       NAME key=value...       description= delayed=0|1 preshutdown_ms=
//                                            failure_flag=0|1
//                                            failures=reset_s,action:delay_ms[,...]
//   scmctl list                              active services
//
// Exit status: 0 when the call succeeded, 1 when Windows refused it ("error" holds GetLastError()),
// 2 on bad usage, 3 when a wait timed out.
#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#define NOMINMAX
#include <windows.h>

#include <shellapi.h>
#include <winsvc.h>

#include <cstdint>
#include <cstdio>
#include <cwchar>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using words = std::vector<std::wstring>;

// --- JSON ------------------------------------------------------------------------------------

std::string utf8(std::wstring_view w) {
  if (w.empty()) return {};
  const int size = static_cast<int>(w.size());
  const int n = ::WideCharToMultiByte(CP_UTF8, 0, w.data(), size, nullptr, 0, nullptr, nullptr);
  std::string s(static_cast<std::size_t>(n), '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, w.data(), size, s.data(), n, nullptr, nullptr);
  return s;
}

std::string escaped(char c) {
  if (c == '"' || c == '\\') return {'\\', c};
  const auto code = static_cast<unsigned>(static_cast<unsigned char>(c));
  if (code >= 0x20) return {c};
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", code);
  return text;
}

std::string quoted(std::string_view s) {
  std::string r = "\"";
  for (const char c : s) r += escaped(c);
  return r + "\"";
}

std::string quoted(const wchar_t* w) { return w ? quoted(utf8(w)) : std::string("null"); }

class object {
 public:
  object& raw(std::string_view key, const std::string& value) {
    if (!body_.empty()) body_ += ",";
    body_ += quoted(key) + ":" + value;
    return *this;
  }
  object& num(std::string_view key, std::uint64_t v) { return raw(key, std::to_string(v)); }
  object& flag(std::string_view key, bool v) { return raw(key, v ? "true" : "false"); }
  object& text(std::string_view key, const wchar_t* v) { return raw(key, quoted(v)); }
  object& text(std::string_view key, std::string_view v) { return raw(key, quoted(v)); }
  [[nodiscard]] std::string str() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

std::string array(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& each : items) text += (text.size() > 1 ? "," : "") + each;
  return text + "]";
}

ULONGLONG began = 0;

std::uint64_t elapsed() { return ::GetTickCount64() - began; }

int finish(object& o, bool ok, DWORD error) {
  o.flag("ok", ok).num("error", ok ? 0 : error).num("elapsed_ms", elapsed());
  std::printf("%s\n", o.str().c_str());
  std::fflush(stdout);
  return ok ? 0 : 1;
}

int finish(object& o, BOOL ok) { return finish(o, ok != 0, ::GetLastError()); }

int usage(const char* what) {
  std::fprintf(stderr, "scmctl: %s\n", what);
  return 2;
}

// --- what Windows has ------------------------------------------------------------------------

struct sc_handle {
  explicit sc_handle(SC_HANDLE handle) : h(handle) {}
  sc_handle(const sc_handle&) = delete;
  sc_handle& operator=(const sc_handle&) = delete;
  ~sc_handle() {
    if (h) ::CloseServiceHandle(h);
  }
  SC_HANDLE h;
};

constexpr std::pair<const char*, DWORD> states[] = {
    {"stopped", SERVICE_STOPPED},
    {"start_pending", SERVICE_START_PENDING},
    {"stop_pending", SERVICE_STOP_PENDING},
    {"running", SERVICE_RUNNING},
    {"continue_pending", SERVICE_CONTINUE_PENDING},
    {"pause_pending", SERVICE_PAUSE_PENDING},
    {"paused", SERVICE_PAUSED},
};

std::string state_name(DWORD state) {
  for (const auto& [name, value] : states) {
    if (value == state) return name;
  }
  return std::to_string(state);
}

/// 0: there is none of that name.
DWORD state_of(const std::string& name) {
  for (const auto& [known, value] : states) {
    if (name == known) return value;
  }
  return 0;
}

/// SERVICE_STATUS or SERVICE_STATUS_PROCESS.
template <class Status>
void status_fields(object& o, const Status& s) {
  o.text("state", state_name(s.dwCurrentState))
      .num("type", s.dwServiceType)
      .num("accepts", s.dwControlsAccepted)
      .num("win32_exit", s.dwWin32ExitCode)
      .num("specific_exit", s.dwServiceSpecificExitCode)
      .num("checkpoint", s.dwCheckPoint)
      .num("wait_hint", s.dwWaitHint);
}

void process_fields(object& o, const SERVICE_STATUS_PROCESS& p) {
  status_fields(o, p);
  o.num("pid", p.dwProcessId).num("flags", p.dwServiceFlags);
}

bool query_ex(SC_HANDLE service, SERVICE_STATUS_PROCESS& p) {
  DWORD needed = 0;
  return ::QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, reinterpret_cast<LPBYTE>(&p),
                                sizeof p, &needed) != 0;
}

DWORD number(std::wstring_view s) {
  return static_cast<DWORD>(std::wcstoul(std::wstring(s).c_str(), nullptr, 0));
}

/// The arguments of the form key=value.
class options {
 public:
  explicit options(const words& rest) : rest_(rest) {}

  [[nodiscard]] const wchar_t* find(std::wstring_view key) const {
    for (const auto& a : rest_) {
      const bool same = a.size() > key.size() && a.starts_with(key) && a[key.size()] == L'=';
      if (same) return a.c_str() + key.size() + 1;
    }
    return nullptr;
  }
  [[nodiscard]] std::wstring value(std::wstring_view key, const wchar_t* otherwise = L"") const {
    const wchar_t* const found = find(key);
    return found ? found : otherwise;
  }

 private:
  const words& rest_;
};

// --- verbs -----------------------------------------------------------------------------------

struct call {
  SC_HANDLE manager;
  std::wstring name;
  words rest;  // what follows the name
  object o;
};

/// Null when it is empty, as Windows wants what is left away.
const wchar_t* or_null(const std::wstring& s) { return s.empty() ? nullptr : s.c_str(); }

int install(call& c) {
  const options o(c.rest);
  const std::wstring start = o.value(L"start", L"demand");
  const std::wstring display = o.value(L"display", c.name.c_str());
  const std::wstring account = o.value(L"account"), password = o.value(L"password");
  const DWORD type = o.value(L"type") == L"share" ? DWORD{SERVICE_WIN32_SHARE_PROCESS}
                                                  : DWORD{SERVICE_WIN32_OWN_PROCESS};
  DWORD mode = SERVICE_DEMAND_START;
  if (start == L"auto") mode = SERVICE_AUTO_START;
  if (start == L"disabled") mode = SERVICE_DISABLED;
  const sc_handle service(::CreateServiceW(c.manager, c.name.c_str(), display.c_str(),
                                           SERVICE_ALL_ACCESS, type, mode, SERVICE_ERROR_NORMAL,
                                           c.rest[0].c_str(), nullptr, nullptr, nullptr,
                                           or_null(account), or_null(password)));
  return finish(c.o, service.h != nullptr);
}

int uninstall(call& c) {
  const sc_handle service(::OpenServiceW(c.manager, c.name.c_str(), DELETE));
  return finish(c.o, service.h && ::DeleteService(service.h));
}

int start(call& c) {
  const sc_handle service(
      ::OpenServiceW(c.manager, c.name.c_str(), SERVICE_START | SERVICE_QUERY_STATUS));
  if (!service.h) return finish(c.o, FALSE);
  std::vector<const wchar_t*> args;
  for (const auto& a : c.rest) args.push_back(a.c_str());
  const bool ok = ::StartServiceW(service.h, static_cast<DWORD>(args.size()),
                                  args.empty() ? nullptr : args.data()) != 0;
  const DWORD error = ::GetLastError();
  SERVICE_STATUS_PROCESS p{};
  if (query_ex(service.h, p)) process_fields(c.o, p);
  return finish(c.o, ok, error);
}

DWORD control_code(const std::wstring& s) {
  constexpr std::pair<const wchar_t*, DWORD> names[] = {
      {L"stop", SERVICE_CONTROL_STOP},
      {L"pause", SERVICE_CONTROL_PAUSE},
      {L"continue", SERVICE_CONTROL_CONTINUE},
      {L"interrogate", SERVICE_CONTROL_INTERROGATE},
      {L"shutdown", SERVICE_CONTROL_SHUTDOWN},
      {L"paramchange", SERVICE_CONTROL_PARAMCHANGE},
      {L"preshutdown", SERVICE_CONTROL_PRESHUTDOWN},
  };
  for (const auto& [name, code] : names) {
    if (s == name) return code;
  }
  return number(s);
}

int control(call& c) {
  const sc_handle service(::OpenServiceW(
      c.manager, c.name.c_str(),
      SERVICE_STOP | SERVICE_PAUSE_CONTINUE | SERVICE_INTERROGATE | SERVICE_USER_DEFINED_CONTROL));
  if (!service.h) return finish(c.o, FALSE);
  SERVICE_STATUS s{};
  const bool ok = ::ControlService(service.h, control_code(c.rest[0]), &s) != 0;
  const DWORD error = ::GetLastError();
  if (ok) status_fields(c.o, s);
  return finish(c.o, ok, error);
}

int query(call& c) {
  const sc_handle service(::OpenServiceW(c.manager, c.name.c_str(), SERVICE_QUERY_STATUS));
  SERVICE_STATUS_PROCESS p{};
  if (!service.h || !query_ex(service.h, p)) return finish(c.o, FALSE);
  process_fields(c.o, p);
  return finish(c.o, TRUE);
}

/// Looks every 10 ms; the service is opened anew each time, since an open handle holds back its
/// deletion.
class watcher {
 public:
  explicit watcher(const call& c) : call_(c) {}

  /// 0, or the error of the look.
  DWORD look() {
    const sc_handle service(
        ::OpenServiceW(call_.manager, call_.name.c_str(), SERVICE_QUERY_STATUS));
    if (!service.h || !query_ex(service.h, now_)) return ::GetLastError();
    object seen;
    process_fields(seen, now_);
    if (seen.str() != last_) {
      last_ = seen.str();
      transitions_.push_back(seen.num("at_ms", elapsed()).str());
    }
    return 0;
  }
  [[nodiscard]] DWORD state() const { return now_.dwCurrentState; }
  [[nodiscard]] std::string transitions() const { return array(transitions_); }

 private:
  const call& call_;
  SERVICE_STATUS_PROCESS now_{};
  std::string last_;
  std::vector<std::string> transitions_;
};

int watch(call& c) {
  watcher w(c);
  for (const DWORD limit = number(c.rest[0]); elapsed() < limit; ::Sleep(10)) w.look();
  return finish(c.o.raw("transitions", w.transitions()), TRUE);
}

int wait(call& c) {
  if (c.rest.size() < 2) return usage("wait NAME STATE TIMEOUT_MS");
  const bool gone = c.rest[0] == L"gone";
  const DWORD wanted = state_of(utf8(c.rest[0]));
  if (!wanted && !gone) return usage("unknown state");
  const DWORD limit = number(c.rest[1]);
  watcher w(c);
  DWORD error = 0;
  bool reached = false;
  for (;; ::Sleep(10)) {
    error = w.look();
    reached = gone ? error == ERROR_SERVICE_DOES_NOT_EXIST : error == 0 && w.state() == wanted;
    if (reached || (error && !gone) || elapsed() >= limit) break;
  }
  c.o.raw("transitions", w.transitions()).flag("reached", reached);
  finish(c.o, reached, error ? error : WAIT_TIMEOUT);
  return reached ? 0 : (error ? 1 : 3);
}

/// What `ask` writes into a buffer that it is called with a second time; empty: an error.
template <class Ask>
std::vector<BYTE> filled(Ask ask) {
  DWORD needed = 0;
  ask(nullptr, 0, &needed);
  if (::GetLastError() != ERROR_INSUFFICIENT_BUFFER) return {};
  std::vector<BYTE> buffer(needed + 64);
  if (!ask(buffer.data(), static_cast<DWORD>(buffer.size()), &needed)) buffer.clear();
  return buffer;
}

template <class Info, class Show>
void config2(object& o, SC_HANDLE service, DWORD level, const char* key, Show show) {
  const auto buffer = filled([&](BYTE* to, DWORD size, DWORD* needed) {
    return ::QueryServiceConfig2W(service, level, to, size, needed);
  });
  const DWORD error = ::GetLastError();
  o.raw(key, buffer.empty() ? object().num("error", error).str()
                            : show(*reinterpret_cast<const Info*>(buffer.data())));
}

std::string shown(const SERVICE_FAILURE_ACTIONSW& f) {
  std::vector<std::string> actions;
  for (DWORD i = 0; i < f.cActions; ++i) {
    const SC_ACTION& a = f.lpsaActions[i];
    actions.push_back(
        object().num("type", static_cast<std::uint64_t>(a.Type)).num("delay_ms", a.Delay).str());
  }
  return object().num("reset_s", f.dwResetPeriod).raw("actions", array(actions)).str();
}

void more_config(object& o, SC_HANDLE service) {
  const auto truth = [](BOOL b) { return std::string(b ? "true" : "false"); };
  config2<SERVICE_DESCRIPTIONW>(o, service, SERVICE_CONFIG_DESCRIPTION, "description",
                                [](const auto& d) { return quoted(d.lpDescription); });
  config2<SERVICE_DELAYED_AUTO_START_INFO>(
      o, service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, "delayed",
      [&](const auto& d) { return truth(d.fDelayedAutostart); });
  config2<SERVICE_PRESHUTDOWN_INFO>(
      o, service, SERVICE_CONFIG_PRESHUTDOWN_INFO, "preshutdown_ms",
      [](const auto& d) { return std::to_string(d.dwPreshutdownTimeout); });
  config2<SERVICE_FAILURE_ACTIONS_FLAG>(
      o, service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, "failure_flag",
      [&](const auto& d) { return truth(d.fFailureActionsOnNonCrashFailures); });
  config2<SERVICE_FAILURE_ACTIONSW>(o, service, SERVICE_CONFIG_FAILURE_ACTIONS, "failures",
                                    [](const auto& d) { return shown(d); });
}

int config(call& c) {
  const sc_handle service(::OpenServiceW(c.manager, c.name.c_str(), SERVICE_QUERY_CONFIG));
  if (!service.h) return finish(c.o, FALSE);
  const auto buffer = filled([&](BYTE* to, DWORD size, DWORD* needed) {
    return ::QueryServiceConfigW(service.h, reinterpret_cast<QUERY_SERVICE_CONFIGW*>(to), size,
                                 needed);
  });
  if (buffer.empty()) return finish(c.o, FALSE);
  const auto& found = *reinterpret_cast<const QUERY_SERVICE_CONFIGW*>(buffer.data());
  c.o.num("service_type", found.dwServiceType)
      .num("start_type", found.dwStartType)
      .num("error_control", found.dwErrorControl)
      .text("binary", found.lpBinaryPathName)
      .text("account", found.lpServiceStartName)
      .text("display", found.lpDisplayName);
  more_config(c.o, service.h);
  return finish(c.o, TRUE);
}

/// reset_s,action:delay_ms,...
struct failure_actions {
  explicit failure_actions(const wchar_t* text) {
    wchar_t* end = nullptr;
    info.dwResetPeriod = static_cast<DWORD>(std::wcstoul(text, &end, 10));
    while (*end == L',') {
      const std::wstring_view rest(end + 1);
      SC_ACTION a{};
      if (rest.starts_with(L"restart")) a.Type = SC_ACTION_RESTART;
      if (rest.starts_with(L"reboot")) a.Type = SC_ACTION_REBOOT;
      if (rest.starts_with(L"run")) a.Type = SC_ACTION_RUN_COMMAND;
      const wchar_t* const colon = std::wcschr(end + 1, L':');
      if (colon == nullptr) break;
      a.Delay = static_cast<DWORD>(std::wcstoul(colon + 1, &end, 10));
      actions.push_back(a);
    }
    info.cActions = static_cast<DWORD>(actions.size());
    info.lpsaActions = actions.data();
  }
  std::vector<SC_ACTION> actions;
  SERVICE_FAILURE_ACTIONSW info{};
};

class config_setter {
 public:
  config_setter(object& o, SC_HANDLE service) : o_(o), service_(service) {}

  void apply(const char* key, DWORD level, void* data) {
    const bool ok = ::ChangeServiceConfig2W(service_, level, data) != 0;
    const DWORD error = ok ? 0 : ::GetLastError();
    o_.raw(key, object().flag("ok", ok).num("error", error).str());
    if (!ok) error_ = error;
  }
  /// Of the last one that failed; 0: none has.
  [[nodiscard]] DWORD error() const { return error_; }

 private:
  object& o_;
  SC_HANDLE service_;
  DWORD error_ = 0;
};

int set(call& c) {
  const sc_handle service(
      ::OpenServiceW(c.manager, c.name.c_str(), SERVICE_CHANGE_CONFIG | SERVICE_START));
  if (!service.h) return finish(c.o, FALSE);
  const options given(c.rest);
  config_setter to(c.o, service.h);
  if (given.find(L"description")) {
    std::wstring text = given.value(L"description");
    SERVICE_DESCRIPTIONW d{text.data()};
    to.apply("description", SERVICE_CONFIG_DESCRIPTION, &d);
  }
  if (const wchar_t* const value = given.find(L"delayed")) {
    SERVICE_DELAYED_AUTO_START_INFO d{number(value) != 0};
    to.apply("delayed", SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &d);
  }
  if (const wchar_t* const value = given.find(L"preshutdown_ms")) {
    SERVICE_PRESHUTDOWN_INFO d{number(value)};
    to.apply("preshutdown_ms", SERVICE_CONFIG_PRESHUTDOWN_INFO, &d);
  }
  if (const wchar_t* const value = given.find(L"failure_flag")) {
    SERVICE_FAILURE_ACTIONS_FLAG d{number(value) != 0};
    to.apply("failure_flag", SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &d);
  }
  if (const wchar_t* const value = given.find(L"failures")) {
    failure_actions f(value);
    to.apply("failures", SERVICE_CONFIG_FAILURE_ACTIONS, &f.info);
  }
  return finish(c.o, to.error() == 0, to.error());
}

int list(call& c) {
  DWORD needed = 0, count = 0, resume = 0;
  std::vector<BYTE> buffer(64 * 1024);
  if (!::EnumServicesStatusExW(c.manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_ACTIVE,
                               buffer.data(), static_cast<DWORD>(buffer.size()), &needed, &count,
                               &resume, nullptr)) {
    return finish(c.o, FALSE);
  }
  const auto* const found = reinterpret_cast<const ENUM_SERVICE_STATUS_PROCESSW*>(buffer.data());
  std::vector<std::string> services;
  for (DWORD i = 0; i < count; ++i) {
    object each;
    process_fields(each.text("name", found[i].lpServiceName), found[i].ServiceStatusProcess);
    services.push_back(each.str());
  }
  return finish(c.o.raw("services", array(services)), TRUE);
}

struct verb_type {
  const wchar_t* name;
  std::size_t words;  // that it needs after its own
  int (*run)(call&);
};

constexpr verb_type verbs[] = {
    {L"install", 2, install}, {L"uninstall", 1, uninstall}, {L"start", 1, start},
    {L"control", 2, control}, {L"query", 1, query},         {L"wait", 3, wait},
    {L"watch", 2, watch},     {L"config", 1, config},       {L"set", 1, set},
    {L"list", 0, list},
};

int run(const verb_type& verb, const words& args) {
  const DWORD access = verb.run == install
                           ? DWORD{SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE}
                           : DWORD{SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE};
  const sc_handle manager(::OpenSCManagerW(nullptr, nullptr, access));
  call c{.manager = manager.h, .name = args.empty() ? L"" : args[0], .rest = {}, .o = {}};
  if (args.size() > 1) c.rest.assign(args.begin() + 1, args.end());
  c.o.text("verb", utf8(verb.name)).text("name", utf8(c.name));
  return manager.h ? verb.run(c) : finish(c.o.text("step", "open_manager"), FALSE);
}

/// Not those of main, which are in a code page.
words arguments() {
  int argc = 0;
  wchar_t** const argv = ::CommandLineToArgvW(::GetCommandLineW(), &argc);
  const words result(argv + 1, argv + argc);
  ::LocalFree(argv);
  return result;
}

}  // namespace

int main() {
  began = ::GetTickCount64();
  words args = arguments();
  if (args.empty()) return usage("no verb");
  const std::wstring name = args[0];
  args.erase(args.begin());
  for (const verb_type& verb : verbs) {
    if (name == verb.name)
      return args.size() < verb.words ? usage("too few arguments") : run(verb, args);
  }
  return usage("unknown verb");
}

#else

int main() { return 77; }

#endif
