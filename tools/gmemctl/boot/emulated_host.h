/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that is itself a machine of QEMU without KVM (TCG). Its SVM is emulated,
 * slow, and not quite that of a CPU: Linux as a guest of it needs to be told.
 */
#ifndef GMEMCTL_BOOT_EMULATED_HOST_H
#define GMEMCTL_BOOT_EMULATED_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define EMULATED_HOST_WORDS_MAX 128

/** emulated_host() - whether this is one, by CPUID leaf 0x40000000 */
bool emulated_host(void);

/** emulated_host_is_tcg() - the same for a leaf's EBX, ECX and EDX */
bool emulated_host_is_tcg(const uint32_t name[3]);

/**
 * emulated_host_words() - what Linux needs there that its command line lacks
 * @cmdline: of the user, who knows better: a word that is in it is not repeated,
 *	whatever its value
 * @tsc_khz: rate of a VM's time stamp counter, or 0: not known
 * @words: out: separated by spaces, with one in front; empty if none is needed
 */
void emulated_host_words(const char *cmdline, unsigned int tsc_khz,
			 char words[EMULATED_HOST_WORDS_MAX]);

#endif /* GMEMCTL_BOOT_EMULATED_HOST_H */
