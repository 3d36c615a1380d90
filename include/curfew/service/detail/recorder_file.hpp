// SPDX-License-Identifier: BSL-1.0
//
// The file of a flight recorder, as the system has it.
#ifndef CURFEW_SERVICE_DETAIL_RECORDER_FILE_HPP
#define CURFEW_SERVICE_DETAIL_RECORDER_FILE_HPP

#include <curfew/config.hpp>

// Selector: backends define, in curfew::detail:
//   class recorder_file   closes, unmaps and unlocks when it is destroyed
//     void open_to_record(const std::string& path, std::error_code&)
//          the file, made if there is none, for its owner alone; nobody else records into it until
//          this is destroyed: errc::device_or_resource_busy says that somebody does, after a tenth
//          of a second in which he might have ended. No link, and nothing but a plain file:
//          errc::invalid_argument.
//     void open_to_read(const std::string& path, std::error_code&)
//     bool is_recorded_into()     now, by somebody; of one that is open to read
//     std::string read(std::size_t most, std::error_code&)      from its beginning
//     void write(const void*, std::size_t, std::error_code&)    at its beginning
//     std::uint64_t size() const noexcept
//     unsigned char* map(std::size_t size, std::error_code&) noexcept
//          makes it that long, with all of its blocks, so that no store meets a full disk, and
//          readable by its owner alone, where the system has it so
//     bool is_intact() const noexcept    nobody has cut the file short under the mapping
#if CURFEW_WINDOWS
#include <curfew/service/detail/windows/recorder_file.hpp>
#else
#include <curfew/service/detail/posix/recorder_file.hpp>
#endif

#endif
