#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""An installed curfew, found by pkg-config, after its prefix has been moved."""
import os
import shutil
import sys

from shared.consumer import (PROGRAM, VERSION, check_stop, install_with_cmake, must, needs, readme, require,
                             shell, test)


def pkg_config(work):
    needs("pkg-config")
    prefix = install_with_cmake(work)
    os.environ["PKG_CONFIG_PATH"] = str(prefix / "share/pkgconfig")
    version = must("pkg-config", "--modversion", "curfew").strip()
    require(version == VERSION, f"pkg-config says version {version}")
    libraries = must("pkg-config", "--libs", "curfew").strip()
    require(not libraries, f"it is headers alone, and pkg-config names {libraries}")
    shutil.copy(PROGRAM, work)
    shell(readme("pkg-config"), work)
    check_stop(work / "orders")


if __name__ == "__main__":
    sys.exit(test(pkg_config))
