# SPDX-License-Identifier: GPL-2.0
#
# What of the kernel KASAN, KCSAN and UBSAN leave alone. recipe_build() has every make
# read it (MAKEFILES), before the makefile of the directory that $(obj) names; one that
# sets these variables itself keeps its own word. An access of gmem's memory, or of what
# gmem locks, is in mm, fs, lib, kernel, virt or KVM. The rest costs time, in the build
# and in every VM, and can only find faults of the kernel's own.

GMEM_NOT_SANITIZED := arch/x86/events arch/x86/kernel arch/x86/pci block drivers fs/nls \
	init kernel/power kernel/printk kernel/time kernel/trace lib/crypto lib/kunit \
	net security
GMEM_UBSAN_SANITIZED := arch/x86/kvm virt

ifneq ($(obj),)
ifneq ($(filter $(GMEM_NOT_SANITIZED:%=%/%),$(obj)/),)
KASAN_SANITIZE := n
KCSAN_SANITIZE := n
endif
ifeq ($(filter $(GMEM_UBSAN_SANITIZED:%=%/%),$(obj)/),)
UBSAN_SANITIZE := n
endif
endif
