# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets mean for a machine, asked without gdb and without a socket."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from ringscope.emulator.debug.gdb.description import DESCRIPTIONS
from ringscope.emulator.debug.gdb.files import Files
from ringscope.emulator.debug.gdb.monitor import Monitor
from ringscope.emulator.debug.gdb.packet import unescape
from ringscope.emulator.debug.gdb.processes import Processes
from ringscope.emulator.debug.gdb.stub import Leave, Motion, Stub, Way
from ringscope.emulator.debug.halt import Why
from tests.machine import small_kernels
from tests.machine.guests import image

FILES = {"/kernel": b"\x7fELF and so on", "/a": b"program}#$*"}
#: Where two_spaces.c has other code in each of two address spaces, and data a page further.
COMMON = 0x80_0000_0000
SPACES = ("two_spaces", "aarch64/two_spaces")


class Conversation:
    """A stub, and a machine that does what it says."""

    def __init__(self, control) -> None:
        self.control = control
        self.processes = Processes(lambda space: "a" if space == 1 else None)
        self.stub = Stub(
            control, self.processes, Files(FILES), Monitor(control, self.processes), goes_back=False
        )

    def ask(self, packet: str) -> str:
        """Send a packet, carry out what it asks for and return the last answer."""
        answer = self.stub.answer(packet.encode())
        if isinstance(answer, Motion):
            halt = self.control.step() if answer.way is Way.STEP else self.control.resume()
            return self.stub.stopped(halt).decode()
        assert isinstance(answer, list)
        return answer[-1].decode("latin-1") if answer else ""


@pytest.fixture
def talk(make_control):
    def talk(image, *features: str) -> Conversation:
        conversation = Conversation(make_control(image))
        conversation.ask("qSupported:" + ";".join(features))
        return conversation

    return talk


@pytest.fixture
def small(talk, tmp_path):
    return talk(small_kernels.write("wide", tmp_path), "multiprocess+")


# ---- descriptions ----


@pytest.mark.parametrize("arch", DESCRIPTIONS)
def test_the_description_is_xml_and_numbers_every_register_once(arch) -> None:
    description = DESCRIPTIONS[arch]
    root = ET.fromstring(description.xml.partition("?>")[2])  # noqa: S314  our own
    numbers = [int(register.get("regnum")) for register in root.iter("reg")]
    assert numbers == list(description.by_number)
    assert len(set(numbers)) == len(numbers)


def test_x86_is_x86_64_from_the_first_instruction_on(small) -> None:
    assert "i386:x86-64" in small.ask("qXfer:features:read:target.xml:0,2000")
    assert small.ask("p10") == small_kernels.ENTRY.to_bytes(8, "little").hex()  # rip is register 16


def test_a_long_document_is_read_in_parts(small) -> None:
    whole = DESCRIPTIONS["x86_64"].xml
    parts = [small.ask(f"qXfer:features:read:target.xml:{at:x},400") for at in range(0, len(whole), 0x400)]
    assert "".join(part[1:] for part in parts) == whole
    assert [part[0] for part in parts] == ["m"] * (len(parts) - 1) + ["l"]


@pytest.mark.parametrize(("name", "size"), [("two_spaces", 536), ("aarch64/two_spaces", 788)])
def test_the_general_registers_come_in_one_packet(talk, name, size) -> None:
    """In as many bytes as gdb expects without a description: the core's, and SSE's or the FPU's."""
    assert len(talk(image(name), "multiprocess+").ask("g")) == 2 * size


# ---- registers and memory ----


def test_registers_are_read_and_written_one_by_one(small) -> None:
    assert small.ask("P0=efcdab8967452301") == "OK"
    assert small.ask("p0") == "efcdab8967452301"
    assert small.control.register("rax") == 0x0123456789ABCDEF


def test_registers_written_together_are_read_together(small) -> None:
    small.ask("P1=1122334455667788")
    before = small.ask("g")
    small.ask("P1=0000000000000000")
    assert small.ask("G" + before) == "OK"
    assert small.ask("g") == before


def test_memory_is_written_in_hex_and_in_binary(small) -> None:
    assert small.ask("M2000,3:010203") == "OK"
    assert small.ask("X2003,2:}\x03}\x04") == "OK"
    assert small.ask("m2000,5") == "0102032324"


@pytest.mark.parametrize(
    "packet",
    ["m", "mzz,1", "M0,2:00", "p999", "pxx", "P0", "Z9,0,1", "Z2,10,0", "Z2,ffffffffffffffff,2", "G0",
     "vCont;x:p1.1", "Hgp77.1", "qXfer:features:read:target.xml:x,y", "vCont;r1:p1.1", "bs", "bc",
     "qRcmd,zz"],
)  # fmt: skip
def test_what_cannot_be_is_answered_with_an_error(small, packet) -> None:
    assert small.ask(packet).startswith("E0")


