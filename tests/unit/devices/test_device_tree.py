# SPDX-License-Identifier: GPL-2.0-or-later
"""Device trees against the Devicetree Specification, and the ARM board's against QEMU's `virt`."""

from __future__ import annotations

import importlib.util
import subprocess
import tomllib
from pathlib import Path

import pytest

from ringscope.emulator.platforms.device_tree import Node, cells, flatten, pairs, text
from ringscope.emulator.platforms.virt_config import DEFAULT, VirtConfig
from ringscope.emulator.platforms.virt_tree import BootArguments, device_tree

RAM = 128 << 20
QEMU = "qemu-system-aarch64"


def _reader():
    """Import the reader beside this file, which is in no package."""
    spec = importlib.util.spec_from_file_location(
        "flattened_tree", Path(__file__).with_name("flattened_tree.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tree


Tree = _reader()


class TestWriter:
    """The format."""

    def small(self):
        root = Node("", {"model": text("m")})
        child = root.add("child@1", {"reg": cells(1), "odd_bytes": b"abc"})
        child.add("grandchild")
        root.add("other", {"reg": pairs(2)})
        return root

    def test_the_header_tells_where_everything_is(self):
        blob = flatten(self.small())
        header = Tree(blob).header
        assert (header["magic"], header["version"], header["compatible"]) == (0xD00DFEED, 17, 16)
        assert header["total"] == len(blob)
        assert header["reservations"] % 8 == 0
        assert header["structure"] + header["size"] == header["strings"]
        assert header["strings"] + header["strings_size"] == len(blob)

    def test_nodes_and_properties_come_back(self):
        tree = Tree(flatten(self.small()))
        assert tree.nodes == ["/", "/child@1", "/child@1/grandchild", "/other"]
        assert tree.properties == {
            "/:model": b"m\0",
            "/child@1:reg": b"\0\0\0\1",
            "/child@1:odd_bytes": b"abc",
            "/other:reg": b"\0\0\0\0\0\0\0\2",
        }

    def test_a_propertys_name_is_stored_once(self):
        assert flatten(self.small()).count(b"reg\0") == 1

    def test_reserved_memory_and_the_boot_processor_are_named(self):
        tree = Tree(flatten(self.small(), [(0x4000_0000, 0x1000)], boot_cpu=3))
        assert (tree.reserved, tree.header["boot_cpu"]) == ([(0x4000_0000, 0x1000)], 3)

    def test_the_same_tree_gives_the_same_bytes(self):
        assert flatten(self.small()) == flatten(self.small())


@pytest.fixture(scope="module")
def config():
    return VirtConfig.load()


@pytest.fixture(scope="module")
def tree(config):
    boot = BootArguments("console=ttyAMA0 quiet", (0x4800_0000, 0x4800_1234))
    return Tree(device_tree(config, RAM, "cortex-a53", boot))


class TestBoard:
    """What the board says of itself."""

    def test_memory_is_where_it_is(self, tree):
        assert tree.pairs("/memory@40000000:reg") == [0x4000_0000, RAM]
        assert tree.text("/memory@40000000:device_type") == ["memory"]

    def test_the_boot_loader_is_heard(self, tree):
        assert tree.text("/chosen:bootargs") == ["console=ttyAMA0 quiet"]
        assert tree.pairs("/chosen:linux,initrd-start") == [0x4800_0000]
        assert tree.pairs("/chosen:linux,initrd-end") == [0x4800_1234]

    def test_without_command_line_and_disk_there_is_no_word_of_them(self, config):
        bare = Tree(device_tree(config, RAM, "cortex-a53", BootArguments()))
        assert [key for key in bare.properties if key.startswith("/chosen:")] == ["/chosen:stdout-path"]

    def test_the_console_is_a_node_that_exists(self, tree):
        assert tree.text("/chosen:stdout-path")[0] in tree.nodes

    def test_the_processor_is_the_profiles(self, tree):
        assert tree.text("/cpus/cpu@0:compatible") == ["arm,cortex-a53"]

    def test_every_interrupt_has_three_cells_for_the_one_controller(self, tree):
        (controller,) = tree.by_compatible(b"arm,cortex-a15-gic")
        assert tree.cells(f"{controller}:#interrupt-cells") == [3]
        assert tree.cells("/:interrupt-parent") == tree.cells(f"{controller}:phandle")
        lengths = [len(value) % 12 for key, value in tree.properties.items() if key.endswith(":interrupts")]
        assert len(lengths) == 3 + 32
        assert not any(lengths)

    def test_every_clock_is_that_of_the_fixed_clock(self, tree):
        (clock,) = tree.by_compatible(b"fixed-clock")
        handles = {handle for key in tree.properties if key.endswith(":clocks") for handle in tree.cells(key)}
        assert [*handles] == tree.cells(f"{clock}:phandle")
        assert tree.cells(f"{clock}:clock-frequency") == [24_000_000]

    def test_a_number_changed_in_the_description_changes_in_the_tree(self):
        tables = tomllib.loads(DEFAULT.read_text())
        tables["uart"] |= {"base": 0x0905_0000, "spi": 5}
        moved = Tree(
            device_tree(VirtConfig.from_tables(tables, "my.toml"), RAM, "cortex-a53", BootArguments())
        )
        assert moved.text("/chosen:stdout-path") == ["/pl011@9050000"]
        assert moved.cells("/pl011@9050000:interrupts") == [0, 5, 4]


@pytest.fixture(scope="module")
def qemu(require_program, tmp_path_factory):
    """The tree that QEMU makes for the same machine."""
    require_program(QEMU)
    file = tmp_path_factory.mktemp("qemu") / "virt.dtb"
    command = [QEMU, "-M", f"virt,gic-version=2,dumpdtb={file}", "-cpu", "cortex-a57", "-m", "128M"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return Tree(file.read_bytes())


class TestAgainstQemu:
    """The same chips at the same places on the same interrupts."""

    @pytest.mark.parametrize(
        "compatible", ["arm,pl011", "arm,pl031", "virtio,mmio", "arm,cortex-a15-gic", "arm,armv8-timer"]
    )
    def test_a_chip_has_the_same_windows_and_interrupts(self, tree, qemu, compatible):
        def places(found):
            keys = ("reg", "interrupts")
            paths = found.by_compatible(compatible.encode())
            assert paths
            return {path: [found.properties.get(f"{path}:{key}") for key in keys] for path in paths}

        assert places(tree) == places(qemu)

    def test_memory_and_console_are_the_same(self, tree, qemu):
        for key in ("/memory@40000000:reg", "/chosen:stdout-path", "/:#address-cells", "/:#size-cells"):
            assert tree.properties[key] == qemu.properties[key], key

    def test_firmware_is_called_by_the_same_instruction(self, tree, qemu):
        assert tree.properties["/psci:method"] == qemu.properties["/psci:method"] == b"hvc\0"
        assert set(tree.text("/psci:compatible")) <= set(qemu.text("/psci:compatible"))

    def test_the_clocks_of_the_serial_port_run_at_the_same_rate(self, tree, qemu):
        def rate(found):
            (clock,) = found.by_compatible(b"fixed-clock")
            return found.cells(f"{clock}:clock-frequency")

        assert rate(tree) == rate(qemu)
