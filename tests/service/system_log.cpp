// SPDX-License-Identifier: BSL-1.0
//
// What goes to the journal of systemd, read back from a socket in its place, and to the event log.
#include <curfew/service/system_log.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "temporary_folder.hpp"

#if CURFEW_LINUX
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#endif

using namespace std::chrono_literals;
using namespace curfew;

namespace {

lifecycle_event failed_stop() {
  return {.kind = event_kind::step_ended,
          .part = "db-pool",
          .step = component_step::stop,
          .outcome = step_outcome::failed,
          .elapsed = 1200ms,
          .limit = 5s,
          .place = {"src/db.cpp", 42},
          .text = "connection reset"};
}

lifecycle_event order() {
  return {.kind = event_kind::control,
          .text = "maintenance",
          .caller = {.pid = 815, .uid = 1000},
          .verb = "stop",
          .change = "C-7",
          .allowed = true};
}

}  // namespace

TEST_CASE("a line says to people what has happened") {
  using detail::event_line;
  using k = event_kind;
  CHECK(event_line(failed_stop()) == "db-pool: stop failed in 1.2 s: connection reset");
  CHECK(event_line(order()) ==
        "stop allowed, asked for by pid 815 (uid 1000), change C-7: maintenance");
  lifecycle_event e = order();
  e.caller = {.sid = "S-1-5-18"};
  e.allowed = false;
  e.change = e.text = {};
  CHECK(event_line(e) == "stop denied, asked for by S-1-5-18");
  e.caller = {};
  CHECK(event_line(e) == "stop denied");
  CHECK(event_line({.kind = k::stopping, .reason = {stop_cause::signal, 15, 7, 0}}) ==
        "stopping: signal SIGTERM from pid 7 (uid 0)");
  CHECK(event_line({.kind = k::run_ended, .text = "stopped, exit code 0"}) ==
        "ended: stopped, exit code 0");
  CHECK(event_line({.kind = k::lost, .text = "3 events are lost"}) == "3 events are lost");
  CHECK(event_line({.kind = k::progress, .part = "cache", .text = "half"}) == "cache: half");
  CHECK(event_line({.kind = k::step_late,
                    .part = "cache",
                    .step = component_step::drain,
                    .elapsed = 4500ms,
                    .limit = 5s}) == "cache: drain has used 4.5 s of 5 s");
  for (int kind = 0; kind <= static_cast<int>(k::control); ++kind)
    CHECK_FALSE(event_line({.kind = static_cast<k>(kind), .text = "t"}).empty());
}

TEST_CASE("what went wrong matters more than what goes as it should") {
  using k = event_kind;
  const auto level = [](lifecycle_event e) { return detail::severity_of(e); };
  CHECK(level({.kind = k::abandoned}) == severity::error);
  CHECK(level({.kind = k::fault}) == severity::error);
  CHECK(level({.kind = k::run_ended, .outcome = step_outcome::failed}) == severity::error);
  CHECK(level({.kind = k::run_ended}) == severity::notice);
  CHECK(level({.kind = k::step_ended}) == severity::info);
  CHECK(level({.kind = k::step_ended, .outcome = step_outcome::late}) == severity::warning);
  CHECK(level({.kind = k::lost}) == severity::warning);
  CHECK(level({.kind = k::control}) == severity::warning);
  CHECK(level(order()) == severity::notice);
  CHECK(level({.kind = k::progress}) == severity::debug);
  CHECK(level({.kind = k::step_began}) == severity::debug);
}

TEST_CASE("a log is written to or there is none and nothing is lost either way") {
  system_log log("curfew-test");
  for (int k = 0; k <= static_cast<int>(event_kind::control); ++k)
    log.write({.kind = static_cast<event_kind>(k), .part = "p", .text = "a\nb\xff"});
  CHECK(log.flush({}));
  CHECK(log.lost() == 0);
}

#if CURFEW_LINUX

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

/// Where journald would listen.
class fake_journal {
 public:
  explicit fake_journal(std::string path) : path_(std::move(path)) { listen(); }
  fake_journal(const fake_journal&) = delete;
  fake_journal& operator=(const fake_journal&) = delete;
  ~fake_journal() { close(socket_); }

  void restart() {
    close(socket_);
    unlink(path_.c_str());
    listen();
  }
  std::string take() const {
    std::string bytes(1 << 20, '\0');
    const ssize_t n = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }

 private:
  void listen() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.size() < sizeof address.sun_path);
    path_.copy(address.sun_path, path_.size());
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  std::string path_;
  int socket_ = -1;
};

/// As journald reads an entry: a line with '=', or a name, a length and so many bytes.
fields parse(std::string_view bytes) {
  fields all;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    REQUIRE(end != bytes.npos);
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    if (equals != line.npos) {
      all.emplace_back(line.substr(0, equals), line.substr(equals + 1));
      continue;
    }
    REQUIRE(bytes.size() >= 8);
    std::uint64_t size = 0;
    for (unsigned i = 0; i != 8; ++i)
      size |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    REQUIRE(bytes.size() >= 8 + size + 1);
    all.emplace_back(line, bytes.substr(8, size));
    REQUIRE(bytes[8 + size] == '\n');
    bytes.remove_prefix(8 + size + 1);
  }
  return all;
}

fields entry(const lifecycle_event& e) {
  return parse(detail::journal_entry("orders", detail::severity_of(e), e));
}

std::string value(const fields& all, std::string_view name) {
  std::string found = "(none)";
  for (const auto& [n, v] : all) {
    if (n != name) continue;
    CHECK(found == "(none)");
    found = v;
  }
  return found;
}

}  // namespace

