# SPDX-License-Identifier: BSL-1.0
#
# An overlay port of the directory that it stands in:
#   vcpkg install curfew --overlay-ports=packaging/vcpkg
# vcpkg takes an older build from its cache as long as the files beside this one are the same:
# with --binarysource=clear it builds anew.
#
# The port of a registry begins with these lines in place of the one that follows:
#   vcpkg_from_github(
#       OUT_SOURCE_PATH SOURCE_PATH
#       REPO <owner>/curfew
#       REF "v${VERSION}"
#       SHA512 <of the archive>
#       HEAD_REF main
#   )
cmake_path(SET SOURCE_PATH NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
# End of what differs.

set(VCPKG_BUILD_TYPE release) # header-only

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DCURFEW_BUILD_TESTS=OFF
        -DCURFEW_BUILD_EXAMPLES=OFF
        -DCURFEW_BUILD_BENCHMARKS=OFF
        -DCURFEW_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/curfew)
vcpkg_fixup_pkgconfig()

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
