/* SPDX-License-Identifier: GPL-2.0 */
/* How the run of a machine has ended. */
#ifndef GMEMCTL_KVM_END_H
#define GMEMCTL_KVM_END_H

/**
 * enum end - why a machine has stopped
 * @END_NONE: it has not
 * @END_POWER_OFF: the guest has turned it off
 * @END_DONE: a payload has done its work
 * @END_STOPPED: somebody has asked for it: Ctrl-A x, or `gmemctl stop`
 * @END_HANDED_OVER: another process runs the guest now
 * @END_SAVED: it was saved to a file, and was to end then
 * @END_RESET: the guest has asked for a reset; it is not started again
 * @END_PANIC: the guest's kernel has said that it panics
 * @END_TRIPLE_FAULT: an exception that no handler could be called for
 * @END_SYSTEM_EVENT: KVM reports an event that is none of the above
 * @END_ENTRY_FAILED: the CPU refuses the state of the guest
 * @END_INTERNAL_ERROR: KVM cannot go on, for instance emulate an instruction
 * @END_MEMORY: an access to memory that cannot be made to work
 * @END_GAVE_UP: a payload has found that it cannot go on
 * @END_HALTED: no vCPU does anything any more, before a payload was done
 * @END_EXIT_PORT: a test in the guest has given its result
 * @END_SIGNAL: a signal to this process
 * @END_TIMEOUT: --timeout is over
 * @END_FAILED: this process, or the host, could not go on
 */
enum end {
	END_NONE,
	END_POWER_OFF,
	END_DONE,
	END_STOPPED,
	END_HANDED_OVER,
	END_SAVED,
	END_RESET,
	END_PANIC,
	END_TRIPLE_FAULT,
	END_SYSTEM_EVENT,
	END_ENTRY_FAILED,
	END_INTERNAL_ERROR,
	END_MEMORY,
	END_GAVE_UP,
	END_HALTED,
	END_EXIT_PORT,
	END_SIGNAL,
	END_TIMEOUT,
	END_FAILED,
};

/** end_name() - a word for programs */
const char *end_name(enum end end);

/** end_text() - a sentence for people */
const char *end_text(enum end end);

/**
 * end_exit_code() - the exit code that tells it apart
 * @value: what was written to the exit port
 *
 * 0 power-off, done, stopped, handed over, saved; 1 signal, timeout, failure; 16
 * and up the others, and 64 + @value (of 0 to 63) for the exit port.
 */
int end_exit_code(enum end end, unsigned int value);

#endif /* GMEMCTL_KVM_END_H */
