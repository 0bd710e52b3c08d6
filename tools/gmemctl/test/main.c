// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "unit.h"

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "size.good", test_size_good },
	{ "size.bad", test_size_bad },
	{ "size.count", test_count },
	{ "size.number", test_number },
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
	{ "snp.hex", test_snp_hex },
	{ "snp.chain", test_snp_chain },
	{ "snp.ranges", test_snp_ranges },
	{ "snp.vmsa", test_snp_vmsa },
	{ "snp.vmsa_gmemctl", test_snp_vmsa_gmemctl },
	{ "snp.vmsa_transform", test_snp_vmsa_transform },
	{ "snp.vcpu_types", test_snp_vcpu_types },
	{ "snp.kernel_hashes", test_snp_kernel_hashes },
	{ "snp.firmware_good", test_snp_firmware_good },
	{ "snp.firmware_size", test_snp_firmware_size },
	{ "snp.firmware_table", test_snp_firmware_table },
	{ "snp.firmware_duplicate", test_snp_firmware_duplicate },
	{ "snp.firmware_metadata", test_snp_firmware_metadata },
	{ "snp.firmware_sections", test_snp_firmware_sections },
	{ "snp.firmware_bytes", test_snp_firmware_bytes },
	{ "snp.published", test_snp_published },
	{ "snp.published_refused", test_snp_published_refused },
	{ "snp.published_svsm", test_snp_published_svsm },
	{ "snp.debian", test_snp_debian },
	{ "snp.minimal_guest", test_snp_minimal_guest },
	{ "snp.measure_order", test_snp_measure_order },
	{ "snp.measure_depends", test_snp_measure_depends },
	{ "snp.measure_refused", test_snp_measure_refused },
	{ "snp.measure_svsm", test_snp_measure_svsm },
	{ "snp.id_block_form", test_snp_id_block_form },
	{ "snp.id_key_form", test_snp_id_key_form },
	{ "snp.id_auth_vector", test_snp_id_auth_vector },
	{ "snp.id_auth_tamper", test_snp_id_auth_tamper },
	{ "snp.id_auth_no_author", test_snp_id_auth_no_author },
	{ "snp.id_auth_published", test_snp_id_auth_published },
	{ "snp.key_read", test_snp_key_read },
	{ "snp.policy", test_snp_policy },
	{ "snp.verify_good", test_snp_verify_good },
	{ "snp.verify_expected", test_snp_verify_expected },
	{ "snp.verify_debug", test_snp_verify_debug },
	{ "snp.verify_tamper", test_snp_verify_tamper },
	{ "snp.verify_chain", test_snp_verify_chain },
	{ "snp.verify_leaf", test_snp_verify_leaf },
	{ "snp.certs_bad", test_snp_certs_bad },
	{ "snp.report_parse", test_snp_report_parse },
	{ "snp.verify_milan", test_snp_verify_milan },
	{ "sim.cases_6_12", test_sim_cases_6_12 },
	{ "sim.cases_7_3", test_sim_cases_7_3 },
	{ "sim.minimal_guest", test_sim_minimal_guest },
	{ "sim.sregs_roundtrip", test_sim_sregs_roundtrip },
	{ "sim.launch", test_sim_launch },
	{ "sim.launch_debian", test_sim_launch_debian },
	{ "sim.host_data", test_sim_host_data },
	{ "sim.faults", test_sim_faults },
	{ "sim.strict", test_sim_strict },
	{ "sim.exits", test_sim_exits },
	{ "sim.attributes", test_sim_attributes },
	{ "sim.lifetime", test_sim_lifetime },
	{ "sim.calls", test_sim_calls },
	{ "layout.packed", test_layout_packed },
	{ "layout.add_refused", test_layout_add_refused },
	{ "layout.not_ram", test_layout_not_ram },
	{ "layout.partial", test_layout_partial },
	{ "layout.adjacent", test_layout_adjacent },
	{ "layout.ambiguous", test_layout_ambiguous },
	{ "split.boundaries", test_split_boundaries },
	{ "slots.offsets", test_slots_offsets },
	{ "slots.readonly", test_slots_readonly },
	{ "slots.device", test_slots_device },
	{ "slots.state", test_slots_state },
	{ "slots.attribute_fails", test_slots_attribute_fails },
	{ "slots.refused", test_slots_refused },
	{ "slots.mappable", test_slots_mappable },
	{ "slots.alias", test_slots_alias },
	{ "slots.pin", test_slots_pin },
	{ "slots.prefetch", test_slots_prefetch },
	{ "options.kinds", test_options_kinds },
	{ "options.private", test_options_private },
	{ "options.hugepages", test_options_hugepages },
	{ "options.legacy", test_options_legacy },
	{ "options.hugepage_size", test_options_hugepage_size },
	{ "options.hugepage_alignment", test_options_hugepage_alignment },
	{ "options.size", test_options_size },
	{ "options.alias", test_options_alias },
	{ "options.file", test_options_file },
	{ "options.guest_memfd", test_options_guest_memfd },
	{ "options.order", test_options_order },
	{ "options.size_text", test_options_size_text },
	{ "guest_memory.kinds", test_guest_memory_kinds },
	{ "guest_memory.packed", test_guest_memory_packed },
	{ "guest_memory.two_requests", test_guest_memory_two_requests },
	{ "guest_memory.store", test_guest_memory_store },
	{ "guest_memory.discard", test_guest_memory_discard },
	{ "guest_memory.guest_memfd", test_guest_memory_guest_memfd },
	{ "guest_memory.hugetlb", test_guest_memory_hugetlb },
	{ "guest_memory.fails", test_guest_memory_fails },
	{ "guest_memory.file", test_guest_memory_file },
	{ "guest_memory.alias", test_guest_memory_alias },
	{ "guest_memory.visibility", test_guest_memory_visibility },
	{ "guest_memory.window", test_guest_memory_window },
	{ "guest_memory.readonly_private", test_guest_memory_readonly_private },
	{ "device_memory.bounds", test_device_memory_bounds },
	{ "device_memory.unmap", test_device_memory_unmap },
	{ "device_memory.fd", test_device_memory_fd },
	{ "device_memory.refused", test_device_memory_refused },
	{ "region.target_second", test_region_target_second },
	{ "bus.find", test_bus_find },
	{ "bus.refused", test_bus_refused },
	{ "bus.split", test_bus_split },
	{ "uart.autoconfig", test_uart_autoconfig },
	{ "uart.thre", test_uart_thre },
	{ "uart.transmit", test_uart_transmit },
	{ "uart.divisor", test_uart_divisor },
	{ "uart.receive", test_uart_receive },
	{ "uart.loopback", test_uart_loopback },
	{ "uart.modem", test_uart_modem },
	{ "uart.wide", test_uart_wide },
	{ "i8042.reset", test_i8042_reset },
	{ "i8042.probe", test_i8042_probe },
	{ "rtc.time", test_rtc_time },
	{ "rtc.memory", test_rtc_memory },
	{ "pci.empty", test_pci_empty },
	{ "pci.reset", test_pci_reset },
	{ "power.off", test_power_off },
	{ "power.registers", test_power_registers },
	{ "pvpanic", test_pvpanic },
	{ "exit.port", test_exit_port },
	{ "memory_option.size", test_memory_option_size },
	{ "memory_option.kind", test_memory_option_kind },
	{ "memory_option.switch", test_memory_option_switch },
	{ "memory_option.hugepages", test_memory_option_hugepages },
	{ "memory_option.file", test_memory_option_file },
	{ "memory_option.node", test_memory_option_node },
	{ "memory_option.form", test_memory_option_form },
	{ "mptable.pointer", test_mptable_pointer },
	{ "mptable.entries", test_mptable_entries },
	{ "mptable.limits", test_mptable_limits },
	{ "acpi.pointers", test_acpi_pointers },
	{ "acpi.fadt", test_acpi_fadt },
	{ "acpi.madt", test_acpi_madt },
	{ "acpi.dsdt", test_acpi_dsdt },
	{ "acpi.limits", test_acpi_limits },
	{ "cpuid.features", test_cpuid_features },
	{ "cpuid.topology", test_cpuid_topology },
	{ "bzimage.good", test_bzimage_good },
	{ "bzimage.short_header", test_bzimage_short_header },
	{ "bzimage.magic", test_bzimage_magic },
	{ "bzimage.truncated", test_bzimage_truncated },
	{ "bzimage.unsuitable", test_bzimage_unsuitable },
	{ "bzimage.place", test_bzimage_place },
	{ "e820.place", test_e820_place },
	{ "e820.holes", test_e820_holes },
	{ "linux.load", test_linux_load },
	{ "linux.no_initrd", test_linux_no_initrd },
	{ "linux.place", test_linux_place },
	{ "linux.overlap", test_linux_overlap },
	{ "linux.cmdline", test_linux_cmdline },
	{ "linux.ram", test_linux_ram },
	{ "linux.vcpu", test_linux_vcpu },
	{ "guest_memory.convert", test_guest_memory_convert },
	{ "guest_memory.convert_discard", test_guest_memory_convert_discard },
	{ "description.round_trip", test_description_round_trip },
	{ "description.truncated", test_description_truncated },
	{ "description.fields", test_description_fields },
	{ "description.too_much", test_description_too_much },
	{ "end.codes", test_end_codes },
	{ "console.filter", test_console_filter },
	{ "console.input", test_console_input },
	{ "console.stop", test_console_stop },
	{ "console.output", test_console_output },
	{ "terminal.restore", test_terminal_restore },
	{ "terminal.crash", test_terminal_crash },
	{ "terminal.quit", test_terminal_quit },
	{ "pc.ends", test_pc_ends },
	{ "pc.ports", test_pc_ports },
	{ "pc.first_end", test_pc_first_end },
	{ "pc.access", test_pc_access },
	{ "pc.hypercall", test_pc_hypercall },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static unsigned int checks, failures;
static char skipped[512];

void unit_check(bool ok, const char *claim, const char *file, int line)
{
	checks++;
	if (ok)
		return;
	failures++;
	printf("# %s:%d: does not hold: %s\n", file, line, claim);
}

void unit_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(skipped, sizeof(skipped), reason, args);
	va_end(args);
	printf("# skipped: %s\n", skipped);
}

int main(void)
{
	unsigned int failed = 0, skips = 0;

	printf("KTAP version 1\n1..%zu\n", TESTS);
	for (unsigned int i = 0; i < TESTS; i++) {
		bool skip;

		checks = 0;
		failures = 0;
		skipped[0] = '\0';
		tests[i].run();
		skip = skipped[0] && !checks;
		printf("%sok %u %s%s%s\n", failures ? "not " : "", i + 1,
		       tests[i].name, skip ? " # SKIP " : "", skip ? skipped : "");
		failed += !!failures;
		skips += skip;
	}
	printf("# Totals: pass:%zu fail:%u skip:%u\n", TESTS - failed - skips,
	       failed, skips);
	return !!failed;
}
