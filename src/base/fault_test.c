#include "base/fault.h"

#include "tests/unit/test.h"

WR_TEST(fault, fails_the_nth_call_once) {
    WR_CHECK(!wr_fault(WR_FAULT_READ));
    wr_fault_arm(WR_FAULT_READ, 3);
    WR_CHECK(!wr_fault(WR_FAULT_READ));
    WR_CHECK(!wr_fault(WR_FAULT_READ));
    WR_CHECK(wr_fault(WR_FAULT_READ));
    WR_CHECK(!wr_fault(WR_FAULT_READ));
    WR_CHECK_EQ_INT(wr_fault_calls(WR_FAULT_READ), 4);
}

WR_TEST(fault, a_lasting_one_fails_from_the_nth_call_on) {
    wr_fault_arm_kind(WR_FAULT_WRITE, 2, WR_FAULT_ON);
    WR_CHECK(!wr_fault(WR_FAULT_WRITE));
    WR_CHECK(wr_fault(WR_FAULT_WRITE));
    WR_CHECK(wr_fault(WR_FAULT_WRITE));
}

WR_TEST(fault, transfers_learn_what_becomes_of_them) {
    wr_fault_arm_kind(WR_FAULT_READ, 2, WR_FAULT_INTERRUPT);
    WR_CHECK_EQ_INT(wr_fault_transfer(WR_FAULT_READ), WR_FAULT_NONE);
    WR_CHECK_EQ_INT(wr_fault_transfer(WR_FAULT_READ), WR_FAULT_INTERRUPT);
    WR_CHECK_EQ_INT(wr_fault_transfer(WR_FAULT_READ), WR_FAULT_NONE);
    wr_fault_arm_kind(WR_FAULT_READ, 1, WR_FAULT_SHORT);
    WR_CHECK(!wr_fault(WR_FAULT_READ));
    WR_CHECK_EQ_INT(wr_fault_transfer(WR_FAULT_READ), WR_FAULT_SHORT);
}

WR_TEST(fault, points_are_apart) {
    wr_fault_arm(WR_FAULT_READ, 1);
    wr_fault_arm(WR_FAULT_WRITE, 2);
    WR_CHECK(!wr_fault(WR_FAULT_WRITE));
    WR_CHECK(!wr_fault(WR_FAULT_OPEN));
    WR_CHECK(wr_fault(WR_FAULT_READ));
    WR_CHECK(wr_fault(WR_FAULT_WRITE));
}

WR_TEST(fault, arming_counts_from_zero_and_disarming_ends_it) {
    wr_fault_arm(WR_FAULT_MAP, 2);
    WR_CHECK(!wr_fault(WR_FAULT_MAP));
    wr_fault_arm(WR_FAULT_MAP, 2);
    WR_CHECK_EQ_INT(wr_fault_calls(WR_FAULT_MAP), 0);
    WR_CHECK(!wr_fault(WR_FAULT_MAP));
    wr_fault_arm(WR_FAULT_MAP, 0);
    WR_CHECK(!wr_fault(WR_FAULT_MAP));
    WR_CHECK(!wr_fault_armed);
    WR_CHECK_EQ_INT(wr_fault_calls(WR_FAULT_MAP), 0);
}

WR_TEST(fault, the_system_allocator_asks) {
    wr_allocator *a = wr_test_allocator();
    wr_fault_arm(WR_FAULT_ALLOC, 2);
    void *first = wr_alloc(a, 10), *second = wr_alloc(a, 10), *third = wr_alloc(a, 10);
    WR_CHECK(first && !second && third);
    wr_free(a, first, 10);
    wr_free(a, third, 10);
}
