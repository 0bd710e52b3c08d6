/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Common functions of gmem's tests.
 *
 * gmem_x() returns 0 (or an fd) or a negative errno, and checks nothing. test_gmem_x()
 * must succeed. test_err_gmem_x(errno, ...) must fail with this errno.
 */
#ifndef GMEM_UTILS_H
#define GMEM_UTILS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/gmem.h>

#define PAGE 4096ULL
#define SZ_2M (2ULL << 20)
#define SZ_1G (1ULL << 30)
#define SZ_1T (1ULL << 40)
#define GMEM_LENGTH_MAX (16 * SZ_1T)

#define SHARED GMEM_STATE_SHARED
#define PRIVATE GMEM_STATE_PRIVATE
#define PRESERVE GMEM_CONTENT_PRESERVE
#define ZERO GMEM_CONTENT_ZERO

/* gmem_utils.c: the ioctls */
const char *gmem_unavailable(void);
int gmem_open_dev(void);
int gmem_ioctl(int fd, unsigned long cmd, void *arg);
int gmem_info(struct gmem_ioctl_info *info);
int gmem_create(uint64_t length, uint32_t flags);
int gmem_convert_args(int fd, struct gmem_ioctl_convert *c);
int gmem_convert_wait(int fd, uint64_t offset, uint64_t length, uint32_t target,
		      uint32_t content, uint32_t timeout_ms);
int gmem_convert(int fd, uint64_t offset, uint64_t length, uint32_t target,
		 uint32_t content);
int gmem_query_one(int fd, uint64_t offset, uint64_t length,
		   struct gmem_range *range);
int gmem_query_all(int fd, struct gmem_range *ranges, uint32_t nr);
int gmem_state(int fd, uint64_t offset);
long long gmem_populated(int fd, uint64_t offset, uint64_t length);
int gmem_stat(int fd, struct gmem_ioctl_stat *stat);
int gmem_holder(int fd, struct gmem_ioctl_holder *holder);
int gmem_bind(int fd, uint64_t offset, uint64_t length, int store_fd,
	      uint64_t store_offset);
int gmem_unbind(int fd, uint64_t offset, uint64_t length);
int gmem_commit(int fd, uint64_t offset, uint64_t length);
int gmem_punch(int fd, uint64_t offset, uint64_t length);
void *gmem_map(int fd, uint64_t offset, uint64_t length);

/* access.c: accesses of the host that may raise a signal */
int gmem_try_read(const volatile void *p, uint8_t *value);
int gmem_try_write(volatile void *p, uint8_t value);
int gmem_try_copy(void *dst, const void *src, size_t length);
int gmem_try_madvise(void *p, size_t length, int advice);
int gmem_signal_code(void);
void *gmem_signal_addr(void);
void gmem_fill(void *p, uint8_t value, size_t length);
size_t gmem_differs(const void *p, uint8_t value, size_t length);
uint64_t gmem_pfn(const void *p);
bool gmem_vm_flag(const void *p, const char *flag);

/* task.c: threads, children, random numbers */
struct gmem_task {
	pthread_t thread;
	int cpu;
	void *(*fn)(void *arg);
	void *arg;
	int started;
};

int gmem_pin_cpu(int cpu);
int gmem_task_start(struct gmem_task *task, int cpu, void *(*fn)(void *),
		    void *arg);
void *gmem_task_join(struct gmem_task *task);
int gmem_wait_pid(pid_t pid);
int gmem_wait_sleeping(pid_t tid, int timeout_ms);
uint64_t gmem_rand(uint64_t *state);
unsigned int gmem_stress_seconds(void);
int gmem_read_file(const char *path, char *buf, size_t size);
int gmem_write_file(const char *path, const char *text);
int gmem_send_fd(int sock, int fd);
int gmem_recv_fd(int sock);

#define test_gmem_create(length, flags) ({				\
	int __fd = gmem_create(length, flags);				\
									\
	ASSERT_GE(__fd, 0);						\
	__fd;								\
})
#define test_err_gmem_create(err, length, flags)			\
	EXPECT_EQ(-(err), gmem_create(length, flags))

#define test_gmem_convert(fd, offset, length, target, content)		\
	ASSERT_EQ(0, gmem_convert(fd, offset, length, target, content))
#define test_err_gmem_convert(err, fd, offset, length, target, content)	\
	EXPECT_EQ(-(err), gmem_convert(fd, offset, length, target, content))

#define test_gmem_commit(fd, offset, length)				\
	ASSERT_EQ(0, gmem_commit(fd, offset, length))
#define test_err_gmem_commit(err, fd, offset, length)			\
	EXPECT_EQ(-(err), gmem_commit(fd, offset, length))

#define test_gmem_punch(fd, offset, length)				\
	ASSERT_EQ(0, gmem_punch(fd, offset, length))
#define test_err_gmem_punch(err, fd, offset, length)			\
	EXPECT_EQ(-(err), gmem_punch(fd, offset, length))

#define test_gmem_bind(fd, offset, length, store_fd, store_offset)	\
	ASSERT_EQ(0, gmem_bind(fd, offset, length, store_fd, store_offset))
#define test_err_gmem_bind(err, fd, offset, length, store_fd, store_offset) \
	EXPECT_EQ(-(err), gmem_bind(fd, offset, length, store_fd, store_offset))

#define test_gmem_unbind(fd, offset, length)				\
	ASSERT_EQ(0, gmem_unbind(fd, offset, length))
#define test_err_gmem_unbind(err, fd, offset, length)			\
	EXPECT_EQ(-(err), gmem_unbind(fd, offset, length))

#define test_gmem_stat(fd, stat)	ASSERT_EQ(0, gmem_stat(fd, stat))

#define test_gmem_map(fd, offset, length) ({				\
	void *__p = gmem_map(fd, offset, length);			\
									\
	ASSERT_NE((void *)-1, __p);					\
	(uint8_t *)__p;							\
})

/* Loads and stores at p raise SIGBUS. */
#define expect_sigbus(p) do {						\
	EXPECT_EQ(SIGBUS, gmem_try_read(p, NULL));			\
	EXPECT_EQ(SIGBUS, gmem_try_write(p, 0xee));			\
} while (0)

/* The byte at p is value. */
#define expect_byte(value, p) do {					\
	uint8_t __byte = 0;						\
									\
	EXPECT_EQ(0, gmem_try_read(p, &__byte));			\
	EXPECT_EQ((uint8_t)(value), __byte);				\
} while (0)

/* All of the length bytes at p are value. */
#define expect_bytes(value, p, length)					\
	EXPECT_EQ((size_t)(length), gmem_differs(p, value, length))

#define expect_state(state, fd, offset)					\
	EXPECT_EQ((int)(state), gmem_state(fd, offset))

#endif /* GMEM_UTILS_H */
