// SPDX-License-Identifier: BSL-1.0
//
// The main function of every test program. doctest calls it a success when a filter matches no
// test case at all; here that is a failure, so that no test passes by running nothing.
#define DOCTEST_CONFIG_IMPLEMENT
#include "doctest/doctest.h"

#include <csignal>
#include <cstdio>

namespace {

// A test runner that was started by nohup or by a shell's & ignores signals, and so would this
// program and all that it starts.
void take_default_signals() {
#if defined(SIGHUP)
  std::signal(SIGHUP, SIG_DFL);
  std::signal(SIGQUIT, SIG_DFL);
#endif
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

unsigned cases_run = 0;

struct case_counter : doctest::IReporter {
  explicit case_counter(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override { ++cases_run; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

REGISTER_LISTENER("case_counter", 1, case_counter);

}  // namespace

int main(int argc, char** argv) {
  take_default_signals();
  doctest::Context context(argc, argv);
  const int result = context.run();
  if (context.shouldExit() || result != 0) return result;
  if (cases_run != 0) return 0;
  std::fputs("error: no test case was run\n", stderr);
  return 1;
}