@pytest.mark.parametrize("packet", ["", "Q", "vUnknown", "qSearch:memory:0", "!", "R00", "\xff\x00"])
def test_what_is_not_known_is_answered_with_nothing(small, packet) -> None:
    assert small.ask(packet) == ""


# ---- moving ----


def test_a_step_stops_the_process_that_was_stepped(small) -> None:
    assert small.ask("?") == "T05thread:p1.1;"
    assert small.ask("vCont;s:p1.1") == "T05thread:p1.1;"
    assert small.control.instructions == 1


def test_a_software_and_a_hardware_breakpoint_say_which_they_are(small) -> None:
    loop = small.control.step(2).pc
    small.ask(f"Z0,{loop + 3:x},1")
    small.ask(f"Z1,{loop + 6:x},1")
    assert small.ask("vCont;c:p1.-1") == "T05swbreak:;thread:p1.1;"
    assert small.ask("vCont;c:p1.-1") == "T05hwbreak:;thread:p1.1;"
    small.ask(f"z0,{loop + 3:x},1")
    assert small.ask("vCont;c:p1.-1") == "T05hwbreak:;thread:p1.1;"


def test_more_breakpoints_than_there_can_be_are_an_error_and_the_machine_stays(small) -> None:
    for n in range(65):
        assert small.ask(f"Z0,{n:x},1") == "OK"
    before = small.control.instructions
    assert small.ask("vCont;c:p1.-1") == "E01"
    assert small.control.instructions == before


@pytest.mark.parametrize("name", SPACES)
def test_a_breakpoint_through_a_process_counts_in_its_space_alone(talk, name) -> None:
    conversation = talk(image(name), "multiprocess+")
    control = conversation.control
    conversation.ask(f"Z0,{COMMON:x},1")
    roots = []
    while len(roots) < 2:
        assert conversation.ask("vCont;c:p1.-1") == "T05swbreak:;thread:p1.1;"
        roots += [control.space] if control.space not in roots else []
    conversation.ask(f"z0,{COMMON:x},1")
    second = conversation.processes.of(roots[1])
    conversation.ask(f"Hgp{second.pid:x}.1")
    conversation.ask(f"Z0,{COMMON:x},1")
    for _ in range(10):
        assert conversation.ask("vCont;c") == f"T05swbreak:;thread:p{second.pid:x}.1;"
        assert control.space == roots[1]


@pytest.mark.parametrize("name", SPACES)
def test_memory_is_that_of_the_process_looked_at(talk, name) -> None:
    conversation = talk(image(name), "multiprocess+")
    control = conversation.control
    roots = []
    control.add_breakpoint(COMMON)
    while len(roots) < 2:
        control.resume()
        roots += [control.space] if control.space not in roots else []
    pids = [conversation.processes.of(root).pid for root in roots]
    words = []
    for pid in pids:
        conversation.ask(f"Hgp{pid:x}.1")
        words.append(conversation.ask(f"m{COMMON + 0x1000:x},2"))
    assert words == [(300).to_bytes(2, "little").hex(), (4000).to_bytes(2, "little").hex()]


@pytest.mark.parametrize("name", SPACES)
def test_registers_of_a_process_that_does_not_run_are_unknown(talk, name) -> None:
    conversation = talk(image(name), "multiprocess+")
    pid = conversation.processes.of(conversation.control.space + 0x1000).pid
    conversation.ask(f"Hgp{pid:x}.1")
    registers = conversation.ask("g")
    assert registers.startswith("x" * 16)
    assert set(registers) == {"x", "0"}  # but for the program counter
    assert conversation.ask("P0=0000000000000000") == "E01"


@pytest.mark.parametrize(("name", "stepped"), [("two_spaces", 1), ("aarch64/two_spaces", 0)])
def test_gdbs_own_step_behind_a_watchpoint_is_made_where_it_expects_to_be_told_afterwards(
    talk, name, stepped
) -> None:
    """On AArch64 gdb believes the access still to come, takes the watchpoint away and steps."""
    conversation = talk(image(name))
    data = COMMON + 0x1000
    conversation.ask(f"Z2,{data:x},4")
    assert conversation.ask("vCont;c").startswith(f"T05watch:{data:x};")
    before = conversation.control.instructions
    conversation.ask(f"z2,{data:x},4")
    assert conversation.ask("vCont;s") in ("T05thread:1;", f"T05watch:{data:x};thread:1;")
    assert conversation.control.instructions - before == stepped
    conversation.ask("vCont;s")
    assert conversation.control.instructions - before == stepped + 1


