# SPDX-License-Identifier: GPL-2.0-or-later
"""The interrupt controller's CPU interface against the ARM GIC Architecture Specification 2.0 (IHI 0048B)."""

from __future__ import annotations

import pytest

CTLR, ISPENDR, ISACTIVER = 0x000, 0x200, 0x300  # of the distributor
C_CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
ABPR, AIAR, AEOIR, AHPPIR, APR, NSAPR, DIR = 0x1C, 0x20, 0x24, 0x28, 0xD0, 0xE0, 0x1000
ENABLE_0, ENABLE_1, ACK_CTL, FIQ_ENABLE, CBPR, EOI_MODE = 1, 2, 4, 8, 0x10, 0x200
SPURIOUS, GROUP_1_PENDING = 1023, 1022
TIMER, UART, DISK = 27, 33, 79  # the interrupts that the fixture enabled


class TestSignalling:
    """When the processor's inputs are high."""

    def test_nothing_passes_after_reset(self, reset_gic):
        reset_gic.enable(UART)
        reset_gic.raises(UART)
        assert not reset_gic.irq
        assert reset_gic.cr(IAR) == SPURIOUS

    @pytest.mark.parametrize("register", [CTLR, C_CTLR, PMR])
    def test_each_of_the_three_gates_closes_the_way(self, gic, register):
        gic.raises(UART)
        gic.dw(CTLR, 0) if register == CTLR else gic.cw(register, 0)
        assert not gic.irq

    def test_a_priority_equal_to_the_mask_is_masked(self, gic):
        gic.priority(UART, 0x80)
        gic.raises(UART)
        gic.cw(PMR, 0x80)
        assert not gic.irq
        gic.cw(PMR, 0x81)
        assert gic.irq

    def test_the_lowest_number_is_the_highest_priority(self, gic):
        gic.priority(UART, 0x90)
        gic.priority(DISK, 0x80)
        gic.raises(UART)
        gic.raises(DISK)
        assert gic.cr(HPPIR) == DISK

    def test_of_equal_priorities_the_lowest_interrupt_number_comes_first(self, gic):
        gic.raises(DISK)
        gic.raises(TIMER)
        gic.raises(UART)
        assert gic.cr(HPPIR) == TIMER

    def test_the_mask_hides_nothing_from_the_pending_register(self, gic):
        gic.cw(PMR, 0)
        gic.raises(UART)
        assert (gic.cr(HPPIR), gic.cr(IAR)) == (UART, SPURIOUS)


class TestTaking:
    """Acknowledging, preempting, ending."""

    def test_acknowledging_makes_active_and_lowers_the_input(self, gic):
        gic.edge(UART)
        gic.priority(UART, 0xA0)
        gic.raises(UART)
        assert gic.irq
        assert gic.cr(IAR) == UART
        assert (gic.has(ISACTIVER, UART), gic.has(ISPENDR, UART)) == (True, False)
        assert gic.cr(RPR) == 0xA0
        assert not gic.irq

    def test_nothing_to_acknowledge_reads_as_spurious(self, gic):
        assert gic.cr(IAR) == SPURIOUS

    def test_ending_a_spurious_interrupt_does_nothing(self, gic):
        gic.priority(UART, 0x50)
        gic.raises(UART)
        gic.cr(IAR)
        gic.cw(EOIR, SPURIOUS)
        assert (gic.cr(RPR), gic.has(ISACTIVER, UART)) == (0x50, True)

    def test_a_level_interrupt_comes_again_when_it_ends_with_its_line_high(self, gic):
        gic.raises(UART)
        gic.cr(IAR)
        assert (gic.has(ISPENDR, UART), gic.irq) == (True, False)  # active and pending
        gic.cw(EOIR, UART)
        assert gic.irq

    def test_an_edge_during_service_comes_after_it(self, gic):
        gic.edge(UART)
        gic.raises(UART)
        gic.cr(IAR)
        gic.raises(UART, level=False)
        gic.raises(UART)
        assert not gic.irq
        gic.cw(EOIR, UART)
        assert gic.cr(IAR) == UART

    def test_a_higher_priority_preempts_and_its_end_returns_to_the_lower(self, gic):
        gic.priority(UART, 0x80)
        gic.priority(DISK, 0x40)
        gic.raises(UART)
        gic.cr(IAR)
        gic.raises(DISK)
        assert gic.cr(IAR) == DISK
        assert gic.cr(RPR) == 0x40
        gic.cw(EOIR, DISK)
        assert gic.cr(RPR) == 0x80
        gic.raises(DISK, level=False)
        gic.raises(UART, level=False)
        gic.cw(EOIR, UART)
        assert gic.cr(RPR) == 0xFF

    @pytest.mark.parametrize(
        ("point", "preempts"),
        [(0, True), (3, True), (4, False), (7, False)],  # 0x60 and 0x70 differ in bit 4
    )
    def test_the_binary_point_says_which_bits_decide_preemption(self, gic, point, preempts):
        gic.cw(BPR, point)
        gic.priority(UART, 0x70)
        gic.priority(DISK, 0x60)
        gic.raises(UART)
        gic.cr(IAR)
        gic.raises(DISK)
        assert gic.irq is preempts

    def test_without_preemption_the_subpriority_still_orders_those_that_wait(self, gic):
        gic.cw(BPR, 7)
        gic.priority(UART, 0x70)
        gic.priority(DISK, 0x60)
        gic.raises(UART)
        gic.raises(DISK)
        assert gic.cr(IAR) == DISK

    def test_the_running_priority_shows_the_group_priority_alone(self, gic):
        gic.cw(BPR, 3)
        gic.priority(UART, 0x7F)
        gic.raises(UART)
        gic.cr(IAR)
        assert gic.cr(RPR) == 0x70

    def test_the_active_priorities_have_a_bit_for_each_pair_of_priorities(self, gic):
        gic.priority(UART, 0x80)
        gic.raises(UART)
        gic.cr(IAR)
        assert [gic.cr(APR + 4 * index) for index in range(4)] == [0, 0, 1, 0]

    def test_active_priorities_that_were_saved_can_be_restored(self, gic):
        gic.cw(APR + 8, 1)
        assert gic.cr(RPR) == 0x80
        gic.cw(APR + 8, 0)
        assert gic.cr(RPR) == 0xFF

    def test_split_ends_drop_the_priority_first_and_deactivate_later(self, gic):
        gic.cw(C_CTLR, ENABLE_0 | ENABLE_1 | EOI_MODE)
        gic.raises(UART)
        gic.cr(IAR)
        gic.cw(EOIR, UART)
        assert (gic.cr(RPR), gic.has(ISACTIVER, UART), gic.irq) == (0xFF, True, False)
        gic.cw(DIR, UART)
        assert (gic.has(ISACTIVER, UART), gic.irq) == (False, True)

    def test_without_split_ends_there_is_no_deactivation_by_itself(self, gic):
        gic.raises(UART)
        gic.cr(IAR)
        gic.cw(DIR, UART)
        assert gic.has(ISACTIVER, UART)


