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

/**
 * unit_skip() - say why a part of the running test cannot be done here
 *
 * A test that has skipped something and checked nothing counts as skipped.
 */
void unit_skip(const char *reason, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(claim) unit_check(claim, #claim, __FILE__, __LINE__)

/* size_test.c */
void test_size_good(void);
void test_size_bad(void);
void test_count(void);
void test_number(void);

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
void test_region_target_second(void);
void test_region_target_device(void);
void test_region_target_replay(void);
void test_region_target_needs_fd(void);

/* snp_digest_test.c */
void test_snp_hex(void);
void test_snp_chain(void);
void test_snp_ranges(void);
void test_snp_vmsa(void);
void test_snp_vmsa_gmemctl(void);
void test_snp_vmsa_transform(void);
void test_snp_vcpu_types(void);
void test_snp_kernel_hashes(void);

/* snp_firmware_test.c */
void test_snp_firmware_good(void);
void test_snp_firmware_size(void);
void test_snp_firmware_table(void);
void test_snp_firmware_duplicate(void);
void test_snp_firmware_metadata(void);
void test_snp_firmware_sections(void);
void test_snp_firmware_bytes(void);

/* snp_cli_test.c */
void test_snp_cli(void);

/* snp_measure_test.c */
void test_snp_published(void);
void test_snp_published_refused(void);
void test_snp_published_svsm(void);
void test_snp_debian(void);
void test_snp_minimal_guest(void);
void test_snp_measure_order(void);
void test_snp_measure_vmm_sections(void);
void test_snp_measure_depends(void);
void test_snp_measure_refused(void);
void test_snp_measure_svsm(void);

/* snp_id_block_test.c */
void test_snp_id_block_form(void);
void test_snp_id_key_form(void);
void test_snp_id_auth_vector(void);
void test_snp_id_auth_tamper(void);
void test_snp_id_auth_no_author(void);
void test_snp_id_auth_published(void);
void test_snp_key_read(void);
void test_snp_policy(void);

/* layout_test.c */
void test_layout_packed(void);
void test_layout_add_refused(void);
void test_layout_not_ram(void);
void test_layout_partial(void);
void test_layout_adjacent(void);
void test_layout_ambiguous(void);
void test_split_boundaries(void);

/* slots_test.c */
void test_slots_offsets(void);
void test_slots_readonly(void);
void test_slots_device(void);
void test_slots_state(void);
void test_slots_attribute_fails(void);
void test_slots_refused(void);
void test_slots_mappable(void);
void test_slots_alias(void);
void test_slots_pin(void);
void test_slots_prefetch(void);

/* snp_verify_test.c */
void test_snp_verify_good(void);
void test_snp_verify_expected(void);
void test_snp_verify_debug(void);
void test_snp_verify_tamper(void);
void test_snp_verify_chain(void);
void test_snp_verify_leaf(void);
void test_snp_certs_bad(void);
void test_snp_report_parse(void);
void test_snp_verify_milan(void);
/* options_test.c */
void test_options_kinds(void);
void test_options_private(void);
void test_options_hugepages(void);
void test_options_legacy(void);
void test_options_hugepage_size(void);
void test_options_hugepage_alignment(void);
void test_options_size(void);
void test_options_alias(void);
void test_options_file(void);
void test_options_guest_memfd(void);
void test_options_order(void);
void test_options_size_text(void);

/* guest_memory_test.c */
void test_guest_memory_kinds(void);
void test_guest_memory_packed(void);
void test_guest_memory_two_requests(void);
void test_guest_memory_store(void);
void test_guest_memory_discard(void);
void test_guest_memory_convert(void);
void test_guest_memory_convert_discard(void);
void test_guest_memory_guest_memfd(void);
void test_guest_memory_hugetlb(void);
void test_guest_memory_fails(void);
void test_guest_memory_file(void);
void test_guest_memory_alias(void);
void test_guest_memory_visibility(void);
void test_guest_memory_window(void);
void test_guest_memory_readonly_private(void);

/* device_memory_test.c */
void test_device_memory_bounds(void);
void test_device_memory_unmap(void);
void test_device_memory_fd(void);
void test_device_memory_refused(void);

/* bus_test.c */
void test_bus_find(void);
void test_bus_refused(void);
void test_bus_split(void);

/* uart_test.c */
void test_uart_autoconfig(void);
void test_uart_thre(void);
void test_uart_transmit(void);
void test_uart_divisor(void);
void test_uart_receive(void);
void test_uart_loopback(void);
void test_uart_modem(void);
void test_uart_wide(void);

/* device_test.c */
void test_i8042_reset(void);
void test_i8042_probe(void);
void test_rtc_time(void);
void test_rtc_memory(void);
void test_pci_empty(void);
void test_pci_reset(void);
void test_power_off(void);
void test_power_registers(void);
void test_pvpanic(void);
void test_exit_port(void);

/* memory_option_test.c */
void test_memory_option_size(void);
void test_memory_option_kind(void);
void test_memory_option_switch(void);
void test_memory_option_hugepages(void);
void test_memory_option_file(void);
void test_memory_option_node(void);
void test_memory_option_form(void);

/* tables_test.c */
void test_mptable_pointer(void);
void test_mptable_entries(void);
void test_mptable_limits(void);
void test_acpi_pointers(void);
void test_acpi_fadt(void);
void test_acpi_madt(void);
void test_acpi_dsdt(void);
void test_acpi_limits(void);

/* cpuid_test.c */
void test_cpuid_features(void);
void test_cpuid_topology(void);

/* sim_test.c */
void test_sim_cases_6_12(void);
void test_sim_cases_7_3(void);
void test_sim_minimal_guest(void);
void test_sim_sregs_roundtrip(void);
void test_sim_launch(void);
void test_sim_launch_debian(void);
void test_sim_host_data(void);
void test_sim_faults(void);
void test_sim_strict(void);
void test_sim_exits(void);
void test_sim_attributes(void);
void test_sim_lifetime(void);

/* sim_calls_test.c */
void test_sim_calls(void);
/* bzimage_test.c */
void test_bzimage_good(void);
void test_bzimage_short_header(void);
void test_bzimage_magic(void);
void test_bzimage_truncated(void);
void test_bzimage_unsuitable(void);
void test_bzimage_place(void);

/* linux_test.c */
void test_e820_place(void);
void test_e820_holes(void);
void test_linux_load(void);
void test_linux_no_initrd(void);
void test_linux_place(void);
void test_linux_overlap(void);
void test_linux_cmdline(void);
void test_linux_ram(void);
void test_linux_vcpu(void);

/* description_test.c */
void test_description_round_trip(void);
void test_description_truncated(void);
void test_description_fields(void);
void test_description_too_much(void);
void test_description_ranges(void);

/* console_test.c */
void test_end_codes(void);
void test_console_filter(void);
void test_console_input(void);
void test_console_stop(void);
void test_console_output(void);
void test_terminal_restore(void);
void test_terminal_crash(void);
void test_terminal_quit(void);

/* pc_test.c */
void test_pc_ends(void);
void test_pc_ports(void);
void test_pc_first_end(void);
void test_pc_access(void);
void test_pc_hypercall(void);

/* handover_test.c */
void test_handover_store(void);
void test_handover_refused(void);
void test_handover_fails(void);
void test_handover_kinds(void);
void test_handover_shared(void);
void test_handover_garbage(void);

/* control_test.c */
void test_control_names(void);
void test_control_directory(void);
void test_control_parse(void);
void test_control_members(void);
void test_control_call(void);
void test_control_taken(void);
void test_control_nonsense(void);
void test_control_length(void);
void test_control_pieces(void);
void test_control_flood(void);
void test_control_silent(void);

/* pc_control_test.c */
void test_pc_control_stat(void);
void test_pc_control_map(void);
void test_pc_control_refused(void);

#endif /* GMEMCTL_TEST_UNIT_H */
