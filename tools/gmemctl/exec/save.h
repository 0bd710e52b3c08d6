/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Saving
 *
 * A VMM that migrates its guest, or saves it, reads all of its memory. Where that is
 * private it gets zeros, and what it has saved would not be the guest. So it is to fail,
 * and its guest to go on: what the VMM writes then is refused with EPERM.
 *
 * That it saves is known by KVM's log of dirty pages, which it has on then. A thread that
 * asks for the log is one that migrates, unless it is the VMM's first one: that has other
 * things to write, too. A migration is refused when it has come to private memory, and not
 * before: one that leaves shared mappings out (x-ignore-shared of QEMU) never does. A
 * snapshot goes to a disk, by other threads, while the guest stands still: it is known by
 * its first bytes, and refused if anything is private.
 */
#ifndef GMEMCTL_EXEC_SAVE_H
#define GMEMCTL_EXEC_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** exec_save_slots() - so many slots more, or fewer, have their dirty pages logged */
void exec_save_slots(int more);

/** exec_save_log() - this thread has asked KVM for its log, or has had it begun */
void exec_save_log(void);

/** exec_save_zeros() - the VMM was given zeros; for a signal handler */
void exec_save_zeros(void);

/** exec_saves() - whether this thread migrates; for a signal handler, too */
bool exec_saves(void);

/** exec_save_stands() - whether the guest stands still for a snapshot */
bool exec_save_stands(void);

/**
 * exec_save_refuses() - whether the VMM may not write that
 * @parts: @count of them, in order
 */
bool exec_save_refuses(const struct iovec *parts, size_t count);

#endif /* GMEMCTL_EXEC_SAVE_H */
