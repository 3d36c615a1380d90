// SPDX-License-Identifier: BSL-1.0
#include <curfew/host/install/kubernetes.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace {

using namespace std::chrono_literals;
using curfew::detail::yaml_argument;
using curfew::detail::yaml_text;

curfew::install_request request() {
  curfew::install_request r;
  r.spec.name = "Orders_API";
  r.executable = "/usr/bin/orders api";
  return r;
}

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all(1);
  for (const char c : text) c == '\n' ? all.emplace_back() : all.back() += c;
  all.pop_back();
  return all;
}

/// Every line is indented by pairs of blanks, at most one step further than the one before it, and
/// is a key with or without a value, or an item of a list.
bool is_well_formed(const std::string& text) {
  std::size_t before = 0;
  for (const std::string& line : lines(text)) {
    const std::size_t in = line.find_first_not_of(' ');
    if (in == line.npos || in % 2 != 0 || in > before + 4) return false;
    if (line[in] != '#' && line.find(':') == line.npos) return false;
    for (const char c : line) {
      if (c < ' ' || c > '~') return false;
    }
    before = in;
  }
  return true;
}

}  // namespace

TEST_CASE("rule 44 - the wait before the stop is inside the grace period") {
  auto r = request();
  r.spec.stop_timeout = 30s;
  const auto text = render_kubernetes(r);
  CHECK(has(text, "      terminationGracePeriodSeconds: 40"));
  CHECK(has(text, "            - name: CURFEW_GRACE_SECONDS\n              value: \"35\""));
  CHECK(has(text, "            preStop:\n              sleep:\n                seconds: 5"));
}

TEST_CASE("a grace period is rounded up and has an end") {
  using curfew::detail::grace_seconds;
  CHECK(grace_seconds(1500ms) == 12);
  CHECK(grace_seconds(0s) == 10);
  CHECK(grace_seconds(-5s) == 10);
  CHECK(grace_seconds((std::chrono::steady_clock::duration::max)()) == 365 * 24 * 3600 + 10);
}

TEST_CASE("a command is a list of texts and no shell reads it") {
  auto r = request();
  r.spec.arguments = {"a b", "$(HOME)", "yes", "12", "", "\"\\"};
  const auto text = render_kubernetes(r);
  CHECK(has(text, "          command: [\"/usr/bin/orders api\"]"));
  CHECK(has(text, "          args: [\"a b\", \"$$(HOME)\", \"yes\", \"12\", \"\", \"\\\"\\\\\"]"));
}

TEST_CASE("texts are quoted and in ASCII") {
  CHECK(yaml_text("plain") == "\"plain\"");
  CHECK(yaml_text("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(yaml_text("\t\x7f") == "\"\\u0009\\u007f\"");
  CHECK(yaml_text("\xc3\xbc\xe2\x80\xa8\xf0\x9f\x98\x80") == "\"\\u00fc\\u2028\\U0001f600\"");
  CHECK(yaml_text("a\xff") == "\"a\\ufffd\"");
  CHECK(yaml_argument("$$x $(Y)") == "\"$$$$x $$(Y)\"");
}

TEST_CASE("a name is made one that objects may have") {
  using curfew::detail::dns_label;
  CHECK(dns_label("Orders_API.v2") == "orders-api-v2");
  CHECK(dns_label("_a_") == "a");
  CHECK(dns_label("__") == "service");
  CHECK(dns_label(std::string(80, 'a')) == std::string(63, 'a'));
}

TEST_CASE("probes ask the declared port and the start has its own limit") {
  auto r = request();
  CHECK_FALSE(has(render_kubernetes(r), "          livenessProbe:"));
  r.spec.probe_port = 8081;
  r.spec.start_timeout = 30s;
  const auto text = render_kubernetes(r);
  CHECK(has(text, "            - containerPort: 8081"));
  CHECK(has(text,
            "          startupProbe:\n            httpGet:\n              path: /readyz\n"
            "              port: 8081\n            periodSeconds: 2\n"
            "            failureThreshold: 18"));
  CHECK(has(text, "          readinessProbe:\n            httpGet:\n              path: /readyz"));
  CHECK(has(text, "          livenessProbe:\n            httpGet:\n              path: /livez"));
}

TEST_CASE("a container has no more rights than were declared") {
  auto r = request();
  CHECK(has(render_kubernetes(r), "        runAsNonRoot: true"));
  CHECK(has(render_kubernetes(r), "              drop: [\"ALL\"]"));
  r.spec.capabilities = {"CAP_NET_BIND_SERVICE"};
  CHECK(has(render_kubernetes(r), "              add: [\"NET_BIND_SERVICE\"]"));
  for (const char* root : {"root", "0"}) {
    r.spec.account = root;
    CHECK_FALSE(has(render_kubernetes(r), "        runAsNonRoot: true"));
  }
}

TEST_CASE("paths that are written to are volumes") {
  auto r = request();
  r.spec.writable_paths = {"/data one"};
  const auto text = render_kubernetes(r);
  CHECK(has(text, "            - name: writable-0\n              mountPath: \"/data one\""));
  CHECK(has(text, "        - name: writable-0\n          emptyDir: {}"));
}

TEST_CASE("a path is mounted once and not at all where Kubernetes takes none") {
  auto r = request();
  r.spec.writable_paths = {"/a:b", "/x", "/x"};
  const auto text = render_kubernetes(r);
  CHECK(is_well_formed(text));
  CHECK(text.find("writable-1") == text.npos);
  CHECK(text.find("mountPath: \"/a:b\"") == text.npos);
  CHECK(has(text, "          # no volume can be mounted at a path with a colon: \"/a:b\""));
  r.spec.writable_paths = {"/a:b"};
  CHECK_FALSE(has(render_kubernetes(r), "          volumeMounts:"));
}

TEST_CASE("whatever is declared the text stays well formed") {
  auto r = request();
  CHECK(is_well_formed(render_kubernetes(r)));
  r.spec.arguments = {"a\nb: c", "\xe2\x80\xa8", "# x", "\x85"};
  r.spec.working_directory = "/a: [b] \"c\"";
  r.spec.writable_paths = {"/x", "/y"};
  r.spec.capabilities = {"CAP_A", "CAP_B"};
  r.spec.probe_port = 1;
  CHECK(is_well_formed(render_kubernetes(r)));
}
