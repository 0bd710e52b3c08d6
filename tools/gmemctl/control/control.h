/* SPDX-License-Identifier: GPL-2.0 */
/* The control socket of a VM, its clients, and the directory of the sockets; by file. */
#ifndef GMEMCTL_CONTROL_CONTROL_H
#define GMEMCTL_CONTROL_CONTROL_H

#include <json-c/json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"
#include "../memory/range.h"

/*
 * runtime.c
 *
 * The directory with the control sockets of running VMs. It belongs to the user
 * and nobody else can enter it. It is $GMEMCTL_RUNTIME_DIR; or gmemctl in
 * $XDG_RUNTIME_DIR, or for root in /run; or /tmp/gmemctl-UID.
 */

#define RUNTIME_NAME_MAX	32
#define RUNTIME_NAME_RULE	"1 to 32 letters, digits, '-', '_' and '.', the " \
				"first one neither '-' nor '.'"
#define RUNTIME_PATH_MAX	108	/* what a socket address holds */

/** runtime_name_valid() - whether a name follows RUNTIME_NAME_RULE */
bool runtime_name_valid(const char *name);

/** runtime_prepare() - create the directory; fail if other users can enter it */
int runtime_prepare(struct error *error);

/**
 * runtime_find() - check the directory before using its sockets
 *
 * Return: 0, also if it does not exist; -EPERM if another user can have created it.
 */
int runtime_find(struct error *error);

/** runtime_path() - path of the socket of @name, or with @suffix of another file */
int runtime_path(const char *name, const char *suffix,
		 char path[RUNTIME_PATH_MAX], struct error *error);

/**
 * runtime_lock() - reserve a name, until runtime_unlock() or the end of the process
 *
 * Return: a descriptor; -EEXIST if a VM has the name; another negative errno.
 */
int runtime_lock(const char *name, struct error *error);

/**
 * runtime_lock_free() - take a name made of @kind and the process ID, and of a number, too, if
 *	a process of another PID namespace has that
 * @name: out
 *
 * Return: as above, but never -EEXIST.
 */
int runtime_lock_free(const char *kind, char name[RUNTIME_NAME_MAX], struct error *error);

/** runtime_unlock() - release the name; closes @fd */
void runtime_unlock(const char *name, int fd);

/**
 * runtime_reap() - remove the socket of a VM that has died, but not of one that runs
 *
 * Return: whether a socket was removed.
 */
bool runtime_reap(const char *name);

/**
 * runtime_list() - call @visit for the name of each socket
 *
 * Return: 0; a negative errno; what @visit returned if not 0.
 */
int runtime_list(int (*visit)(const char *name, void *data), void *data, struct error *error);

/**
 * runtime_listen() - create a socket, mode 0600, where there may be an old one
 *
 * Return: its descriptor, which does not block; a negative errno.
 */
int runtime_listen(const char path[RUNTIME_PATH_MAX], int backlog, struct error *error);

/**
 * runtime_peer_allowed() - whether the other end of a socket belongs to an allowed user
 *
 * Allowed are the user of this process, and root.
 */
bool runtime_peer_allowed(int fd);

/*
 * message.c
 *
 * The messages of a control socket: one JSON object per line.
 *
 *   request	{"command": NAME, ...}
 *   reply	{"ok": true, "result": ...}
 *		{"ok": false, "error": {"object", "action", "errno", "message",
 *		"hint"}}
 */

/** MESSAGE_REQUEST_MAX: largest request in bytes, with its end of line */
#define MESSAGE_REQUEST_MAX	4096
/** MESSAGE_REPLY_MAX: largest reply in bytes that a client accepts */
#define MESSAGE_REPLY_MAX	(1 << 20)

/**
 * message_text() - convert any bytes to a string of JSON, which is UTF-8
 *
 * A byte that is not part of a character becomes the text \xNN.
 *
 * Return: a new string, or NULL if there is no memory.
 */
struct json_object *message_text(const char *text);

