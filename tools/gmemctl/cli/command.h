/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands. Each has a table of its options: the parser, the checks of values, --help and
 * the completion of the shell use it. Then the functions that the files of commands share, by
 * file.
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
 * size_parse() - parse a size in bytes, or an address
 *
 * It consists of decimal digits, or of 0x and hexadecimal digits, and of an optional suffix: K, M,
 * G or T, also as KB or KiB. Suffixes are powers of 1024.
 *
 * Return: 0, -EINVAL for anything else, -ERANGE for more than 64 bits.
 */
int size_parse(const char *text, uint64_t *size);

/** count_parse() - parse a plain decimal number of at most @max */
int count_parse(const char *text, uint32_t max, uint32_t *count);

/** number_parse() - parse a number without a suffix: digits, or 0x and hexadecimal digits */
int number_parse(const char *text, uint64_t *number);

/**
 * list_item() - get the next item of a comma-separated list
 * @list: the list; out: the rest of it, or NULL after the last item
 * @path: two commas in the item stand for one
 *
 * Return: the item, in place; it ends with a NUL.
 */
char *list_item(char **list, bool path);

/* Exit codes. UNTRUSTED: a report or ID block is well-formed, but must not be trusted. */
enum {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_UNTRUSTED = 3,
	EXIT_CODE_UNSUPPORTED = 4,
};

struct cli_option;

/**
 * option_parse_fn - parse the value of an option
 * @name: name of the option as it was typed, for messages
 * @text: the value; NULL for an option without one
 * @to: where the value is stored
 *
 * Return: 0, or an exit code after it has printed an error.
 */
typedef int (*option_parse_fn)(const struct cli_option *option,
			       const char *name, const char *text, void *to);

/* The largest number of other names of an option */
#define OPTION_ALIASES 2

/**
 * struct cli_option - an entry of a table of options; the last entry of a table is empty
 * @name: "--cpus". Positional arguments have a name in capitals, and come in the order of
 *	the table. NULL: @help is a heading.
 * @argument: placeholder of the value in help; NULL: the option has no value
 * @parse: parses the value
 * @offset: offset of the value in the structure of the command
 * @help: help text; it is wrapped when it is printed
 * @also: other names
 * @min, @max: limits of option_count(); for option_hex() @max is the number of bytes
 * @words: valid values of option_word() and option_words(); the last one is NULL
 * @data: for a parse function of the command
 * @given: set by GIVEN(): where the name is stored if the option is given; 0: nowhere
 * @optional: a positional argument that can be omitted
 * @include: another table; its offsets are relative to @offset
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

/* Members of struct command: the structure of its command line, and its defaults */
#define ARGUMENTS(type, ...) .size = sizeof(type), .defaults = &(const type) { __VA_ARGS__ }

#define TO(type, member) .offset = offsetof(type, member)
/* One more than the offset, because 0 means no member. The member is a const char *. */
#define GIVEN(type, member) .given = offsetof(type, member) +		\
	sizeof(char[__builtin_types_compatible_p(			\
		__typeof__(((type *)0)->member), const char *) ? 1 : -1])

/** option_is_end() - whether this is the empty entry at the end of a table */
static inline bool option_is_end(const struct cli_option *option)
{
	return !option->name && !option->help && !option->include;
}