TEST_CASE("an entry has the fields that journalctl knows and those of curfew") {
  CHECK(entry(failed_stop()) ==
        fields{{"MESSAGE", "db-pool: stop failed in 1.2 s: connection reset"},
               {"PRIORITY", "4"},
               {"SYSLOG_IDENTIFIER", "orders"},
               {"MESSAGE_ID", "526b136828884df1a8fd568976c28b06"},
               {"CODE_FILE", "src/db.cpp"},
               {"CODE_LINE", "42"},
               {"CURFEW_EVENT", "step ended"},
               {"CURFEW_PART", "db-pool"},
               {"CURFEW_STEP", "stop"},
               {"CURFEW_OUTCOME", "failed"},
               {"CURFEW_ELAPSED_US", "1200000"},
               {"CURFEW_LIMIT_US", "5000000"},
               {"CURFEW_TEXT", "connection reset"}});
  const fields stop =
      entry({.kind = event_kind::stopping, .reason = {stop_cause::signal, 15, 7, 1000}});
  CHECK(value(stop, "CURFEW_REASON") == "signal SIGTERM from pid 7 (uid 1000)");
  CHECK(value(stop, "CURFEW_REASON_CAUSE") == "signal");
  CHECK(value(stop, "CURFEW_REASON_CODE") == "15");
  CHECK(value(stop, "CURFEW_ACTOR_PID") == "7");
  CHECK(value(stop, "CURFEW_ACTOR_UID") == "1000");
  CHECK(value(stop, "CODE_FILE") == "(none)");
  const fields asked = entry(order());
  CHECK(value(asked, "CURFEW_VERB") == "stop");
  CHECK(value(asked, "CURFEW_CHANGE") == "C-7");
  CHECK(value(asked, "CURFEW_DECISION") == "allow");
}

TEST_CASE("no value can become a field of its own") {
  lifecycle_event e = failed_stop();
  e.text = e.part = "first\n_UID=0\nPRIORITY=0\n";
  const fields all = entry(e);
  CHECK(value(all, "_UID") == "(none)");
  CHECK(value(all, "PRIORITY") == "4");
  CHECK(value(all, "CURFEW_TEXT") == e.text);
  CHECK(value(all, "CURFEW_PART") == e.part);
  const std::string large(300, '\n');  // a length of two bytes
  e.text = large;
  CHECK(value(entry(e), "CURFEW_TEXT") == large);
}

TEST_CASE("each kind has an identifier of its own") {
  std::vector<std::string> ids;
  for (int k = 0; k <= static_cast<int>(event_kind::control); ++k) {
    const std::string id = detail::message_id(static_cast<event_kind>(k));
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == id.npos);
    for (const std::string& other : ids) CHECK(other != id);
    ids.push_back(id);
  }
}

TEST_CASE("entries arrive one in each datagram and a text that is too long is cut") {
  const temporary_folder folder;
  const fake_journal journal(folder.file("socket"));
  detail::journal_port port("orders", folder.file("socket"));
  REQUIRE(port.is_open());
  CHECK(port.put(severity::warning, failed_stop()));
  CHECK(port.put(severity::notice, order()));
  CHECK(value(parse(journal.take()), "CURFEW_STEP") == "stop");
  CHECK(value(parse(journal.take()), "CURFEW_VERB") == "stop");
  CHECK(journal.take().empty());
  const std::string large(10'000'000, 'x');
  lifecycle_event e = failed_stop();
  e.text = e.part = large;
  CHECK(port.put(severity::warning, e));
  CHECK(value(parse(journal.take()), "CURFEW_TEXT").size() == 8192);
}

TEST_CASE("a journal that is restarted gets the next entry") {
  const temporary_folder folder;
  fake_journal journal(folder.file("socket"));
  detail::journal_port port("orders", folder.file("socket"));
  CHECK(port.put(severity::notice, order()));
  journal.restart();
  CHECK(port.put(severity::notice, order()));
  CHECK(value(parse(journal.take()), "CURFEW_VERB") == "stop");
}

TEST_CASE("a journal that does not read is waited for once and entries are lost until it does") {
  const temporary_folder folder;
  const fake_journal journal(folder.file("socket"));
  detail::journal_port port("orders", folder.file("socket"));
  while (port.put(severity::notice, order())) {
  }
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i != 1000; ++i) CHECK_FALSE(port.put(severity::notice, order()));
  CHECK(std::chrono::steady_clock::now() - before < 100s);  // not half a second for each
  CHECK_FALSE(journal.take().empty());
  CHECK(port.put(severity::notice, order()));
}

TEST_CASE("where there is no journal there is no log") {
  const temporary_folder folder;
  CHECK_FALSE(detail::journal_port("orders", folder.file("socket")).is_open());
}

#endif

#if CURFEW_WINDOWS
TEST_CASE("an event of the log has its fields in its text and a number of its own") {
  CHECK(detail::event_log_text(failed_stop()) ==
        "db-pool: stop failed in 1.2 s: connection reset\n"
        "\nevent: step ended\npart: db-pool\nstep: stop\noutcome: failed\nelapsed_us: 1200000"
        "\nlimit_us: 5000000\ntext: connection reset");
  CHECK(detail::event_id(event_kind::run_began) == 100);
  CHECK(detail::event_id(event_kind::control) == 115);
  CHECK(system_log("curfew-test").is_open());
}

TEST_CASE("a source whose name is no text is no log") {
  system_log log("\xff");
  CHECK_FALSE(log.is_open());
  log.write(failed_stop());
  CHECK(log.lost() == 0);
}
#endif