# ---- the end ----


def test_every_process_ends_with_the_guests_status(talk, tmp_path) -> None:
    conversation = talk(small_kernels.write("exit-3", tmp_path), "multiprocess+")
    conversation.processes.of(0x5000)
    assert conversation.ask("vCont;c:p1.-1") == "W03;process:1"
    assert conversation.ask("vCont;c:p2.-1") == "W03;process:2"
    assert conversation.ask("qfThreadInfo") == "m"


def test_a_guest_that_crashed_is_shown_before_it_ends(talk, tmp_path) -> None:
    conversation = talk(small_kernels.write("triple-fault", tmp_path))
    assert conversation.ask("vCont;c") == "T06thread:1;"
    assert conversation.ask("m100000,4") != "E01"
    assert conversation.ask("vCont;c") == "W7e"  # 126


@pytest.mark.parametrize(
    ("packet", "leave"),
    [(b"D", Leave.DETACH), (b"D;1", Leave.DETACH), (b"k", Leave.KILL), (b"vKill;1", Leave.KILL)],
)
def test_gdb_lets_go(small, packet, leave) -> None:
    assert small.stub.answer(packet)[1] is leave


def test_detaching_from_a_program_keeps_the_machine(small) -> None:
    pid = small.processes.of(0x5000).pid
    assert small.ask(f"D;{pid:x}") == "OK"
    assert small.ask(f"Tp{pid:x}.1") == "E01"
    assert small.ask("Tp1.1") == "OK"


# ---- files and commands ----


def test_a_program_is_read_as_a_file(small) -> None:
    small.processes.of(1)
    assert small.ask("qXfer:exec-file:read:2:0,100") == "l/a"
    assert small.ask("vFile:open:2f61,0,0") == "F3"
    size, _, data = small.ask("vFile:pread:3,100,0").partition(";")
    assert unescape(data.encode()) == FILES["/a"]
    assert int(size[1:], 16) == len(FILES["/a"])
    assert small.ask("vFile:close:3") == "F0"
    assert small.ask("vFile:pread:3,100,0") == "F-1,9"


def test_files_of_the_host_are_not_there(small) -> None:
    assert small.ask(f"vFile:open:{b'/etc/passwd'.hex()},0,0") == "F-1,2"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("help", "monitor counters"),
        ("", "monitor counters"),
        ("counters", "instructions                           2               0:u               2:k"),
        ("cycles", "simulated time"),
        ("ledger", "no marked operation"),
        ("spaces", "process 1              in force  kernel"),
        ("walk 0x100000", "0x100000 is at physical 0x100000"),
        ("walk", "takes one address"),
        ("walk zz", "takes one address"),
        ("jump", "no such command"),
    ],
)
def test_monitor_commands_answer_with_text(small, command, says) -> None:
    small.control.step(2)
    *texts, last = small.stub.answer(b"qRcmd," + command.encode().hex().encode())
    assert last == b"OK"
    assert says in b"".join(bytes.fromhex(text[1:].decode()) for text in texts).decode()


@pytest.mark.parametrize(("name", "last"), [("two_spaces", "PTE"), ("aarch64/two_spaces", "level 3")])
def test_a_walk_names_every_entry_down_to_the_page(talk, name, last) -> None:
    conversation = talk(image(name), "multiprocess+")
    conversation.ask(f"Z0,{COMMON:x},1")
    conversation.ask("vCont;c:p1.-1")
    texts = conversation.stub.answer(b"qRcmd," + f"walk {COMMON:#x}".encode().hex().encode())[:-1]
    lines = b"".join(bytes.fromhex(text[1:].decode()) for text in texts).decode().splitlines()
    assert lines[-2].startswith(last)
    assert lines[-1] == f"{COMMON:#x} is at physical {conversation.control.engine.physical(COMMON):#x}"


def test_a_run_by_packets_counts_what_a_free_run_counts(talk) -> None:
    conversation = talk(image("two_spaces"), "multiprocess+")
    conversation.ask(f"Z2,{COMMON + 0x1000:x},4")
    conversation.ask(f"Z0,{COMMON:x},1")
    said = ""
    while not said.startswith("W"):
        said = conversation.ask("vCont;c:p1.-1")
    machine = conversation.control.machine
    seen = (machine.books(), machine.engine.time)
    assert conversation.control.resume().why is Why.END
    machine.engine.close()
    free = talk(image("two_spaces")).control
    free.resume()
    assert (free.machine.books(), free.machine.engine.time) == seen
