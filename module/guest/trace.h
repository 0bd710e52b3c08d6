/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gmem_guest

#if !defined(_GMEM_GUEST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _GMEM_GUEST_TRACE_H

#include <linux/tracepoint.h>

/* A request to the host, and its answer: 0 or a negative errno */
TRACE_EVENT(gmem_guest_convert,
	TP_PROTO(u64 gpa, unsigned long pages, bool to_private, int rc),
	TP_ARGS(gpa, pages, to_private, rc),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(unsigned long, pages)
		__field(bool, to_private)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->pages = pages;
		__entry->to_private = to_private;
		__entry->rc = rc;
	),
	TP_printk("gpa=0x%llx pages=%lu to=%s rc=%d", __entry->gpa, __entry->pages,
		  __entry->to_private ? "private" : "shared", __entry->rc)
);

#endif /* _GMEM_GUEST_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH module/guest
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