/**
 * message_parse() - parse a line
 * @object: out: a JSON object; to be put by the caller
 *
 * Return: 0; -EBADMSG if the line is not a JSON object.
 */
int message_parse(const char *line, size_t length, struct json_object **object,
		  struct error *error);

/** message_request() - create a request with only a command */
struct json_object *message_request(const char *command);

/** message_command() - get the command of a request, or NULL */
const char *message_command(struct json_object *request);

/** message_number() - get a member that is an integer of at least 0 */
int message_number(struct json_object *request, const char *key,
		   uint64_t *value, struct error *error);

/** message_string() - get a member that is a string. Return: NULL with @error set. */
const char *message_string(struct json_object *request, const char *key, struct error *error);

/** message_range() - get the members "start" and "size": whole pages, at least one */
int message_range(struct json_object *request, struct range *range, struct error *error);

/** message_part() - the same, but both can be missing; @part: in: the default */
int message_part(struct json_object *request, struct range *part, struct error *error);

/** message_state() - get the member "to": private or shared */
int message_state(struct json_object *request, bool *private, struct error *error);

/** message_add_number(), message_add_string() - add a member to a result */
void message_add_number(struct json_object *result, const char *key, uint64_t value);
void message_add_string(struct json_object *result, const char *key, const char *value);

/** message_add_counter() - add a number that other threads change */
static inline void message_add_counter(struct json_object *result, const char *key,
				       const uint64_t *counter)
{
	message_add_number(result, key, __atomic_load_n(counter, __ATOMIC_RELAXED));
}

/** message_add_range() - add a range and its state to an array */
void message_add_range(struct json_object *ranges, struct range range, bool private);

/** message_result() - create a reply; takes over @result, which may be NULL */
struct json_object *message_result(struct json_object *result);

/** message_error() - create a reply with an error */
struct json_object *message_error(const struct error *error);

/**
 * message_reply() - get the result of a reply
 * @result: out: part of @reply; may be NULL
 *
 * Return: 0; -EBADMSG if it is not a reply; or the error of the other side.
 */
int message_reply(struct json_object *reply, struct json_object **result, struct error *error);

/*
 * server.c
 *
 * The VM's side of its control socket: one thread for a few clients. It never waits for a
 * client. If there are too many, the one that was silent longest is disconnected. All clients
 * belong to the same user or root, so the number of requests is not limited.
 */

/**
 * typedef server_fn - handle a request
 *
 * Return: 0 with @result set, which can stay NULL; or a negative errno with @error set.
 */
typedef int (*server_fn)(void *data, const char *command, struct json_object *request,
			 struct json_object **result, struct error *error);

/**
 * struct connection - a client
 * @fd: non-blocking socket; -1: this entry is free
 * @heard_ns: time when it was accepted, or its last request was handled
 * @closing: no more requests are read; the connection is closed after the reply
 * @used: bytes in @request
 * @request: received part of a request
 * @reply: reply that is being sent, or NULL
 * @sent: sent bytes of @reply
 * @reply_size: bytes of @reply
 */
struct connection {
	int fd;
	uint64_t heard_ns;
	bool closing;
	size_t used;
	char request[MESSAGE_REQUEST_MAX];
	char *reply;
	size_t sent;
	size_t reply_size;
};

/** connection_open() - initialise a connection, which owns @fd from now on */
void connection_open(struct connection *connection, int fd, uint64_t now_ns);
void connection_close(struct connection *connection);

/** connection_events() - events of poll() to wait for */
short connection_events(const struct connection *connection);

/** connection_ready() - whether a complete request was received */
bool connection_ready(const struct connection *connection);

/**
 * connection_step() - handle one request at most
 * @events: events of poll()
 *
 * The rest of a reply is sent before the next request is handled. The connection can be
 * closed afterwards.
 */
void connection_step(struct connection *connection, short events,
		     uint64_t now_ns, server_fn serve, void *data);

#define SERVER_CLIENTS_MAX	8
#define SERVER_GRACE_MS		100	/* time that a client has to be heard */

