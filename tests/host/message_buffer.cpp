// SPDX-License-Identifier: BSL-1.0
//
// Messages of a time in which nobody listens.
#include <curfew/host/message_buffer.hpp>
#include <curfew/host/message_sink.hpp>

#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "doctest/doctest.h"

namespace {

using curfew::message_buffer;
using curfew::severity;

struct listener final : curfew::message_sink {
  void write(severity level, std::string_view line) noexcept override {
    lines.push_back(std::to_string(static_cast<int>(level)) + " " + std::string(line));
    if (answer_to != nullptr) answer_to->write(severity::debug, "answer");
  }
  std::vector<std::string> lines;
  message_buffer* answer_to = nullptr;
};

std::vector<std::string> replayed(message_buffer& b) {
  listener to;
  b.replay(to);
  return to.lines;
}

using lines = std::vector<std::string>;

}  // namespace

// It owns nothing, so that nothing is allocated, whatever is written.
static_assert(std::is_trivially_destructible_v<message_buffer>);

TEST_CASE("what was said is heard once and in order with its severity") {
  message_buffer b;
  CHECK(replayed(b).empty());
  b.write(severity::error, "first");
  b.write(severity::info, "");
  b.write(severity::warning, "third\nin two lines");
  CHECK(b.size() == 3);
  CHECK(replayed(b) == lines{"3 first", "6 ", "4 third\nin two lines"});
  CHECK(b.size() == 0);
  CHECK(replayed(b).empty());
}

TEST_CASE("the oldest give way and are counted") {
  message_buffer b;
  const std::size_t said = 2 * message_buffer::most_lines + 3;
  for (std::size_t i = 0; i < said; ++i) b.write(severity::notice, std::to_string(i));
  CHECK(b.size() == message_buffer::most_lines);
  CHECK(b.lost() == message_buffer::most_lines + 3);
  const auto heard = replayed(b);
  REQUIRE(heard.size() == message_buffer::most_lines + 1);
  CHECK(heard[0] == "4 67 earlier messages were lost");
  CHECK(heard[1] == "5 67");
  CHECK(heard.back() == "5 " + std::to_string(said - 1));
  CHECK(b.lost() == 0);
  b.write(severity::info, "again");
  CHECK(replayed(b) == lines{"6 again"});
}

TEST_CASE("a long line is cut before a character") {
  constexpr std::size_t most = message_buffer::longest_line;
  message_buffer b;
  b.write(severity::info, std::string(most, 'x'));
  b.write(severity::info, std::string(most + 1, 'x'));
  b.write(severity::info, std::string(most - 2, 'x') + "\xe2\x82\xac");
  b.write(severity::info, std::string(most - 3, 'x') + "\xe2\x82\xac and more");
  b.write(severity::info, std::string(most - 3, 'x') + "\xf0\x9f\x94\x94");
  b.write(severity::info, std::string(2 * most, '\x80'));
  CHECK(replayed(b) == lines{"6 " + std::string(most, 'x'), "6 " + std::string(most, 'x'),
                             "6 " + std::string(most - 2, 'x'),
                             "6 " + std::string(most - 3, 'x') + "\xe2\x82\xac",
                             "6 " + std::string(most - 3, 'x'), "6 " + std::string(most, '\x80')});
}

TEST_CASE("what is written during a replay stays for the next one") {
  message_buffer b;
  b.write(severity::info, "one");
  b.write(severity::info, "two");
  listener to;
  to.answer_to = &b;
  b.replay(to);
  CHECK(to.lines == lines{"6 one", "6 two"});
  CHECK(replayed(b) == lines{"7 answer", "7 answer"});
}

TEST_CASE("a full buffer that is written to while it is replayed loses nothing without a word") {
  message_buffer b;
  for (std::size_t i = 0; i < message_buffer::most_lines; ++i) b.write(severity::info, "early");
  listener to;
  to.answer_to = &b;
  b.replay(to);
  CHECK(to.lines.size() == message_buffer::most_lines);
  CHECK(b.size() == message_buffer::most_lines);
  CHECK(b.lost() == 0);
}

TEST_CASE("several threads write and nothing is lost but the number of lines is right") {
  message_buffer b;
  constexpr std::size_t each = 100;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (std::size_t n = 0; n < each; ++n) b.write(severity::info, "line");
    });
  }
  listener to;
  for (int i = 0; i < 50; ++i) b.replay(to);
  for (auto& w : writers) w.join();
  b.replay(to);
  std::size_t heard = 0;
  for (const auto& line : to.lines) {
    const bool told = line.rfind("4 ", 0) == 0;
    heard += told ? std::stoul(line.substr(2)) : 1;
    CHECK((told || line == "6 line"));
  }
  CHECK(heard == 4 * each);
}
