// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "snp.h"

int snp_file_read(struct snp_file *file, const char *path, struct error *error)
{
	int rc = input_read_all(path, &file->data, &file->size, error);

	if (rc)
		snp_file_free(file);
	return rc;
}

void snp_file_free(struct snp_file *file)
{
	free(file->data);
	memset(file, 0, sizeof(*file));
}

/**
 * struct hashing - a file on its way
 * @context: the hash
 * @head: where its first bytes go, or NULL
 */
struct hashing {
	EVP_MD_CTX *context;
	struct snp_file_head *head;
};

static void head_append(struct snp_file_head *head, const uint8_t *bytes,
			size_t size)
{
	size_t room = sizeof(head->bytes) - head->size;

	if (size > room)
		size = room;
	memcpy(head->bytes + head->size, bytes, size);
	head->size += size;
}

static int hash_block(void *context, const uint8_t *bytes, size_t size,
		      struct error *error)
{
	struct hashing *hashing = context;

	if (hashing->head)
		head_append(hashing->head, bytes, size);
	if (EVP_DigestUpdate(hashing->context, bytes, size) == 1)
		return 0;
	return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
}

int snp_file_sha256(const char *path, uint8_t sha256[SNP_SHA256_SIZE],
		    struct snp_file_head *head, struct error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct hashing hashing = { context, head };
	int rc = 0;

	if (head)
		head->size = 0;
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		rc = error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	if (!rc)
		rc = input_read_blocks(path, UINT64_MAX, hash_block, &hashing,
				       error);
	if (!rc && EVP_DigestFinal_ex(context, sha256, NULL) != 1)
		rc = error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	EVP_MD_CTX_free(context);
	return rc;
}

static int count_block(void *context, const uint8_t *bytes, size_t size,
		       struct error *error)
{
	(void)bytes;
	(void)error;
	*(uint64_t *)context += size;
	return 0;
}

int snp_file_size(const char *path, uint64_t *size, struct error *error)
{
	*size = 0;
	return input_read_blocks(path, INPUT_MAX, count_block, size, error);
}

static bool is_base64(const struct snp_file *file)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

	for (uint64_t i = 0; i < file->size; i++)
		if (!file->data[i] || !strchr(digits, file->data[i]))
			return false;
	return file->size;
}

/* In lines or not. Return: whether it is @size bytes. */
static bool decode_base64(const struct snp_file *file, void *data, size_t size)
{
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	uint8_t *bytes = NULL;
	int count = 0, rest = 0;
	bool ok;

	/* More than lines of base64 need */
	ok = context && is_base64(file) && file->size < 2 * size + 16;
	if (ok)
		bytes = malloc(file->size);
	if (bytes)
		EVP_DecodeInit(context);
	ok = bytes && EVP_DecodeUpdate(context, bytes, &count, file->data,
				       (int)file->size) >= 0 &&
	     EVP_DecodeFinal(context, bytes + count, &rest) == 1 &&
	     (size_t)(count + rest) == size;
	if (ok)
		memcpy(data, bytes, size);
	free(bytes);
	EVP_ENCODE_CTX_free(context);
	return ok;
}

int snp_file_read_exactly(const char *path, void *data, uint64_t size,
			  struct error *error)
{
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, path, error);
	if (rc)
		return rc;
	if (file.size == size)
		memcpy(data, file.data, size);
	else if (!decode_base64(&file, data, size))
		rc = error_set(error, -EINVAL, path, "read",
			       "it has %" PRIu64 " bytes, expected %" PRIu64
			       ", or them in base64: give the right file",
			       file.size, size);
	snp_file_free(&file);
	return rc;
}