class TestGroups:
    """What belongs to group 1, and how the two reach the processor."""

    @pytest.fixture
    def mixed(self, gic):
        """UART in group 1, the disk in group 0 and of lower priority."""
        gic.group_1(UART)
        gic.priority(UART, 0x40)
        gic.priority(DISK, 0x80)
        return gic

    def test_group_0_is_shown_as_it_is(self, mixed):
        mixed.raises(DISK)
        assert (mixed.cr(AHPPIR), mixed.cr(AIAR), mixed.cr(IAR)) == (SPURIOUS, SPURIOUS, DISK)

    def test_group_1_is_acknowledged_through_the_alias(self, mixed):
        mixed.raises(UART)
        assert (mixed.cr(HPPIR), mixed.cr(IAR)) == (GROUP_1_PENDING, GROUP_1_PENDING)
        assert (mixed.cr(AHPPIR), mixed.cr(AIAR)) == (UART, UART)
        assert [mixed.cr(NSAPR + 4 * index) for index in range(4)] == [0, 1, 0, 0]
        mixed.raises(UART, level=False)
        mixed.cw(AEOIR, UART)
        assert (mixed.cr(RPR), mixed.has(ISACTIVER, UART)) == (0xFF, False)

    def test_ack_ctl_lets_one_register_take_both(self, mixed):
        mixed.cw(C_CTLR, ENABLE_0 | ENABLE_1 | ACK_CTL)
        mixed.raises(UART)
        assert mixed.cr(IAR) == UART

    def test_the_alias_ends_no_interrupt_of_group_0(self, mixed):
        mixed.raises(DISK)
        mixed.cr(IAR)
        mixed.cw(AEOIR, DISK)
        assert (mixed.cr(RPR), mixed.has(ISACTIVER, DISK)) == (0x80, True)

    def test_fiq_enable_sends_group_0_to_the_other_input(self, mixed):
        mixed.cw(C_CTLR, ENABLE_0 | ENABLE_1 | FIQ_ENABLE)
        mixed.raises(DISK)
        assert (mixed.irq, mixed.fiq) == (False, True)
        mixed.raises(UART)  # now the highest
        assert (mixed.irq, mixed.fiq) == (True, False)

    def test_a_group_that_the_distributor_holds_back_is_overlooked(self, mixed):
        mixed.dw(CTLR, ENABLE_0)
        mixed.raises(UART)
        mixed.raises(DISK)
        assert mixed.cr(IAR) == DISK

    def test_a_group_that_only_the_cpu_interface_disables_stands_in_the_way(self, mixed):
        mixed.cw(C_CTLR, ENABLE_0)
        mixed.raises(UART)
        mixed.raises(DISK)
        assert (mixed.irq, mixed.cr(HPPIR)) == (False, SPURIOUS)

    @pytest.mark.parametrize(("control", "running"), [(0, 0x60), (CBPR, 0x40)])
    def test_group_1_has_a_binary_point_of_its_own_unless_it_shares(self, mixed, control, running):
        mixed.cw(C_CTLR, ENABLE_0 | ENABLE_1 | ACK_CTL | control)
        mixed.cw(BPR, 5)  # bits 7..6 for group 0
        mixed.cw(ABPR, 5)  # bits 7..5 for group 1
        mixed.priority(UART, 0x7F)
        mixed.raises(UART)
        mixed.cr(IAR)
        assert mixed.cr(RPR) == running

    def test_the_binary_point_of_group_1_is_at_least_1(self, gic):
        gic.cw(ABPR, 0)
        assert gic.cr(ABPR) == 1

    def test_each_group_compares_by_its_own_binary_point(self, mixed):
        mixed.cw(C_CTLR, ENABLE_0 | ENABLE_1 | ACK_CTL)
        mixed.cw(ABPR, 7)  # bit 7 alone decides for group 1: 0x41 counts as 0
        mixed.priority(DISK, 0x40)
        mixed.priority(UART, 0x41)
        mixed.raises(DISK)
        assert mixed.cr(IAR) == DISK
        mixed.raises(UART)
        assert mixed.cr(IAR) == UART
