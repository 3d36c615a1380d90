// SPDX-License-Identifier: BSL-1.0
//
// The arguments that ServiceMain gets, in the form that main gets its own.
#ifndef CURFEW_HOST_WINDOWS_SCM_ARGUMENTS_HPP
#define CURFEW_HOST_WINDOWS_SCM_ARGUMENTS_HPP

#include <curfew/config.hpp>

#if CURFEW_WINDOWS

#include <curfew/host/windows/scm_api.hpp>

#include <cstddef>
#include <string>
#include <vector>

CURFEW_BEGIN
namespace detail {

/// Empty when it cannot be converted.
[[nodiscard]] inline std::string narrow_argument(const wchar_t* text) {
  constexpr int up_to_its_end = -1;
  const int size = WideCharToMultiByte(code_page_of_arguments, 0, text, up_to_its_end, nullptr, 0,
                                       nullptr, nullptr);
  if (size <= 0) return {};
  std::string result(static_cast<std::size_t>(size), '\0');
  WideCharToMultiByte(code_page_of_arguments, 0, text, up_to_its_end, result.data(), size, nullptr,
                      nullptr);
  result.pop_back();
  return result;
}

/// In the code page of main's argv, with a null pointer at the end.
class narrow_arguments {
 public:
  narrow_arguments(unsigned long argc, const wchar_t* const* argv) {
    for (unsigned long i = 0; i < argc; ++i) text_.push_back(narrow_argument(argv[i]));
    for (std::string& each : text_) pointers_.push_back(each.data());
    pointers_.push_back(nullptr);
  }
  narrow_arguments(const narrow_arguments&) = delete;
  narrow_arguments& operator=(const narrow_arguments&) = delete;

  [[nodiscard]] int argc() const noexcept { return static_cast<int>(text_.size()); }
  [[nodiscard]] char** argv() noexcept { return pointers_.data(); }

 private:
  std::vector<std::string> text_;
  std::vector<char*> pointers_;
};

}  // namespace detail
CURFEW_END

#endif
#endif
