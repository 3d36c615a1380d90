#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The headers are copied, and nothing else is done."""
import shutil
import sys

from shared.consumer import PROGRAM, ROOT, check_stop, readme, shell, test


def copied_headers(work):
    shutil.copy(PROGRAM, work)
    shell(readme("copied", curfew=ROOT), work)
    check_stop(work / "orders")


if __name__ == "__main__":
    sys.exit(test(copied_headers))
