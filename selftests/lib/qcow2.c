// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include "qcow2.h"

#define CLUSTER_BITS	16
#define CLUSTER		(1UL << CLUSTER_BITS)

/*
 * The header of version 2, see docs/interop/qcow2.txt of QEMU. All fields are big-endian.
 */
struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_offset;
	uint32_t backing_size;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t encryption;
	uint32_t l1_size;
	uint64_t l1_offset;
	uint64_t counts_offset;
	uint32_t counts_clusters;
	uint32_t snapshots;
	uint64_t snapshots_offset;
};

_Static_assert(sizeof(struct header) == 72, "format");

/*
 * One cluster each: the header, the refcount table, a refcount block, an empty L1 table.
 */
enum { HEADER, COUNTS_TABLE, COUNTS, L1, CLUSTERS };

bool qcow2_make(const char *path, uint64_t size)
{
	const struct header header = {
		.magic = htobe32(0x514649fb),
		.version = htobe32(2),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64(size),
		.l1_size = htobe32(1),
		.l1_offset = htobe64(L1 * CLUSTER),
		.counts_offset = htobe64(COUNTS_TABLE * CLUSTER),
		.counts_clusters = htobe32(1),
	};
	const uint64_t table = htobe64(COUNTS * CLUSTER);
	uint16_t counts[CLUSTERS];
	bool done;
	int fd;

	for (unsigned int i = 0; i < CLUSTERS; i++)
		counts[i] = htobe16(1);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = !ftruncate(fd, CLUSTERS * CLUSTER) &&
	       pwrite(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       pwrite(fd, &table, sizeof(table), COUNTS_TABLE * CLUSTER) == sizeof(table) &&
	       pwrite(fd, counts, sizeof(counts), COUNTS * CLUSTER) == sizeof(counts);
	close(fd);
	return done;
}
