// SPDX-License-Identifier: BSL-1.0
//
// A file that grows at its end, by whole pieces, whoever else writes to it.
#ifndef CURFEW_SERVICE_DETAIL_APPEND_FILE_HPP
#define CURFEW_SERVICE_DETAIL_APPEND_FILE_HPP

#include <curfew/config.hpp>

// Selector: backends define, in curfew::detail:
//   class append_file   movable; closes when it is destroyed
//     void open(const std::string& path, bool anew, bool durable, unsigned mode, std::error_code&)
//          made if there is none, with this mode where there is one; anew: emptied. Durable: so is
//          that there is such a file. Never waits for a reader, nor becomes a terminal's program.
//     bool is_open() const noexcept
//     std::size_t write(std::string_view) noexcept
//          one call of the system, at the end of the file as it is then; how much of it was taken
//     static bool ends_torn(const std::string& path)
//          there is a file, it can be read, and its last byte does not end a line
//     bool sync() noexcept     true also where there is no disk behind it
#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/append_file.hpp>
#else
#include <curfew/service/detail/posix/append_file.hpp>
#endif

#endif
