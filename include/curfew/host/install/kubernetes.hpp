// SPDX-License-Identifier: BSL-1.0
//
// A declared service as a deployment of Kubernetes: a snippet to begin with, in which the image is
// the one thing that has to be filled in.
#ifndef CURFEW_HOST_INSTALL_KUBERNETES_HPP
#define CURFEW_HOST_INSTALL_KUBERNETES_HPP

#include <curfew/config.hpp>
#include <curfew/host/detail/utf8.hpp>
#include <curfew/host/install/service_manager.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

CURFEW_BEGIN

/// YAML. SIGTERM and the removal of the pod's endpoint happen at the same time, so a preStop hook
/// waits until no new requests come; that wait is part of the grace period. The program is told
/// what is left of it for itself, as CURFEW_GRACE_SECONDS.
[[nodiscard]] std::string render_kubernetes(const install_request& asked);

namespace detail {

/// How long an endpoint may be in use after its removal.
inline constexpr std::int64_t pre_stop_seconds = 5;
/// How much later than ourselves the kubelet gives up, preStop included.
inline constexpr std::int64_t grace_reserve = 10;
/// A year: there is no word for "no limit".
inline constexpr std::int64_t longest_grace = 365 * 24 * 3600;

[[nodiscard]] std::int64_t grace_seconds(clock_duration stop_timeout) noexcept;

/// In double quotes and in ASCII, so that no reader takes it for a number, a date or another line.
[[nodiscard]] std::string yaml_text(std::string_view text);
/// The same for what Kubernetes would expand: $(NAME).
[[nodiscard]] std::string yaml_argument(std::string_view text);
/// Of at most 63 small letters, digits and hyphens, as the names of objects are.
[[nodiscard]] std::string dns_label(std::string_view name);

// ---------------------------------------------------------------------------------------------

/// Rounded up; negative is none.
[[nodiscard]] inline std::int64_t whole_seconds(clock_duration d) noexcept {
  if (d >= std::chrono::seconds(longest_grace)) return longest_grace;
  return (std::max)(std::int64_t{0},
                    std::int64_t{std::chrono::ceil<std::chrono::seconds>(d).count()});
}

inline std::int64_t grace_seconds(clock_duration stop_timeout) noexcept {
  return whole_seconds(stop_timeout) + grace_reserve;
}

[[nodiscard]] inline std::string yaml_escape(std::uint32_t value) {
  constexpr const char* digits = "0123456789abcdef";
  const int length = value > 0xffff ? 8 : 4;
  std::string out = length == 8 ? "\\U" : "\\u";
  for (int shift = 4 * (length - 1); shift >= 0; shift -= 4) out += digits[value >> shift & 0xf];
  return out;
}

/// Bytes that are no UTF-8 become U+FFFD.
inline std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const code_point c = first_code_point(text);
    const bool plain = c.size == 1 && !is_control(c.value);
    if (plain && (text.front() == '"' || text.front() == '\\')) out += '\\';
    out += plain ? std::string(1, text.front()) : yaml_escape(c.size == 0 ? 0xfffd : c.value);
    text.remove_prefix((std::max)(c.size, std::size_t{1}));
  }
  return out + '"';
}

inline std::string yaml_argument(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '$' ? 2 : 1, c);
  return yaml_text(doubled);
}

inline std::string dns_label(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 63)) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    out += capital ? static_cast<char>(c - 'A' + 'a') : good ? c : '-';
  }
  const std::size_t begin = out.find_first_not_of('-');
  const std::size_t end = out.find_last_not_of('-');
  return begin == out.npos ? "service" : out.substr(begin, end - begin + 1);
}

/// Lines, each as far in as it belongs.
class yaml_writer {
 public:
  void line(int depth, std::string_view text) {
    text_.append(static_cast<std::size_t>(depth) * 2, ' ').append(text).append("\n");
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

inline constexpr int pod_depth = 3;
inline constexpr int container_depth = 5;

inline void write_head(yaml_writer& out, const std::string& name) {
  out.line(0, "# Written by curfew. The image is to be filled in; it has the program at its path.");
  out.line(0, "apiVersion: apps/v1");
  out.line(0, "kind: Deployment");
  out.line(0, "metadata:");
  out.line(1, "name: " + yaml_text(name));
  out.line(0, "spec:");
  out.line(1, "replicas: 1");
  out.line(1, "selector:");
  out.line(2, "matchLabels:");
  out.line(3, "app: " + yaml_text(name));
  out.line(1, "template:");
  out.line(2, "metadata:");
  out.line(3, "labels:");
  out.line(4, "app: " + yaml_text(name));
  out.line(2, "spec:");
}

inline void write_pod(yaml_writer& out, const service_spec& spec) {
  const auto grace = std::to_string(grace_seconds(spec.stop_timeout));
  out.line(pod_depth, "terminationGracePeriodSeconds: " + grace);
  out.line(pod_depth, "securityContext:");
  const bool root = spec.account == "root" || spec.account == "0";
  if (!root) out.line(pod_depth + 1, "runAsNonRoot: true");
  out.line(pod_depth + 1, "seccompProfile:");
  out.line(pod_depth + 2, "type: RuntimeDefault");
}

[[nodiscard]] inline std::string yaml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& t : texts) out.append(out.size() == 1 ? "" : ", ").append(t);
  return out + "]";
}

