/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first process of a test VM. There is no shell, no library, and no file system
 * except the initramfs. Results for the host go to the result port; the console is for
 * people.
 */
#ifndef GMEM_VM_INIT_H
#define GMEM_VM_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* mounts.c */
void mounts_setup(void);
int file_write(const char *path, const char *text);
ssize_t file_read(const char *path, char *buf, size_t size);

/* port.c: the result port */
void port_open(void);
int port_fd(void);
void port_write(const char *buf, size_t len);
void port_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* result.c: top-level KTAP lines */
void result_plan(unsigned int count);
void result(bool ok, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
unsigned int result_failures(void);

/* kmsg.c: the kernel's log */
int kmsg_open(void);
void kmsg_mark(const char *what);
unsigned int kmsg_judge(void);

/* module.c */
#define MODULES_MAX	32
#define MODULE_NAME_MAX	64

struct module_list {
	unsigned int count;
	struct {
		char path[256];
		char name[MODULE_NAME_MAX];
		bool own;
	} entry[MODULES_MAX];
};

int module_list_read(struct module_list *list);
unsigned int module_list_own(const struct module_list *list);
void module_load_deps(const struct module_list *list);
void module_load_own(const struct module_list *list);
void module_unload_own(const struct module_list *list);
uint64_t taint_read(void);

/* program.c */
struct program_list {
	unsigned int count;
	char (*name)[256];
};

int program_list_read(struct program_list *list);
void program_run(const char *file);

/* spawn.c */
#define SPAWN_TIMED_OUT		(-1)
#define SPAWN_UNKILLABLE	(-2)

typedef void (*spawn_line_fn)(void *ctx, bool is_stderr, const char *line);

int64_t now_ms(void);
int spawn(char *const argv[], const int64_t *deadline, spawn_line_fn fn,
	  void *ctx);

/* leak.c */
bool leak_available(void);
void leak_prime(void);
unsigned int leak_scan(void);
unsigned int slab_leftovers(void);
bool lockdep_available(void);
bool lockdep_alive(void);

/* demo.c */
int demo_run(void);

/* bench.c */
int bench_run(const struct module_list *modules);

#endif
