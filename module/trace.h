/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gmem

#if !defined(_GMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _GMEM_TRACE_H

#include <linux/tracepoint.h>
#include <linux/mm.h>

#include "internal.h"

#define show_gmem_state(state)						\
	__print_symbolic(state,						\
			 { GMEM_STATE_SHARED, "shared" },		\
			 { GMEM_STATE_PRIVATE, "private" })

#define show_gmem_content(content)					\
	__print_symbolic(content,					\
			 { GMEM_CONTENT_PRESERVE, "preserve" },		\
			 { GMEM_CONTENT_ZERO, "zero" })

#define show_gmem_fault(ret)						\
	__print_flags(ret, "|",						\
		      { (__force unsigned int)VM_FAULT_LOCKED, "locked" }, \
		      { (__force unsigned int)VM_FAULT_SIGBUS, "sigbus" }, \
		      { (__force unsigned int)VM_FAULT_HWPOISON, "hwpoison" }, \
		      { (__force unsigned int)VM_FAULT_OOM, "oom" })

TRACE_EVENT(gmem_create,
	TP_PROTO(unsigned long ino, u64 length, u32 flags, int node),
	TP_ARGS(ino, length, flags, node),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(u64, length)
		__field(u32, flags)
		__field(int, node)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->length = length;
		__entry->flags = flags;
		__entry->node = node;
	),
	TP_printk("ino=%lu length=%llu flags=0x%x node=%d", __entry->ino,
		  __entry->length, __entry->flags, __entry->node)
);

TRACE_EVENT(gmem_release,
	TP_PROTO(unsigned long ino, u64 length),
	TP_ARGS(ino, length),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->length = length;
	),
	TP_printk("ino=%lu length=%llu", __entry->ino, __entry->length)
);

TRACE_EVENT(gmem_fault,
	TP_PROTO(unsigned long ino, pgoff_t index, vm_fault_t ret),
	TP_ARGS(ino, index, ret),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, index)
		__field(unsigned int, ret)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->index = index;
		__entry->ret = (__force unsigned int)ret;
	),
	TP_printk("ino=%lu index=%lu ret=%s", __entry->ino, __entry->index,
		  show_gmem_fault(__entry->ret))
);

TRACE_EVENT(gmem_lookup,
	TP_PROTO(unsigned long ino, const struct gmem_lookup *lookup, int rc),
	TP_ARGS(ino, lookup, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, index)
		__field(unsigned int, state)
		__field(unsigned long, pfn)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->index = lookup->index;
		__entry->state = rc ? GMEM_STATE_SHARED : lookup->state;
		__entry->pfn = rc ? 0 : lookup->pfn;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu index=%lu state=%s pfn=0x%lx rc=%d", __entry->ino,
		  __entry->index, show_gmem_state(__entry->state),
		  __entry->pfn, __entry->rc)
);

TRACE_EVENT(gmem_poison,
	TP_PROTO(unsigned long ino, pgoff_t index, int rc),
	TP_ARGS(ino, index, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, index)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->index = index;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu index=%lu rc=%d", __entry->ino, __entry->index,
		  __entry->rc)
);

TRACE_EVENT(gmem_convert,
	TP_PROTO(unsigned long ino, const struct gmem_conversion *conv, int rc),
	TP_ARGS(ino, conv, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(unsigned int, target)
		__field(unsigned int, content)
		__field(pgoff_t, error_index)
		__field(u32, refs_seen)
		__field(u32, refs_expected)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = conv->start;
		__entry->end = conv->end;
		__entry->target = conv->target;
		__entry->content = conv->content;
		__entry->error_index = conv->holder.index;
		__entry->refs_seen = conv->holder.refs_seen;
		__entry->refs_expected = conv->holder.refs_expected;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu start=%lu end=%lu target=%s content=%s rc=%d error_index=%lu refs_seen=%u refs_expected=%u",
		  __entry->ino, __entry->start, __entry->end,
		  show_gmem_state(__entry->target),
		  show_gmem_content(__entry->content), __entry->rc,
		  __entry->error_index, __entry->refs_seen,
		  __entry->refs_expected)
);

