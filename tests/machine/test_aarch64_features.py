# SPDX-License-Identifier: GPL-2.0-or-later
"""The identification registers offer what runs: what they name is used, what they leave out is not there."""

from __future__ import annotations

import pytest

from tests.machine.arm_rig import ArmRig, cortex_a57
from tests.machine.arm_snippets import DATA, SAME_SYNC, SKIP

ALLOW_VECTORS = "movz x9, #0x30, lsl #16; msr cpacr_el1, x9; isb"
UNDEFINED = 0x0200_0000  # ESR_EL1: class 0, a 32-bit instruction
NO_FAULT = 0

#: Fields by register, with the lowest of their four bits (Arm ARM D19.2), and what they are to say.
FIELDS = {
    "id_aa64pfr0_el1": {"EL0": (0, 1), "EL1": (4, 1), "EL2": (8, 0), "EL3": (12, 0), "FP": (16, 0),
                        "AdvSIMD": (20, 0), "GIC": (24, 0), "RAS": (28, 0), "SVE": (32, 0)},
    "id_aa64pfr1_el1": {"BT": (0, 0), "SSBS": (4, 0), "MTE": (8, 0)},
    "id_aa64dfr0_el1": {"DebugVer": (0, 6), "TraceVer": (4, 0), "PMUVer": (8, 0), "PMSVer": (32, 0)},
    "id_aa64isar0_el1": {"AES": (4, 2), "SHA1": (8, 1), "SHA2": (12, 1), "CRC32": (16, 1), "Atomic": (20, 0),
                         "RDM": (28, 0), "SHA3": (32, 0), "DP": (44, 0), "TS": (52, 0), "RNDR": (60, 0)},
    "id_aa64isar1_el1": {"DPB": (0, 0), "APA": (4, 0), "JSCVT": (12, 0), "FCMA": (16, 0), "LRCPC": (20, 0)},
    "id_aa64mmfr0_el1": {"PARange": (0, 4), "ASIDBits": (4, 2), "BigEnd": (8, 0), "TGran16": (20, 0),
                         "TGran64": (24, 0xF), "TGran4": (28, 0)},
    "id_aa64mmfr1_el1": {"HAFDBS": (0, 0), "VH": (8, 0), "PAN": (20, 0), "XNX": (28, 0)},
}  # fmt: skip
ZERO_ELSEWHERE = [name for name in FIELDS if name != "id_aa64dfr0_el1"]  # that has numbers of comparators too


@pytest.fixture
def able(arm: ArmRig) -> ArmRig:
    """Vectors are allowed; what faults is skipped and leaves its syndrome in x20, which is else 0."""
    arm.handler(SAME_SYNC, f"mrs x20, esr_el1; {SKIP}")
    arm.measure(ALLOW_VECTORS)
    return arm


def result(arm: ArmRig, source: str) -> tuple[int, int]:
    """Return the syndrome of what faulted and X0."""
    arm.measure(f"movz x20, #0; {source}")
    return arm.register("x20"), arm.register("x0")


@pytest.mark.parametrize("name", FIELDS)
def test_an_identification_register_says_what_this_machine_does(able: ArmRig, name: str) -> None:
    fault, value = result(able, f"mrs x0, {name}")
    assert fault == NO_FAULT
    assert {field: value >> at & 0xF for field, (at, _) in FIELDS[name].items()} == {
        field: expected for field, (_, expected) in FIELDS[name].items()
    }


@pytest.mark.parametrize("name", ZERO_ELSEWHERE)
def test_an_identification_register_says_nothing_else(able: ArmRig, name: str) -> None:
    _, value = result(able, f"mrs x0, {name}")
    assert value & ~sum(0xF << at for at, _ in FIELDS[name].values()) == 0


@pytest.mark.parametrize("fidelity", ["timing", "functional"])
def test_it_says_so_whenever_it_is_asked(make_arm, fidelity: str) -> None:
    arm = make_arm(timing=fidelity == "timing")
    asked = "again: mrs x0, id_aa64pfr0_el1; mrs x1, id_aa64mmfr0_el1; subs x2, x2, #1; b.ne again"
    arm.measure(f"movz x2, #3; {asked}")
    assert (arm.register("x0"), arm.register("x1")) == (0x0011, 0x0F00_0024)