/// The exec form: a shell between would be process 1, and keep the signals to itself.
inline void write_command(yaml_writer& out, const install_request& asked) {
  std::vector<std::string> arguments;
  for (const std::string& a : asked.spec.arguments) arguments.push_back(yaml_argument(a));
  out.line(container_depth, "command: " + yaml_list({yaml_argument(asked.executable)}));
  if (!arguments.empty()) out.line(container_depth, "args: " + yaml_list(arguments));
  const std::string& directory = asked.spec.working_directory;
  if (!directory.empty()) out.line(container_depth, "workingDir: " + yaml_text(directory));
}

/// Kubernetes 1.30 and newer sleeps by itself, so that the image needs no program for it.
inline void write_life(yaml_writer& out, const service_spec& spec) {
  const auto left = grace_seconds(spec.stop_timeout) - pre_stop_seconds;
  out.line(container_depth, "env:");
  out.line(container_depth + 1, "- name: CURFEW_GRACE_SECONDS");
  out.line(container_depth + 1, "  value: " + yaml_text(std::to_string(left)));
  out.line(container_depth, "lifecycle:");
  out.line(container_depth + 1, "preStop:");
  out.line(container_depth + 2, "sleep:");
  out.line(container_depth + 3, "seconds: " + std::to_string(pre_stop_seconds));
}

inline void write_probe(yaml_writer& out, const char* probe, const char* path, int port,
                        std::int64_t period, std::int64_t failures) {
  out.line(container_depth, std::string(probe) + ":");
  out.line(container_depth + 1, "httpGet:");
  out.line(container_depth + 2, std::string("path: ") + path);
  out.line(container_depth + 2, "port: " + std::to_string(port));
  out.line(container_depth + 1, "periodSeconds: " + std::to_string(period));
  out.line(container_depth + 1, "failureThreshold: " + std::to_string(failures));
}

/// Until the start probe has succeeded the two others wait; it lasts 5 s longer than our own limit.
inline void write_probes(yaml_writer& out, const service_spec& spec) {
  if (spec.probe_port == 0) return;
  const std::int64_t starts = (whole_seconds(spec.start_timeout) + 5 + 1) / 2;
  out.line(container_depth, "ports:");
  out.line(container_depth + 1, "- containerPort: " + std::to_string(spec.probe_port));
  write_probe(out, "startupProbe", "/readyz", spec.probe_port, 2, starts);
  write_probe(out, "readinessProbe", "/readyz", spec.probe_port, 2, 1);
  write_probe(out, "livenessProbe", "/livez", spec.probe_port, 10, 3);
}

/// "CAP_NET_BIND_SERVICE" is NET_BIND_SERVICE there.
inline void write_rights(yaml_writer& out, const service_spec& spec) {
  std::vector<std::string> added;
  for (const std::string& c : spec.capabilities) {
    added.push_back(yaml_text(c.starts_with("CAP_") ? c.substr(4) : c));
  }
  out.line(container_depth, "securityContext:");
  out.line(container_depth + 1, "allowPrivilegeEscalation: false");
  out.line(container_depth + 1, "readOnlyRootFilesystem: true");
  out.line(container_depth + 1, "capabilities:");
  out.line(container_depth + 2, "drop: [\"ALL\"]");
  if (!added.empty()) out.line(container_depth + 2, "add: " + yaml_list(added));
}

/// Each once. Kubernetes refuses the whole pod for a path with a colon.
[[nodiscard]] inline std::vector<std::string> mount_paths(const service_spec& spec) {
  std::vector<std::string> paths;
  for (const std::string& p : spec.writable_paths) {
    const bool known = std::find(paths.begin(), paths.end(), p) != paths.end();
    if (!known && p.find(':') == p.npos) paths.push_back(p);
  }
  return paths;
}

inline void write_refused_paths(yaml_writer& out, const service_spec& spec) {
  for (const std::string& p : spec.writable_paths) {
    if (p.find(':') == p.npos) continue;
    out.line(container_depth, "# no volume can be mounted at a path with a colon: " + yaml_text(p));
  }
}

/// What is written outside of volumes is lost with the container, and refused here.
inline void write_volumes(yaml_writer& out, const service_spec& spec) {
  const std::vector<std::string> paths = mount_paths(spec);
  write_refused_paths(out, spec);
  if (paths.empty()) return;
  out.line(container_depth, "volumeMounts:");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    out.line(container_depth + 1, "- name: writable-" + std::to_string(i));
    out.line(container_depth + 1, "  mountPath: " + yaml_text(paths[i]));
  }
  out.line(pod_depth, "volumes:");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    out.line(pod_depth + 1, "- name: writable-" + std::to_string(i));
    out.line(pod_depth + 1, "  emptyDir: {}");
  }
}

}  // namespace detail

inline std::string render_kubernetes(const install_request& asked) {
  const std::string name = detail::dns_label(asked.spec.name);
  detail::yaml_writer out;
  detail::write_head(out, name);
  detail::write_pod(out, asked.spec);
  out.line(detail::pod_depth, "containers:");
  out.line(detail::pod_depth + 1, "- name: " + detail::yaml_text(name));
  out.line(detail::container_depth, "image: " + detail::yaml_text(name + ":latest"));
  detail::write_command(out, asked);
  detail::write_life(out, asked.spec);
  detail::write_probes(out, asked.spec);
  detail::write_rights(out, asked.spec);
  detail::write_volumes(out, asked.spec);
  return out.take();
}

CURFEW_END

#endif