/**
 * struct server - a control socket
 * @serve: handles requests
 * @data: for @serve
 * @name: name of the VM
 * @lock_fd: file whose lock reserves the name
 * @fd: the listening socket
 * @stop_fd: eventfd: the thread has to stop
 * @path: path of the socket
 * @started: the thread exists
 * @thread: the thread
 * @accept_ns: time before which no client is accepted
 * @clients: the connections
 */
struct server {
	server_fn serve;
	void *data;
	const char *name;
	int lock_fd;
	int fd;
	int stop_fd;
	char path[RUNTIME_PATH_MAX];
	bool started;
	pthread_t thread;
	uint64_t accept_ns;
	struct connection clients[SERVER_CLIENTS_MAX];
};

/**
 * server_start() - create the socket of @name and handle its requests
 *
 * @name and @data must stay valid. The socket of a VM that has died is removed.
 *
 * Return: 0; -EEXIST if a VM of that name runs; another negative errno.
 */
int server_start(struct server *server, const char *name, server_fn serve,
		 void *data, struct error *error);

/** server_stop() - stop it and remove the socket; a no-op if it was not started */
void server_stop(struct server *server);

/*
 * client.c
 *
 * The other side of a control socket.
 */

/* Longer than a conversion waits for a page, which the VM does meanwhile. */
#define CLIENT_TIMEOUT_S 60

/**
 * client_call() - ask the VM @name
 * @timeout_s: of each step
 * @request: is put
 * @result: out: to be put, may be NULL; or NULL: of no interest
 *
 * Return: 0; -ENOENT or -ECONNREFUSED if no such VM runs; -ETIME if it does not
 * answer; another negative errno, from the VM or from here.
 */
int client_call(const char *name, unsigned int timeout_s, struct json_object *request,
		struct json_object **result, struct error *error);

/**
 * client_process() - the process that a VM is, as its socket has it
 * @pid: out: in the namespace of this process
 *
 * Return: 0, or as client_call().
 */
int client_process(const char *name, pid_t *pid, struct error *error);

/*
 * channel.c
 *
 * A connection from a VM back to the process that has sent a request, for requests that take
 * long or need files: so the control socket is not blocked. The process listens in the runtime
 * directory; its request has the name of the socket.
 */

/**
 * struct channel - a socket that waits for one VM
 * @name: name of the socket, for the request
 * @path: path of the socket, mode 0600
 * @fd: the listening socket, or -1
 * @lock_fd: see runtime_lock()
 */
struct channel {
	char name[RUNTIME_NAME_MAX];
	char path[RUNTIME_PATH_MAX];
	int fd;
	int lock_fd;
};

/** channel_listen() - create the socket */
int channel_listen(struct channel *channel, struct error *error);
void channel_close(struct channel *channel);

/**
 * channel_accept() - wait for the VM
 * @timeout_ms: timeout
 *
 * Only processes of this user and of root are accepted.
 *
 * Return: the connection; -ETIMEDOUT; another negative errno.
 */
int channel_accept(struct channel *channel, int timeout_ms, struct error *error);

/**
 * channel_connect() - connect, on the side of the VM
 * @name: name from a request
 *
 * Return: the connection; -EPERM if the socket is another user's.
 */
int channel_connect(const char *name, struct error *error);

/** channel_send_file() - send a file to the other side */
int channel_send_file(int socket, int fd);

/** channel_receive_file() - Return: the fd; -ETIMEDOUT; -EBADMSG; -EPIPE. */
int channel_receive_file(int socket);

/** channel_send_result() - send the result: 0, or an error with its description */
int channel_send_result(int socket, int rc, const struct error *error);

/**
 * channel_wait_result() - wait for the result
 * @cancel_fd: the wait ends when this file is readable; -1: none
 * @timeout_ms: timeout; -1: wait as long as the other side exists
 *
 * Return: 0; the error of the other side; -EPIPE if it has died; -EINTR; -ETIMEDOUT.
 */
int channel_wait_result(int socket, int cancel_fd, int timeout_ms, struct error *error);

#endif /* GMEMCTL_CONTROL_CONTROL_H */
