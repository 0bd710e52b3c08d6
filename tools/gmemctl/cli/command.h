/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands, and the options of each in one table: what is parsed, what values there
 * can be, what --help says and what a shell completes all come from there. Also what
 * commands use of each other, by file.
 */
#ifndef GMEMCTL_CLI_COMMAND_H
#define GMEMCTL_CLI_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../base/error.h"
#include "../host/host.h"
#include "../memory/options.h"

/**
 * size_parse() - parse a size in bytes, or an address: digits, or 0x and hexadecimal
 * ones, then K, M, G, T (also KB or KiB, and so on; all powers of 1024) or nothing
 *
 * Return: 0, -EINVAL for anything else, -ERANGE for more than 64 bits.
 */
int size_parse(const char *text, uint64_t *size);

/** count_parse() - parse a plain decimal number of at most @max */
int count_parse(const char *text, uint32_t max, uint32_t *count);

/** number_parse() - parse all of a number: digits, or 0x and hexadecimal ones */
int number_parse(const char *text, uint64_t *number);

/**
 * list_item() - cut the next item off a list, which is separated by commas
 * @list: the rest afterwards; NULL after the last item
 * @path: of two commas in the item one is its own
 */
char *list_item(char **list, bool path);

/* Exit codes. UNTRUSTED: what was looked at is readable, and must not be trusted. */
enum {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_UNTRUSTED = 3,
	EXIT_CODE_UNSUPPORTED = 4,
};

struct cli_option;

/**
 * option_parse_fn - take the value of an option
 * @name: as it was typed, for messages
 * @text: the value; NULL for an option without one
 * @to: where the value goes
 *
 * Return: 0 or an exit code; what is wrong has been said then.
 */
typedef int (*option_parse_fn)(const struct cli_option *option,
			       const char *name, const char *text, void *to);

/* How many other names an option can have */
#define OPTION_ALIASES 2

/**
 * struct cli_option - a line of a table of options, which ends with an empty one
 * @name: "--cpus"; an argument that is no option has a name in capitals, and they
 *	come in the order of the table; NULL: @help is a heading
 * @argument: what stands for the value in help; NULL: the option has none
 * @parse: takes it
 * @offset: of the value, in the structure that the command parses into
 * @help: a sentence, which is broken into lines as needed
 * @also: its other names
 * @min, @max: the least and the most of a number; @max is the size of bytes
 * @words: the values of option_word(), up to a NULL
 * @data: for a function of the command's own
 * @given: GIVEN(): where the name goes if the option is there; else 0
 * @optional: of an argument that is no option: it may be missing
 * @include: another table; its offsets count from @offset on
 */
struct cli_option {
	const char *name;
	const char *argument;
	option_parse_fn parse;
	size_t offset;
	const char *help;
	const char *also[OPTION_ALIASES];
	uint64_t min, max;
	const char *const *words;
	const void *data;
	size_t given;
	bool optional;
	const struct cli_option *include;
};

/* What a command's options are parsed into, and how that begins */
#define ARGUMENTS(type, ...) .size = sizeof(type), .defaults = &(const type) { __VA_ARGS__ }

#define TO(type, member) .offset = offsetof(type, member)
/* One more than the offset; the member has to be a const char *. */
#define GIVEN(type, member) .given = offsetof(type, member) +		\
	sizeof(char[__builtin_types_compatible_p(			\
		__typeof__(((type *)0)->member), const char *) ? 1 : -1])

/** option_is_end() - whether it is the empty one at the end of a table */
static inline bool option_is_end(const struct cli_option *option)
{
	return !option->name && !option->help && !option->include;
}