DECLARE_EVENT_CLASS(gmem_range,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end, int rc),
	TP_ARGS(ino, start, end, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = start;
		__entry->end = end;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu start=%lu end=%lu rc=%d", __entry->ino,
		  __entry->start, __entry->end, __entry->rc)
);

DEFINE_EVENT(gmem_range, gmem_commit,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end, int rc),
	TP_ARGS(ino, start, end, rc));

DEFINE_EVENT(gmem_range, gmem_punch,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end, int rc),
	TP_ARGS(ino, start, end, rc));

TRACE_EVENT(gmem_bind,
	TP_PROTO(unsigned long ino, const struct gmem_binding *binding, int rc),
	TP_ARGS(ino, binding, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(pgoff_t, store_start)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = binding->start;
		__entry->end = binding->end;
		__entry->store_start = binding->store_start;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu start=%lu end=%lu store_start=%lu rc=%d",
		  __entry->ino, __entry->start, __entry->end,
		  __entry->store_start, __entry->rc)
);

TRACE_EVENT(gmem_unbind,
	TP_PROTO(unsigned long ino, const struct gmem_binding *binding),
	TP_ARGS(ino, binding),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(s64, moved)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = binding->start;
		__entry->end = binding->end;
		__entry->moved = atomic64_read(&binding->moved);
	),
	TP_printk("ino=%lu start=%lu end=%lu moved=%lld", __entry->ino,
		  __entry->start, __entry->end, __entry->moved)
);

TRACE_EVENT(gmem_view,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end, bool open),
	TP_ARGS(ino, start, end, open),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(bool, open)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = start;
		__entry->end = end;
		__entry->open = open;
	),
	TP_printk("ino=%lu start=%lu end=%lu %s", __entry->ino, __entry->start,
		  __entry->end, __entry->open ? "open" : "release")
);

TRACE_EVENT(gmem_view_mapping,
	TP_PROTO(unsigned long ino, const struct gmem_view_mapping *mapping,
		 bool map),
	TP_ARGS(ino, mapping, map),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(unsigned long, address)
		__field(bool, map)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = mapping->start;
		__entry->end = mapping->last + 1;
		__entry->address = mapping->vma->vm_start;
		__entry->map = map;
	),
	TP_printk("ino=%lu start=%lu end=%lu address=0x%lx %s", __entry->ino,
		  __entry->start, __entry->end, __entry->address,
		  __entry->map ? "map" : "unmap")
);

DECLARE_EVENT_CLASS(gmem_fill,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end,
		 unsigned long pages, int rc),
	TP_ARGS(ino, start, end, pages, rc),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
		__field(unsigned long, pages)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->start = start;
		__entry->end = end;
		__entry->pages = pages;
		__entry->rc = rc;
	),
	TP_printk("ino=%lu start=%lu end=%lu pages=%lu rc=%d", __entry->ino,
		  __entry->start, __entry->end, __entry->pages, __entry->rc)
);

DEFINE_EVENT(gmem_fill, gmem_view_populate,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end,
		 unsigned long pages, int rc),
	TP_ARGS(ino, start, end, pages, rc));

DEFINE_EVENT(gmem_fill, gmem_view_refill,
	TP_PROTO(unsigned long ino, pgoff_t start, pgoff_t end,
		 unsigned long pages, int rc),
	TP_ARGS(ino, start, end, pages, rc));

TRACE_EVENT(gmem_view_fault,
	TP_PROTO(unsigned long ino, const struct gmem_ioctl_view_fault *fault),
	TP_ARGS(ino, fault),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(u64, gpa)
		__field(u64, error_code)
		__field(u64, count)
	),
	TP_fast_assign(
		__entry->ino = ino;
		__entry->gpa = fault->gpa;
		__entry->error_code = fault->error_code;
		__entry->count = fault->count;
	),
	TP_printk("ino=%lu gpa=0x%llx error_code=0x%llx count=%llu",
		  __entry->ino, __entry->gpa, __entry->error_code,
		  __entry->count)
);

#endif /* _GMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH module
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
