# SPDX-License-Identifier: BSL-1.0
#
# What `conan create` builds with the package that it has made, and runs and stops for real. It
# leaves nothing beside these sources.
import os
import sys

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout


class OrdersConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self, build_folder="../../../build/conan")

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if not can_run(self):
            return
        check = os.path.join(self.recipe_folder, "../shared/consumer.py")
        program = os.path.join(self.cpp.build.bindir, "orders")
        version = self.dependencies["curfew"].ref.version
        self.run(f'"{sys.executable}" "{check}" "{program}" {version}', env="conanrun")