/* Take a bool, a const char *, a uint32_t, a uint64_t, a uint64_t, bytes. */
int option_flag(const struct cli_option *option, const char *name, const char *text, void *to);
int option_text(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_count() - a plain decimal number from @min to @max */
int option_count(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_number() - any number: digits, or 0x and hexadecimal ones */
int option_number(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_size() - a size or an address, see size_parse() */
int option_size(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_hex() - exactly @max bytes in hexadecimal */
int option_hex(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_word() - an unsigned int: which of @words it is */
int option_word(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_words() - a uint32_t: some of @words, comma separated, as bits; or "all" */
int option_words(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_vm_name() - a const char *: a name of a VM; nothing is looked up */
int option_vm_name(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_off_port() - a uint16_t: a port where the PC has no device */
int option_off_port(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_program() - a char **: this word, and all that come after it */
int option_program(const struct cli_option *option, const char *name, const char *text, void *to);

/** realm_abis: versions of the CCA series that --abi takes, up to a NULL */
extern const char *const realm_abis[];

/**
 * struct command - a command, or one of its sub-commands
 * @name: as typed: "run", "snp measure"
 * @run: gets what was parsed; returns an exit code
 * @size: bytes of the structure that it is parsed into
 * @defaults: what that is before; NULL: zeros
 * @end: called with it at last, also where it could not be parsed, with the exit code; or NULL
 * @summary: one line for the list of commands
 * @usage: forms of the command, a line each; NULL: made from @options
 * @about: what help says before the options; an empty line parts paragraphs
 * @options: the table
 * @more: what help says after them, or NULL
 * @examples: command lines, a line each, or NULL
 * @subcommands: up to a NULL; then there are no options, and no @run
 * @without_json: it has no option --json
 * @lines: with --json it writes an object on each line, see out_lines()
 * @prepare: completes @options, or NULL
 * @choose: the command that these arguments are for, or NULL
 */
struct command {
	const char *name;
	int (*run)(const struct command *command, void *arguments);
	size_t size;
	const void *defaults;
	void (*end)(void *arguments, int code);
	const char *summary;
	const char *usage;
	const char *about;
	const struct cli_option *options;
	const char *more;
	const char *examples;
	const struct command *const *subcommands;
	bool without_json, lines;
	void (*prepare)(void);
	const struct command *(*choose)(int argc, char **argv);
};

/** commands: all that there are on this architecture, as help lists them */
extern const struct command *const commands[];

extern const struct cli_option json_option[];	/* what every command has */

/**
 * command_find() - the command that a command line is for
 * @used: out: so many words of it are the command's name
 *
 * Return: the command; NULL if the first of the words is none, or is no sub-command
 * (@used is 1 then).
 */
const struct command *command_find(int argc, char **argv, int *used);

/**
 * command_parse() - parse a command line, or complain
 * @argv: from the name of the command on
 * @out: what the offsets of the table are in
 *
 * Names are taken as they are: neither their start nor a single dash is an option,
 * but for -h. After "--" there are no options.
 *
 * Return: 0 or an exit code.
 */
int command_parse(const struct command *command, int argc, char **argv, void *out);

/**
 * struct asked - what is asked for in any command
 * @json: --json
 * @help: --help
 * @color: the value of --color, or NULL
 */
struct asked {
	bool json;
	bool help;
	const char *color;
};

/** command_ask() - look for these, where no option has them as its value */
void command_ask(const struct command *command, int argc, char **argv, struct asked *asked);

/** command_value() - the value of an option that is there, "" or NULL */
const char *command_value(const struct command *command, int argc, char **argv, const char *name);

/**
 * command_expects() - what comes after these words
 *
 * Return: an option whose value is next, or the next argument that is none, or NULL.
 */
const struct cli_option *command_expects(const struct command *command, int argc, char **argv);

/** command_show() - write what --help shows */
void command_show(const struct command *command, FILE *stream);

/** command_complete() - write what the last of the words can be, a line each */
int command_complete(int argc, char **argv);

extern const struct command command_load;
extern const struct command command_unload;
extern const struct command command_info;
extern const struct command command_check;
extern const struct command command_run;
extern const struct command command_exec;
extern const struct command command_demo;
extern const struct command command_bench;
extern const struct command command_snp;
extern const struct command command_snp_run;
extern const struct command command_realm;
extern const struct command command_realm_status;
extern const struct command command_snp_status;
extern const struct command command_ps;
extern const struct command command_stat;
extern const struct command command_map;
extern const struct command command_convert;
extern const struct command command_decommit;
extern const struct command command_balloon;
extern const struct command command_dump;
extern const struct command command_handover;
extern const struct command command_save;
extern const struct command command_restore;
extern const struct command command_stop;
extern const struct command command_who;
extern const struct command command_top;
extern const struct command command_trace;

/** usage_error() - complain about an argument. Return: EXIT_CODE_USAGE. */
int usage_error(const char *object, const char *action, const char *hint, ...)
	__attribute__((format(printf, 3, 4)));

/* modules.c */

#define MODULES_COUNT 2

/** modules_names: in the order of loading */
extern const char *const modules_names[MODULES_COUNT];

/** modules_loaded() - whether it is; its @version as host_module() has it */
bool modules_loaded(const char *name, char version[HOST_VERSION_SIZE]);

/**
 * modules_load() - load all modules that are not loaded yet
 * @dir: directory with .ko files, or NULL for the kernel's own
 */
int modules_load(const char *dir, struct error *error);

/**
 * modules_check_abi() - whether the loaded gmem speaks this program's ABI
 * @abi: out: its version
 */
int modules_check_abi(unsigned int *abi, struct error *error);

/* process.c */

/**
 * process_start() - before anything else is opened, or is said
 *
 * Standard input, output and error are open files afterwards, signals of faults
 * are not blocked, a write beyond RLIMIT_FSIZE fails with EFBIG, and what is written
 * to stdout and stderr waits for its reader, also where the file has O_NONBLOCK.
 *
 * Return: 0 or a negative errno.
 */
int process_start(void);

/**
 * process_end_when() - from now on let no reader of stdout or stderr keep a command that
 *	is over
 * @over: whether it is
 *
 * A reader who then takes nothing for about a second is given up: what is written to it is
 * lost, and an error (ETIME). SIGALRM, which is used for that, interrupts what can be.
 */
void process_end_when(bool (*over)(void));

/**
 * process_find() - a file that belongs to gmemctl
 * @name: of the file
 * @built: where it is built, from the folder of gmemctl on: "" or "folder/"
 * @path: out: its path, there or where it is installed
 *
 * Return: 0, or a negative errno with @error set.
 */
int process_find(const char *name, const char *built, char path[PATH_MAX], struct error *error);

/* picture.c */

/**
 * picture_draw() - draw the memory of a gmem fd to stdout
 * @fd: the gmem fd
 * @size: bytes of it
 * @held: show blocks with a page that somebody on the host holds
 *
 * Block characters where the locale is UTF-8, ASCII elsewhere.
 *
 * Return: 0, or the negative errno of GMEM_IOCTL_QUERY or GMEM_IOCTL_HOLDER.
 */
int picture_draw(int fd, uint64_t size, bool held);

/**
 * map_picture() - draw the gmem fds of a VM, or of any process, to stdout
 * @name: of a VM, or a process ID
 *
 * Return: an exit code.
 */
int map_picture(const char *name);

/** map_svg() - draw the largest of them into a file, with what is held */
int map_svg(const char *name, const char *path);

/* bench_rows.c */

/**
 * bench_rows_show() - show rows, cases that were left out, and failures, as they come
 * @stream: the lines of selftests/bench/main.c, to its end
 */
void bench_rows_show(FILE *stream);

/* cmd_who.c */

struct who_memory;

/**
 * who_find() - the gmem fds of a VM of this name, or of a process with this number
 * @memories: out: of @count, for who_memories_free()
 *
 * Return: 0, or as client_process() and who_memories().
 */
int who_find(const char *name, struct who_memory **memories, size_t *count, struct error *error);

/*
 * input.c
 *
 * Files that gmemctl reads because it was told their names. All of them come in
 * here, so that what can be read for one option can be read for all.
 */

#define INPUT_MAX (UINT64_C(256) << 20)
#define INPUT_DIGEST_SIZE 32

/**
 * input_take_fn - what becomes of a block of a file
 * @context: of the caller
 * @bytes: @size of them, valid during the call
 * @error: to be set on failure
 *
 * Return: 0 or a negative errno, which ends the reading.
 */
typedef int (*input_take_fn)(void *context, const uint8_t *bytes, size_t size, struct error *error);

/**
 * input_open_fd() - open a file that somebody else reads, from its start to its end
 *
 * Opens what input_read_blocks() takes. A FIFO that nobody writes to within a second
 * is at its end then.
 *
 * Return: a file whose read(2) waits; a negative errno.
 */
int input_open_fd(const char *path, struct error *error);

/**
 * input_read_blocks() - read a file to its end, block by block
 * @max: the most that it may have, in bytes; UINT64_MAX: any size
 * @take: gets the blocks in their order, none of them empty
 *
 * The end is where read(2) says so: a file of /proc has a size of 0, and a pipe
 * has none. Takes regular files, devices, pipes and FIFOs; a pipe is read as long
 * as somebody has it open for writing, and a FIFO is given a second to be opened so.
 *
 * Return: 0; -EFBIG if there is more than @max; -EISDIR for a directory; -ENXIO
 * for a FIFO that nobody writes to; what @take has returned; another negative
 * errno.
 */
int input_read_blocks(const char *path, uint64_t max, input_take_fn take,
		      void *context, struct error *error);

/**
 * struct input - the contents of a file
 * @path: its name
 * @data: @size bytes; NULL: there are none to be freed
 */
struct input {
	const char *path;
	uint8_t *data;
	uint64_t size;
};

/**
 * input_read() - read a file of at most INPUT_MAX bytes
 *
 * input_free() works in any case afterwards.
 *
 * Return: as input_read_blocks().
 */
int input_read(struct input *input, const char *path, struct error *error);
void input_free(struct input *input);

/** input_load() - copy it to @memory; @digest: out: SHA-256, by OpenSSL, of what is there then */
int input_load(const struct input *input, uint8_t *memory, uint8_t digest[INPUT_DIGEST_SIZE],
	       struct error *error);

/*
 * output_file.c
 *
 * A file that is written by gmemctl: under its name there is all of it or what was
 * there before, whatever happens meanwhile. It is written under a name of its own
 * in the same directory, and gets the other one when all of it is on the disk.
 *
 * Only what this process has made is ever removed, and only what was there when it
 * began is ever replaced. What is no regular file is
 * refused; of a symbolic link the target is replaced.
 */

/**
 * struct output_file - a file on its way
 * @path: where it is to be, without a symbolic link at the end
 * @part: where it is until then; empty if this process has made nothing there
 * @name: last component of @path; likewise @part_name
 * @old: fd of the file that was there when this began, and is replaced, or -1
 * @directory: fd of the directory of both, or -1
 * @fd: the file, or -1
 */
struct output_file {
	char path[PATH_MAX];
	char part[PATH_MAX];
	const char *name;
	const char *part_name;
	int old;
	int directory;
	int fd;
};

/* One that output_file_close() has nothing to do about */
#define OUTPUT_FILE_NONE ((struct output_file){ .old = -1, .directory = -1, \
							 .fd = -1 })

/**
 * output_file_find() - see where it would be; nothing is made yet
 * @replace: whether it may take the place of a file
 *
 * output_file_close() works in any case.
 *
 * Return: 0; -EISDIR, -EINVAL for what is no file; -EEXIST without @replace;
 * -EBUSY for the memory of a VM; what the kernel says of the directory.
 */
int output_file_find(struct output_file *file, const char *path, bool replace, struct error *error);

/**
 * output_file_create() - make it, under its own name
 * @mode: less the umask
 */
int output_file_create(struct output_file *file, mode_t mode, struct error *error);

/** output_file_write() - add bytes */
int output_file_write(struct output_file *file, const void *data, uint64_t size,
		      struct error *error);

/**
 * output_file_commit() - all is written: give it its name, for good
 *
 * When this succeeds it outlives a loss of power. If it fails the file is still
 * where it was made, or, if only the directory could not be synced, in its place:
 * output_file_place() says where. But if somebody else has taken what was written
 * away there is nothing any more.
 *
 * Return: 0; -EIDRM in that case, which no file system says; what the kernel says.
 */
int output_file_commit(struct output_file *file, struct error *error);

/** output_file_place() - where the file is now */
const char *output_file_place(const struct output_file *file);

/** output_file_keep() - do not remove it, complete or not */
void output_file_keep(struct output_file *file);

/** output_file_remove() - remove it, also from its place, unless it is another now */
void output_file_remove(struct output_file *file);

/** output_file_close() - remove what has not got its name */
void output_file_close(struct output_file *file);

/*
 * memory_option.c
 *
 * The option --memory: SIZE, or a list of what the memory is to be like.
 */

/**
 * struct memory_option - the option, parsed
 * @request: without ranges; where RAM is depends on the machine
 * @size: bytes, 0: not given
 * @kind_given: the kind was named, or follows from another key
 * @path: what @request.path points to; so copies of this structure share it
 */
struct memory_option {
	struct memory_request request;
	uint64_t size;
	bool kind_given;
	char path[PATH_MAX];
};

#define MEMORY_OPTION_DEFAULT { .request = { .existing_fd = -1, .node = -1 } }

/**
 * memory_option_parse() - parse SIZE|KEY[=VALUE],...
 * @text: for instance "4G", "size=4G,kind=gmem-store" or "512M,hugepages"
 * @out: all of it is set on success
 *
 * The first item may be a bare SIZE. Each key may come once. A key that is on
 * or off is on without a value. A path ends at a comma, unless two are there,
 * which stand for one.
 *
 * What the keys allow together is checked as memory_config_check() does it.
 *
 * Return: 0; -EINVAL with @error saying which item is wrong; -ENOMEM.
 */
int memory_option_parse(const char *text, struct memory_option *out, struct error *error);

/** option_memory() - a struct memory_option: as an option of a command */
int option_memory(const struct cli_option *option, const char *name, const char *text, void *to);

#endif /* GMEMCTL_CLI_COMMAND_H */
