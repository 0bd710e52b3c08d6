/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvmemcontrol

#if !defined(_PVMEMCONTROL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PVMEMCONTROL_TRACE_H

#include <linux/tracepoint.h>

#include "internal.h"

#define show_pvmemcontrol_state(state)					\
	__print_symbolic(state,						\
			 { PVMEMCONTROL_DOWN, "down" },			\
			 { PVMEMCONTROL_READY, "ready" },		\
			 { PVMEMCONTROL_BROKEN, "broken" },		\
			 { PVMEMCONTROL_SUSPENDED, "suspended" },	\
			 { PVMEMCONTROL_GONE, "gone" })

#define show_pvmemcontrol_func(func)					\
	__print_symbolic(func,						\
			 { PVMEMCONTROL_INFO, "info" },			\
			 { PVMEMCONTROL_DONTNEED, "dontneed" },		\
			 { PVMEMCONTROL_REMOVE, "remove" },		\
			 { PVMEMCONTROL_FREE, "free" },			\
			 { PVMEMCONTROL_PAGEOUT, "pageout" },		\
			 { PVMEMCONTROL_DONTDUMP, "dontdump" },		\
			 { PVMEMCONTROL_SET_VMA_ANON_NAME, "name" },	\
			 { PVMEMCONTROL_MLOCK, "mlock" },		\
			 { PVMEMCONTROL_MUNLOCK, "munlock" },		\
			 { PVMEMCONTROL_MPROTECT_NONE, "mprotect_none" }, \
			 { PVMEMCONTROL_MPROTECT_R, "mprotect_r" },	\
			 { PVMEMCONTROL_MPROTECT_W, "mprotect_w" },	\
			 { PVMEMCONTROL_MPROTECT_RW, "mprotect_rw" },	\
			 { PVMEMCONTROL_MERGEABLE, "mergeable" },	\
			 { PVMEMCONTROL_UNMERGEABLE, "unmergeable" })

/* The number in the name of the node */
TRACE_EVENT(pvmemcontrol_call,
	TP_PROTO(const struct pvmemcontrol *pv,
		 const struct pvmemcontrol_vmm_call *call,
		 const struct pvmemcontrol_vmm_ret *ret, int rc),
	TP_ARGS(pv, call, ret, rc),
	TP_STRUCT__entry(
		__field(unsigned int, minor)
		__field(u64, func)
		__field(u64, addr)
		__field(u64, length)
		__field(u64, arg)
		__field(u32, ret_errno)
		__field(u32, ret_code)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->minor = MINOR(pv->dev.devt);
		__entry->func = call->func_code;
		__entry->addr = call->addr;
		__entry->length = call->length;
		__entry->arg = call->arg;
		__entry->ret_errno = ret->ret_errno;
		__entry->ret_code = ret->ret_code;
		__entry->rc = rc;
	),
	TP_printk("minor=%u func=%s(%llu) addr=0x%llx length=0x%llx arg=%llu ret_errno=%u ret_code=%u rc=%d",
		  __entry->minor, show_pvmemcontrol_func(__entry->func),
		  __entry->func, __entry->addr, __entry->length, __entry->arg,
		  __entry->ret_errno, __entry->ret_code, __entry->rc)
);

TRACE_EVENT(pvmemcontrol_state,
	TP_PROTO(const struct pvmemcontrol *pv, unsigned int from,
		 unsigned int to, int rc),
	TP_ARGS(pv, from, to, rc),
	TP_STRUCT__entry(
		__field(unsigned int, minor)
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->minor = MINOR(pv->dev.devt);
		__entry->from = from;
		__entry->to = to;
		__entry->rc = rc;
	),
	TP_printk("minor=%u from=%s to=%s rc=%d", __entry->minor,
		  show_pvmemcontrol_state(__entry->from),
		  show_pvmemcontrol_state(__entry->to), __entry->rc)
);

#endif /* _PVMEMCONTROL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH module/pvmemcontrol
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
