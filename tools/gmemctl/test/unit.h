/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of gmemctl's own logic, without KVM and without gmem: what the kernel
 * would answer comes from a call table of the test.
 */
#ifndef GMEMCTL_TEST_UNIT_H
#define GMEMCTL_TEST_UNIT_H

#include <stdbool.h>

/** unit_check() - a claim of the running test; a false one fails it */
void unit_check(bool ok, const char *claim, const char *file, int line);

#define CHECK(claim) unit_check(claim, #claim, __FILE__, __LINE__)

/* size_test.c */
void test_size_good(void);
void test_size_bad(void);
void test_count(void);

/* map_gpa_test.c */
void test_map_gpa_good(void);
void test_map_gpa_bad_range(void);
void test_map_gpa_bad_attributes(void);
void test_map_gpa_coverage(void);

/* convert_test.c */
void test_convert_order(void);
void test_convert_refused(void);
void test_convert_attribute_fails(void);
void test_convert_gmem_fails(void);
void test_discard_order(void);
void test_discard_punch_fails(void);
void test_convert_bad_range(void);
void test_convert_overlap(void);

/* query_test.c */
void test_query_cursor(void);
void test_query_stuck(void);

/* sha256_test.c */
void test_sha256(void);

/* reservation_test.c */
void test_reservation_create(void);
void test_reservation_bounds(void);
void test_reservation_overlap(void);
void test_reservation_unmap(void);
void test_reservation_anonymous(void);
void test_reservation_memfd(void);
void test_reservation_file(void);
void test_reservation_huge_page(void);
void test_reservation_writable(void);
void test_reservation_map_fails(void);
void test_reservation_advice(void);

/* region_test.c */
void test_region_overlap(void);
void test_region_add(void);
void test_region_priority(void);
void test_region_equal(void);
void test_region_params(void);
void test_region_anonymous(void);
void test_region_map_fails(void);
void test_region_partitions(void);
void test_region_late_partition(void);
void test_region_offset(void);
void test_region_prefetch(void);

/* region_mappings_test.c */
void test_region_mappings_bounds(void);
void test_region_mappings_live(void);
void test_region_mappings_contents(void);
void test_region_target_refuses(void);
void test_region_target_device(void);
void test_region_target_replay(void);
void test_region_target_needs_fd(void);

#endif /* GMEMCTL_TEST_UNIT_H */
