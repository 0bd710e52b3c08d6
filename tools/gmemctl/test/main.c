// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "unit.h"

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "size.good", test_size_good },
	{ "size.bad", test_size_bad },
	{ "size.count", test_count },
	{ "map_gpa.good", test_map_gpa_good },
	{ "map_gpa.bad_range", test_map_gpa_bad_range },
	{ "map_gpa.bad_attributes", test_map_gpa_bad_attributes },
	{ "map_gpa.coverage", test_map_gpa_coverage },
	{ "convert.order", test_convert_order },
	{ "convert.refused", test_convert_refused },
	{ "convert.attribute_fails", test_convert_attribute_fails },
	{ "convert.gmem_fails", test_convert_gmem_fails },
	{ "convert.bad_range", test_convert_bad_range },
	{ "convert.overlap", test_convert_overlap },
	{ "discard.order", test_discard_order },
	{ "discard.punch_fails", test_discard_punch_fails },
	{ "query.cursor", test_query_cursor },
	{ "query.stuck", test_query_stuck },
	{ "sha256.lengths", test_sha256 },
	{ "reservation.create", test_reservation_create },
	{ "reservation.bounds", test_reservation_bounds },
	{ "reservation.overlap", test_reservation_overlap },
	{ "reservation.unmap", test_reservation_unmap },
	{ "reservation.anonymous", test_reservation_anonymous },
	{ "reservation.memfd", test_reservation_memfd },
	{ "reservation.file", test_reservation_file },
	{ "reservation.huge_page", test_reservation_huge_page },
	{ "reservation.writable", test_reservation_writable },
	{ "reservation.map_fails", test_reservation_map_fails },
	{ "reservation.advice", test_reservation_advice },
	{ "region.overlap", test_region_overlap },
	{ "region.add", test_region_add },
	{ "region.priority", test_region_priority },
	{ "region.equal", test_region_equal },
	{ "region.params", test_region_params },
	{ "region.anonymous", test_region_anonymous },
	{ "region.map_fails", test_region_map_fails },
	{ "region.partitions", test_region_partitions },
	{ "region.late_partition", test_region_late_partition },
	{ "region.offset", test_region_offset },
	{ "region.prefetch", test_region_prefetch },
	{ "region.mappings_bounds", test_region_mappings_bounds },
	{ "region.mappings_live", test_region_mappings_live },
	{ "region.mappings_contents", test_region_mappings_contents },
	{ "region.target_refuses", test_region_target_refuses },
	{ "region.target_device", test_region_target_device },
	{ "region.target_replay", test_region_target_replay },
	{ "region.target_needs_fd", test_region_target_needs_fd },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static unsigned int failures;

void unit_check(bool ok, const char *claim, const char *file, int line)
{
	if (ok)
		return;
	failures++;
	printf("# %s:%d: does not hold: %s\n", file, line, claim);
}

int main(void)
{
	unsigned int failed = 0;

	printf("KTAP version 1\n1..%zu\n", TESTS);
	for (unsigned int i = 0; i < TESTS; i++) {
		failures = 0;
		tests[i].run();
		printf("%sok %u %s\n", failures ? "not " : "", i + 1,
		       tests[i].name);
		failed += !!failures;
	}
	printf("# Totals: pass:%zu fail:%u skip:0\n", TESTS - failed, failed);
	return !!failed;
}