IGNORE_TOP = "mrs x9, tcr_el1; orr x9, x9, #0x2000000000; msr tcr_el1, x9; isb"
CRC_OF_DIGITS = "; ".join(f"movz w1, #{digit}; crc32cb w0, w0, w1" for digit in b"123456789")
# What the assembler does not know: of V0, and of V1 where there is another operand.
AESE, PMULL, SHA1H, SHA256SU0 = (
    f".word {word:#x}" for word in (0x4E28_4820, 0x0EE0_E000, 0x5E28_0800, 0x5E28_2820)
)
#: What is offered: a snippet, and what it leaves in X0.
USES = {
    "FP": ("movz x1, #3; scvtf d0, x1; fadd d0, d0, d0; fcvtzs x0, d0", 6),
    "AdvSIMD": ("movz w1, #3; dup v0.4s, w1; addv s0, v0.4s; fmov w0, s0", 12),
    # The S-box of 0 is 0x63 (FIPS 197).
    "AES": (f"movi v0.16b, #0; movi v1.16b, #0; {AESE}; umov x0, v0.d[0]", 0x6363_6363_6363_6363),
    # (x + 1) times (x + 1) is x^2 + 1.
    "PMULL": (f"movz x1, #3; fmov d0, x1; {PMULL}; fmov x0, d0", 5),
    # A rotation by 30.
    "SHA1": (f"movz w1, #4; fmov s0, w1; {SHA1H}; fmov w0, s0", 1),
    # The schedule of zeros is zeros, and of a one in the last of four words what sigma_0 makes of it.
    "SHA2": (
        f"movi v1.16b, #0; movz w1, #1; ins v1.s[0], w1; movi v0.16b, #0; {SHA256SU0}; umov w0, v0.s[3]",
        1 << 25 | 1 << 14,  # rotated by 7 and 18, shifted out by 3
    ),
    # CRC-32C of the digits 1 to 9 (RFC 3720, appendix B.4).
    "CRC32": (f"movn w0, #0; {CRC_OF_DIGITS}; mvn w0, w0", 0xE306_9283),
    "a byte on top is ignored where TCR_EL1 says so": (
        f"{IGNORE_TOP}; set x1, {DATA}; movz x2, #77; str x2, [x1]; movk x1, #0x5a00, lsl #48; ldr x0, [x1]",
        77,
    ),
}  # fmt: skip


@pytest.mark.parametrize("feature", USES)
def test_a_feature_that_is_offered_works(able: ArmRig, feature: str) -> None:
    source, expected = USES[feature]
    assert result(able, source) == (NO_FAULT, expected)


#: What is not offered: one instruction, as a word where the assembler may not know it.
ABSENT = {
    "Atomic": ".word 0xf8220020",  # ldadd x2, x0, [x1]
    "RDM": ".word 0x2e828420",  # sqrdmlah v0.2s, v1.2s, v2.2s
    "SHA3": ".word 0xce020c20",  # eor3 v0.16b, v1.16b, v2.16b, v3.16b
    "DP": ".word 0x2e829420",  # udot v0.2s, v1.8b, v2.8b
    "LRCPC": ".word 0xf8bfc020",  # ldapr x0, [x1]
    "JSCVT": ".word 0x1e7e0000",  # fjcvtzs w0, d0
    "PAN": ".word 0xd500419f",  # msr pan, #1
    "RNDR": ".word 0xd53b2400",  # mrs x0, rndr
    "a cycle counter": "mrs x0, pmccntr_el0",
    "its control": "msr pmcr_el0, x0",
    "its interrupts": "msr pmintenset_el1, x0",
    "an event counter": "mrs x0, pmevcntr0_el0",
}  # fmt: skip


@pytest.mark.parametrize("feature", ABSENT)
def test_what_is_not_offered_is_not_there(able: ArmRig, feature: str) -> None:
    fault, _ = result(able, f"set x1, {DATA}; movz x0, #9; {ABSENT[feature]}")
    assert (fault, able.register("x0")) == (UNDEFINED, 9)
    assert able.register("elr_el1") == able.end  # it was skipped


def test_lines_are_as_long_as_the_caches_say(able: ArmRig) -> None:
    _, ctr = result(able, "mrs x0, ctr_el0")
    profile = cortex_a57()
    assert (4 << (ctr & 0xF), 4 << (ctr >> 16 & 0xF)) == (profile.l1i.line, profile.l1d.line)


def test_dc_zva_clears_as_much_as_it_says(able: ArmRig) -> None:
    able.write(DATA, b"\xff" * 256)
    fault, dczid = result(able, f"set x1, {DATA + 64 + 7}; dc zva, x1; mrs x0, dczid_el0")
    assert fault == NO_FAULT
    length = 4 << (dczid & 0xF)
    assert able.read(DATA, 256) == (b"\xff" * 64 + bytes(length)).ljust(256, b"\xff")


def test_the_clock_is_the_machines(able: ArmRig) -> None:
    """Between two readings lie the cycles of what was executed, once the lines are cached."""
    source = "mrs x1, cntvct_el0; b on; on: {} mrs x0, cntvct_el0; sub x0, x0, x1"

    def distance(barriers: int) -> int:
        able.measure(source.format("dsb sy;" * barriers), warm=True)
        return able.register("x0")

    delivery = 5 / cortex_a57().width
    beyond = distance(5) - distance(0) - 5 * cortex_a57().cost["dsb"]
    assert delivery - 1 < beyond < delivery + 1  # a reading has whole cycles
