# SPDX-License-Identifier: GPL-2.0-or-later
"""The interrupt controller's distributor against the ARM GIC Architecture Specification 2.0 (IHI 0048B)."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.gic_v2 import GicV2

CTLR, TYPER, ISENABLER, ICENABLER, ISPENDR = 0x000, 0x004, 0x100, 0x180, 0x200
ICPENDR, ISACTIVER, ICACTIVER, IPRIORITYR, ITARGETSR = 0x280, 0x300, 0x380, 0x400, 0x800
ICFGR, SGIR, CPENDSGIR, SPENDSGIR = 0xC00, 0xF00, 0xF10, 0xF20
IAR, EOIR = 0x0C, 0x10  # of the CPU interface
SPURIOUS = 1023
UART = 33  # an interrupt that the fixture enabled


class TestDistributor:
    """Registers and the life of an interrupt."""

    def test_it_has_288_interrupts_and_one_processor(self, reset_gic):
        assert reset_gic.dr(TYPER) == 8

    def test_a_number_of_interrupts_that_no_gic_has_is_refused(self):
        with pytest.raises(ValueError, match="multiple of 32, from 32 to 960"):
            GicV2(0, 0x1000, 100, lambda: None)

    def test_an_sgi_has_no_line(self, reset_gic):
        with pytest.raises(ValueError, match="interrupt 15 has no line; lines are 16 to 287"):
            reset_gic.gic.line(15)

    def test_its_architecture_version_is_2(self, reset_gic):
        assert reset_gic.dr(0xFE8) >> 4 & 0xF == 2
        assert [reset_gic.dr(at) for at in (0xFF0, 0xFF4, 0xFF8, 0xFFC)] == [0x0D, 0xF0, 0x05, 0xB1]

    def test_after_reset_nothing_is_enabled_but_the_sgis(self, reset_gic):
        assert (reset_gic.dr(CTLR), reset_gic.dr(ISENABLER), reset_gic.dr(ISENABLER + 4)) == (0, 0xFFFF, 0)

    def test_sgis_cannot_be_disabled(self, gic):
        gic.dw(ICENABLER, 0xFFFFFFFF)
        assert gic.dr(ISENABLER) == 0xFFFF

    def test_interrupts_beyond_the_last_do_not_exist(self, gic):
        gic.dw(ISENABLER + 9 * 4, 0xFFFFFFFF)
        gic.dw(IPRIORITYR + 288, 0x55, 1)
        assert gic.dr(ISENABLER + 9 * 4) == 0
        assert gic.dr(IPRIORITYR + 288, 1) == 0

    def test_a_zero_written_to_a_set_or_clear_register_changes_nothing(self, gic):
        gic.dw(ISENABLER + 4, 0)
        gic.dw(ICENABLER + 4, 0)
        assert gic.has(ISENABLER, UART)

    def test_priorities_are_bytes_in_words(self, gic):
        gic.dw(IPRIORITYR + 32, 0x44332211)
        assert [gic.dr(IPRIORITYR + intid, 1) for intid in range(32, 36)] == [0x11, 0x22, 0x33, 0x44]

    def test_with_one_processor_there_are_no_targets(self, gic):
        gic.dw(ITARGETSR + 32, 0x01010101)
        assert gic.dr(ITARGETSR + 32) == 0

    def test_sgis_are_edge_triggered_for_ever_and_the_others_as_programmed(self, gic):
        gic.dw(ICFGR, 0)
        gic.dw(ICFGR + 8, 0xAAAAAAAA)
        assert (gic.dr(ICFGR), gic.dr(ICFGR + 4), gic.dr(ICFGR + 8)) == (0xAAAAAAAA, 0, 0xAAAAAAAA)

    def test_the_lower_configuration_bit_reads_as_zero(self, gic):
        gic.dw(ICFGR + 8, 0xFFFFFFFF)
        assert gic.dr(ICFGR + 8) == 0xAAAAAAAA

    def test_a_level_interrupt_is_pending_as_long_as_its_line_is_high(self, gic):
        gic.raises(UART)
        assert gic.has(ISPENDR, UART)
        gic.raises(UART, level=False)
        assert not gic.has(ISPENDR, UART)
        assert not gic.irq

    def test_clearing_a_level_interrupt_does_not_silence_its_line(self, gic):
        gic.raises(UART)
        gic.dw(ICPENDR + 4, 1 << UART - 32)
        assert gic.has(ISPENDR, UART)

    def test_a_level_interrupt_that_software_made_pending_stays_so_without_its_line(self, gic):
        gic.dw(ISPENDR + 4, 1 << UART - 32)
        assert gic.cr(IAR) == UART
        gic.cw(EOIR, UART)
        assert not gic.irq

    def test_an_edge_is_remembered_when_the_line_has_fallen(self, gic):
        gic.edge(UART)
        gic.raises(UART)
        gic.raises(UART, level=False)
        assert gic.cr(IAR) == UART

    def test_an_edge_counts_once_however_long_the_line_stays_high(self, gic):
        gic.edge(UART)
        gic.raises(UART)
        assert gic.cr(IAR) == UART
        gic.cw(EOIR, UART)
        assert gic.cr(IAR) == SPURIOUS

    def test_clearing_an_edge_forgets_it(self, gic):
        gic.edge(UART)
        gic.raises(UART)
        gic.dw(ICPENDR + 4, 1 << UART - 32)
        assert not gic.irq

    def test_a_disabled_interrupt_becomes_pending_and_waits(self, gic):
        gic.dw(ICENABLER + 4, 1 << UART - 32)
        gic.raises(UART)
        assert gic.has(ISPENDR, UART)
        assert not gic.irq
        gic.enable(UART)
        assert gic.irq

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            (0x0001_0003, True),
            (0x0002_0003, False),  # to processor 1, which there is not
            (0x0100_0003, False),  # to all others
            (0x0200_0003, True),  # to itself
        ],
    )
    def test_an_sgi_reaches_the_processor_it_is_sent_to(self, gic, value, sent):
        gic.dw(SGIR, value)
        assert gic.cr(IAR) == (3 if sent else SPURIOUS)

    def test_pending_sgis_are_set_and_cleared_by_their_own_registers_alone(self, gic):
        gic.dw(ISPENDR, 0x0010)
        assert not gic.has(ISPENDR, 4)
        gic.dw(SPENDSGIR + 4, 1, 1)
        assert (gic.dr(SPENDSGIR + 4), gic.dr(CPENDSGIR + 4)) == (1, 1)
        gic.dw(ICPENDR, 0x0010)
        assert gic.has(ISPENDR, 4)
        gic.dw(CPENDSGIR + 4, 1, 1)
        assert not gic.irq

    def test_the_active_state_can_be_written(self, gic):
        gic.raises(UART)
        gic.dw(ISACTIVER + 4, 1 << UART - 32)
        assert not gic.irq
        gic.dw(ICACTIVER + 4, 1 << UART - 32)
        assert gic.irq

    def test_every_change_is_announced(self, gic):
        before = gic.changes
        gic.raises(UART)
        gic.raises(UART)
        gic.cr(IAR)
        assert gic.changes == before + 2  # the line's rise once, the acknowledgement