/** option_flag() - a bool: set to true */
int option_flag(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_text() - a const char *: the text as it was typed */
int option_text(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_count() - a uint32_t: a decimal number from @min to @max */
int option_count(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_number() - a uint64_t, see number_parse() */
int option_number(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_size() - a uint64_t: a size or an address, see size_parse() */
int option_size(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_hex() - an array of uint8_t: exactly @max bytes in hexadecimal */
int option_hex(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_word() - an unsigned int: the index of the word in @words */
int option_word(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_words() - a uint32_t: a bit for each given word of @words, comma separated; or "all" */
int option_words(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_vm_name() - a const char *: a valid name of a VM, which need not exist */
int option_vm_name(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_off_port() - a uint16_t: a port at which the PC has no device */
int option_off_port(const struct cli_option *option, const char *name, const char *text, void *to);
/** option_program() - a char **: this argument and all following ones, options included */
int option_program(const struct cli_option *option, const char *name, const char *text, void *to);

/** realm_abis: valid values of --abi, versions of the CCA series; the last one is NULL */
extern const char *const realm_abis[];

/**
 * struct command - a command or sub-command
 * @name: as typed: "run", "snp measure"
 * @run: executes the command; gets the parsed structure, and returns an exit code
 * @size: size of this structure
 * @defaults: its initial contents; NULL: zeros
 * @end: called last, with the structure and the exit code, also after a failed parse; or NULL
 * @summary: one line for the list of commands
 * @usage: forms of the command, one on each line; NULL: generated from @options
 * @about: help text before the options; an empty line separates paragraphs
 * @options: the table of its options
 * @more: help text after the options, or NULL
 * @examples: example command lines, one on each line, or NULL
 * @subcommands: sub-commands; the last one is NULL. Then there are no options, and no @run.
 * @without_json: the command has no option --json
 * @lines: with --json the command prints one object on each line, see out_lines()
 * @prepare: completes @options, or NULL
 * @choose: selects another command by the arguments, or NULL
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

/** commands: all commands of this architecture, in the order of the help */
extern const struct command *const commands[];

extern const struct cli_option json_option[];	/* --json, for commands that have it */

/**
 * command_find() - find the command of a command line
 * @used: out: number of words that the name of the command has
 *
 * Return: the command; NULL if there is no such command (@used is 0), or no such sub-command
 * (@used is 1).
 */
const struct command *command_find(int argc, char **argv, int *used);

/**
 * command_parse() - parse a command line
 * @argv: starts with the last word of the command's name
 * @out: the structure of the command, with its defaults
 *
 * Names of options cannot be abbreviated. A single "-" is no option. After "--" there are no
 * options. Options are parsed before positional arguments.
 *
 * Return: 0, or an exit code after it has printed an error.
 */
int command_parse(const struct command *command, int argc, char **argv, void *out);

/**
 * struct asked - options that apply to any command
 * @json: --json was given
 * @help: --help was given
 * @color: the value of --color, or NULL
 */
struct asked {
	bool json;
	bool help;
	const char *color;
};

/** command_ask() - find these options; values of other options are skipped */
void command_ask(const struct command *command, int argc, char **argv, struct asked *asked);

/** command_value() - the last value of an option; "" if it has none; NULL if it is not given */
const char *command_value(const struct command *command, int argc, char **argv, const char *name);

/**
 * command_expects() - what can follow these words, for the completion of the shell
 *
 * Return: the option whose value is next; otherwise the next positional argument, or NULL.
 */
const struct cli_option *command_expects(const struct command *command, int argc, char **argv);

/** command_show() - print the help of a command */
void command_show(const struct command *command, FILE *stream);

/** command_complete() - print the completions of the last word, one on each line */
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

/** usage_error() - print an error about an argument. Return: EXIT_CODE_USAGE. */
int usage_error(const char *object, const char *action, const char *hint, ...)
	__attribute__((format(printf, 3, 4)));

/* modules.c */

#define MODULES_COUNT 2

/** modules_names: names of the modules, in the order of loading */
extern const char *const modules_names[MODULES_COUNT];

/** modules_loaded() - whether a module is loaded; @version: out: see host_module() */
bool modules_loaded(const char *name, char version[HOST_VERSION_SIZE]);

/**
 * modules_load() - load all modules that are not loaded yet
 * @dir: directory with .ko files; NULL: that of the running kernel
 */
int modules_load(const char *dir, struct error *error);

/**
 * modules_check_abi() - check that the loaded gmem has this program's ABI version
 * @abi: out: version of the module's ABI
 */
int modules_check_abi(unsigned int *abi, struct error *error);

/* process.c */

/**
 * process_start() - set up the process; called before anything is opened or printed
 *
 * Afterwards file descriptors 0 to 2 are open, and signals of faults are not blocked. A write
 * beyond RLIMIT_FSIZE fails with EFBIG. Writes to stdout and stderr wait for their reader, even
 * if the file has O_NONBLOCK.
 *
 * Return: 0 or a negative errno.
 */
int process_start(void);

/**
 * process_end_when() - limit the wait for readers of stdout and stderr
 * @over: returns whether the command is over
 *
 * When the command is over, and a reader reads nothing for about a second, writes fail with
 * ETIME, and the output is lost. This uses SIGALRM, which also interrupts other system calls.
 */
void process_end_when(bool (*over)(void));

/**
 * process_find() - find a file that belongs to gmemctl
 * @name: name of the file
 * @built: folder in which it is built, relative to that of gmemctl: "" or "folder/"
 * @path: out: its path, in this folder or where it is installed
 *
 * Return: 0, or a negative errno with @error set.
 */
int process_find(const char *name, const char *built, char path[PATH_MAX], struct error *error);

/* picture.c */

/**
 * picture_draw() - draw the memory of a gmem fd to stdout
 * @fd: the gmem fd
 * @size: its size in bytes
 * @held: show blocks with a page that somebody on the host holds
 *
 * The picture has block characters in a UTF-8 locale, otherwise ASCII characters.
 *
 * Return: 0, or the negative errno of GMEM_IOCTL_QUERY or GMEM_IOCTL_HOLDER.
 */
int picture_draw(int fd, uint64_t size, bool held);

/**
 * map_picture() - draw the gmem fds of a VM, or of any process, to stdout
 * @name: name of a VM, or a process ID
 *
 * Return: an exit code.
 */
int map_picture(const char *name);

/** map_svg() - draw the largest of these fds to a file, with held pages. Return: an exit code. */
int map_svg(const char *name, const char *path);

/* bench_rows.c */

/**
 * bench_rows_show() - print rows, skipped cases and failures as they are read
 * @stream: output of selftests/bench/main.c, which is read to its end
 */
void bench_rows_show(FILE *stream);

/* cmd_who.c */

struct who_memory;

/**
 * who_find() - find the gmem fds of a VM, by its name, or of a process, by its ID
 * @memories: out: array of @count entries, freed with who_memories_free()
 *
 * Return: 0, or an error of client_process() or who_memories().
 */
int who_find(const char *name, struct who_memory **memories, size_t *count, struct error *error);

/*
 * input.c
 *
 * Reads all files that are named on the command line, so that all options accept the same kinds
 * of files.
 */

#define INPUT_MAX (UINT64_C(256) << 20)
#define INPUT_DIGEST_SIZE 32

/**
 * input_take_fn - callback for each block of a file
 * @context: as passed by the caller
 * @bytes: @size bytes, valid during the call
 * @error: set on failure
 *
 * Return: 0, or a negative errno, which ends the reading.
 */
typedef int (*input_take_fn)(void *context, const uint8_t *bytes, size_t size, struct error *error);

/**
 * input_open_fd() - open a file that the caller reads from start to end
 *
 * It opens the kinds of files that input_read_blocks() reads. A FIFO that has no writer within a
 * second reads as empty.
 *
 * Return: a file descriptor without O_NONBLOCK; a negative errno.
 */
int input_open_fd(const char *path, struct error *error);

/**
 * input_read_blocks() - read a file to its end, block by block
 * @max: largest valid size in bytes; UINT64_MAX: any size
 * @take: called for each block, in order; no block is empty
 *
 * It reads regular files, devices, pipes and FIFOs until read(2) returns 0: files of /proc have
 * a size of 0, and pipes have none. A pipe is read until its last writer closes it. A FIFO must
 * have a writer within a second.
 *
 * Return: 0; -EFBIG if the file is larger than @max; -EISDIR for a directory; -ENXIO for a FIFO
 * without a writer; the error of @take; another negative errno.
 */
int input_read_blocks(const char *path, uint64_t max, input_take_fn take,
		      void *context, struct error *error);

/**
 * struct input - the contents of a file
 * @path: path of the file
 * @data: @size bytes; NULL: nothing was read
 */
struct input {
	const char *path;
	uint8_t *data;
	uint64_t size;
};

/**
 * input_read() - read a file of at most INPUT_MAX bytes
 *
 * input_free() can be called afterwards, also after a failure.
 *
 * Return: as input_read_blocks().
 */
int input_read(struct input *input, const char *path, struct error *error);
void input_free(struct input *input);

/** input_load() - copy the file to @memory; @digest: out: SHA-256 of the copy */
int input_load(const struct input *input, uint8_t *memory, uint8_t digest[INPUT_DIGEST_SIZE],
	       struct error *error);

/*
 * output_file.c
 *
 * A file that gmemctl writes. It is written under a temporary name in the same directory, and
 * renamed when all of it is on disk. So at any time its path has all of it, or the old file.
 *
 * Only files that this process has created are removed. Only the file that existed at the start
 * is replaced. The target must be a regular file; if it is a symbolic link, the file that it
 * points to is replaced.
 */

/**
 * struct output_file - a file being written
 * @path: its final path, with a symbolic link at the end resolved
 * @part: its temporary path; empty if there is no temporary file
 * @name: last component of @path
 * @part_name: last component of @part
 * @old: fd of the file that is replaced, or -1
 * @directory: fd of the directory of both paths, or -1
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

/* Initial value; output_file_close() ignores it */
#define OUTPUT_FILE_NONE ((struct output_file){ .old = -1, .directory = -1, \
							 .fd = -1 })

/**
 * output_file_find() - check the path of a file; nothing is created
 * @replace: an existing file can be replaced
 *
 * output_file_close() can be called afterwards, also after a failure.
 *
 * Return: 0; -EISDIR for a directory; -EINVAL for another path that is no regular file; -EEXIST
 * for an existing file without @replace; -EBUSY for the memory of a VM; an error of the directory.
 */
int output_file_find(struct output_file *file, const char *path, bool replace, struct error *error);

/**
 * output_file_create() - create the file under its temporary name
 * @mode: its mode, which the umask reduces
 */
int output_file_create(struct output_file *file, mode_t mode, struct error *error);

/** output_file_write() - append bytes */
int output_file_write(struct output_file *file, const void *data, uint64_t size,
		      struct error *error);

/**
 * output_file_commit() - sync the file, and rename it to its final path
 *
 * After success the file survives a loss of power. After a failure it still has its temporary
 * name, or, if only the directory could not be synced, its final one: output_file_place()
 * returns the path. With -EIDRM the file is lost.
 *
 * Return: 0; -EIDRM if the temporary file was removed or replaced meanwhile (no file system
 * returns this); another negative errno.
 */
int output_file_commit(struct output_file *file, struct error *error);

/** output_file_place() - the current path of the file */
const char *output_file_place(const struct output_file *file);

/** output_file_keep() - keep the temporary file; output_file_close() does not remove it */
void output_file_keep(struct output_file *file);

/** output_file_remove() - remove the file from its current path, unless it was replaced */
void output_file_remove(struct output_file *file);

/** output_file_close() - close the file, and remove it if it still has its temporary name */
void output_file_close(struct output_file *file);

/*
 * memory_option.c
 *
 * The option --memory: SIZE, or a list of properties.
 */

/**
 * struct memory_option - the parsed option
 * @request: the memory, without ranges, which depend on the machine
 * @size: size in bytes; 0: not given
 * @kind_given: the kind was given, or follows from another key
 * @path: @request.path points to it, also that of a copy of this structure
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
 * @out: the result; every member is set
 *
 * The first item can be a SIZE without a key. Each key can occur once. A key with on or off
 * means on if it has no value. A path ends at a comma; two commas stand for one.
 * memory_config_check() checks the combination of keys.
 *
 * Return: 0; -EINVAL, and @error names the wrong item; -ENOMEM.
 */
int memory_option_parse(const char *text, struct memory_option *out, struct error *error);

/** option_memory() - a struct memory_option, see memory_option_parse() */
int option_memory(const struct cli_option *option, const char *name, const char *text, void *to);

#endif /* GMEMCTL_CLI_COMMAND_H */
