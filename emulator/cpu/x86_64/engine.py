# SPDX-License-Identifier: GPL-2.0-or-later
"""An x86 processor: Multiboot entry, NMI, the time-stamp counter, instructions that the engine lacks."""

from __future__ import annotations

from ringscope.emulator.cpu.engine import Engine
from ringscope.emulator.cpu.x86_64 import invpcid, layout, proof, stack_fault

INT1 = b"\xf1"
#: As FNINIT and a reset leave it (Intel SDM volume 3, table 10-1); the engine begins with zeroes.
FLOATING_POINT_STATE = {"fpcw": 0x037F, "fptag": 0xFFFF, "mxcsr": 0x1F80}
#: Model-specific registers that have a name (Intel SDM volume 4, table 2-2).
MSRS = {**layout.MSRS, "efer": 0xC0000080, "kernel_gs_base": 0xC0000102}
X87_STACK = frozenset(f"st{n}" for n in range(8))  # 80 bits each
UNDEFINED, CARRIED_OUT, DEBUG_TRAP, PROTECTION, PAGE_FAULT = range(5)  # enum invalid_answer of core.h


class X86Engine(Engine):
    """One x86 processor and its RAM."""

    arch = "x86_64"
    layout = layout
    proof = proof
    program_counter = "rip"

    def enter_multiboot(self, entry: int, eax: int, ebx: int) -> None:
        """Put the processor into the state in which a multiboot loader enters a kernel."""
        self._native.core_enter_multiboot(self._core, entry, eax, ebx)
        for name, value in FLOATING_POINT_STATE.items():
            self.set_register(name, value)

    def raise_nmi(self) -> None:
        """Pulse the pin of the non-maskable interrupt."""
        self._native.core_raise_nmi(self._core)

    @property
    def nmi_pending(self) -> bool:
        """Whether a non-maskable interrupt waits and none is being handled."""
        return bool(self._native.core_nmi_pending(self._core))

    @property
    def long_mode(self) -> bool:
        """Whether EFER.LMA is set."""
        return bool(self.register("efer") & 0x400)

    @property
    def interrupt_wakes(self) -> bool:
        """Whether RFLAGS.IF is set: HLT ends when an interrupt is taken."""
        return bool(self.register("rflags") & 0x200)

    def register(self, name: str) -> int:
        """Return a register by its name: rax ... r15, rip, rflags, cs ... gs, cr0 ... cr4, efer, lstar ..."""
        if name in MSRS:
            return int(self._uc.msr_read(MSRS[name]))
        if name == "tr_base":  # of the task-state segment
            return int(self._uc.reg_read(self.layout.register_number("tr"))[1])
        if name in X87_STACK:
            significand, rest = self._uc.reg_read(self._x87_place(name))
            return int(rest << 64 | significand)
        return super().register(name)

    def model_specific(self, index: int) -> int:
        """Return a model-specific register that the engine keeps."""
        return int(self._uc.msr_read(index))

    def set_model_specific(self, index: int, value: int) -> None:
        """Write one; the engine ignores what it takes for wrong."""
        self._uc.msr_write(index, value)

    def extended_register(self, name: str) -> tuple[int, int]:
        """Return an x87 register, fp0 ... fp7: its mantissa, its sign and exponent."""
        mantissa, exponent = self._uc.reg_read(self.layout.register_number(name))
        return int(mantissa), int(exponent)

    def set_extended_register(self, name: str, mantissa: int, exponent: int) -> None:
        """Write one."""
        self._uc.reg_write(self.layout.register_number(name), (mantissa, exponent))

    def set_debug_control(self, value: int) -> None:
        """Write DR7: the breakpoints of DR0 to DR3 that were on are taken out, those that are on put in."""
        self._native.core_set_debug_control(self._core, value)

    def set_register(self, name: str, value: int) -> None:
        """Write a register."""
        if name in X87_STACK:
            parts = (value & (1 << 64) - 1, value >> 64)
            self._uc.reg_write(self._x87_place(name), parts)
        else:
            super().set_register(name, value)

    def _x87_place(self, name: str) -> int:
        """Return the API's number of the register that is st0 ... st7 now: FPSW.TOP says which is first."""
        top = self.register("fpsw") >> 11
        return layout.register_number(f"fp{(top + int(name[2:])) % 8}")

    def set_time_stamp(self, value: int) -> None:
        """Write the time-stamp counter."""
        self._native.core_set_time_stamp(self._core, value)

    @property
    def time_stamp(self) -> int:
        """The time-stamp counter."""
        return int(self._native.core_time_stamp(self._core))

    def set_tsc_aux(self, value: int) -> None:
        """Write IA32_TSC_AUX, which RDTSCP returns."""
        self._native.core_set_tsc_aux(self._core, value)

    def _invalid(self, pc: int) -> int:
        """Answer an undefined instruction; INT1 and INVPCID are ones that only the engine lacks."""
        code = self.read_virtual(pc, invpcid.LENGTH_LIMIT)
        if code[:1] == INT1:
            return DEBUG_TRAP
        found = invpcid.recognise(code, 64 if self.long_mode else 32, self.register, self.read_virtual)
        if found is None:
            return UNDEFINED
        if self.register("cs") & 3 or not found.is_valid:
            return PROTECTION
        if found.missing is not None:
            self.set_register("cr2", found.missing)
            return PAGE_FAULT
        self._native.core_invpcid(self._core, found.kind, found.pcid, found.vaddr)
        self.set_register("rip", pc + found.length)
        return CARRIED_OUT

    def _stack_fault(self, pc: int) -> int:
        return int(stack_fault.is_stack_fault(self.read_virtual(pc, stack_fault.LENGTH_LIMIT), self.register))
