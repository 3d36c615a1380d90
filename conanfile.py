# SPDX-License-Identifier: BSL-1.0
#
# The package for Conan 2, made from this directory: conan create .
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class CurfewConan(ConanFile):
    name = "curfew"
    description = "Start cleanly, stop on time, and say why: a header-only C++20 toolkit"
    license = "BSL-1.0"
    topics = ("shutdown", "cancellation", "signals", "service", "lifecycle", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True
    test_package_folder = "tests/consumers/conan"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include/curfew/version.hpp"))
        lines = r"^#define CURFEW_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$"
        self.version = ".".join(re.findall(lines, header, re.MULTILINE))

    def layout(self):
        basic_layout(self, src_folder=".")

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def build(self):
        pass

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"),
             os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "curfew")
        self.cpp_info.set_property("cmake_target_name", "curfew::curfew")
        self.cpp_info.set_property("pkg_config_name", "curfew")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
