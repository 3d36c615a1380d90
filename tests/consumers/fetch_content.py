#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""FetchContent takes the installed curfew when there is one, and otherwise what a repository has."""
import sys

from shared.consumer import (build_with_cmake, check_stop, git_repository, install_with_cmake, readme,
                             require, test)


def fetch_content_without_an_installed_copy(work):
    url = git_repository(work / "origin")
    build = build_with_cmake(work, readme("fetch_content", url_of_this_repository=url))
    require((build / "_deps/curfew-src/include").exists(), "nothing was fetched")
    check_stop(build / "orders")

def fetch_content_with_an_installed_copy(work):
    prefix = install_with_cmake(work)
    use = readme("fetch_content", url_of_this_repository=f"file://{work}/nowhere")
    build = build_with_cmake(work, use, f"-DCMAKE_PREFIX_PATH={prefix}")
    require(not (build / "_deps/curfew-src/include").exists(), "something was fetched")
    check_stop(build / "orders")

if __name__ == "__main__":
    sys.exit(test(fetch_content_without_an_installed_copy, fetch_content_with_an_installed_copy))
