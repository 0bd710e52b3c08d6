// SPDX-License-Identifier: GPL-2.0
/* Reads the files that an image is made of. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hex.h"
#include "../boot/linux.h"
#include "input.h"
#include "out.h"
#include "snp.h"

/**
 * struct hashing - a file on its way
 * @context: the hash
 * @head: where its first bytes go, or NULL
 */
struct hashing {
	EVP_MD_CTX *context;
	struct snp_file_head *head;
};

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

/*
 * Of a file of any size, which may be a pipe
 * @head: out; or NULL
 */
static int snp_file_sha256(const char *path, uint8_t sha256[SNP_SHA256_SIZE],
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

/* How many bytes a file has */
static int snp_file_size(const char *path, uint64_t *size, struct error *error)
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

/* The digest is right; whether there is a guest that has it is another thing. */
static void warn_kernel(const char *path, const struct snp_file_head *head)
{
	const char *other = bzimage_describe_other(head->bytes, head->size);

	if (other)
		out_warning(path, "it is %s: QEMU hands a bzImage to the firmware",
			    other);
}

static int load_kernel(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error)
{
	struct snp_kernel_hashes *hashes = &loaded->hashes;
	struct snp_file_head head;
	int rc;

	if (snp_kernel_hashes_init(hashes, options->cmdline))
		return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	rc = snp_file_sha256(options->kernel, hashes->kernel, &head, error);
	if (!rc)
		warn_kernel(options->kernel, &head);
	if (!rc && options->initrd)
		rc = snp_file_sha256(options->initrd, hashes->initrd, NULL,
				     error);
	loaded->image.kernel = hashes;
	return rc;
}

static int load_svsm(struct snp_loaded *loaded,
		     const struct snp_options *options, struct error *error)
{
	uint64_t vars_size = options->vars_size, end;
	int rc = 0;

	if (options->vars_file)
		rc = snp_file_size(options->vars_file, &vars_size, error);
	if (rc)
		return rc;
	end = snp_image_svsm_end(&loaded->firmware, vars_size);
	if (!end)
		return error_set(error, -EINVAL, options->svsm, "place SVSM",
				 "the variable store has to have a multiple of 4096 "
				 "bytes, and less than what is below the firmware");
	rc = snp_file_read(&loaded->svsm_file, options->svsm, error);
	if (!rc)
		rc = snp_firmware_parse(&loaded->svsm, options->svsm,
					loaded->svsm_file.data,
					loaded->svsm_file.size, end, error);
	loaded->image.svsm = &loaded->svsm;
	/* As the reference does: the SVSM has no features but SNP. */
	loaded->image.features = SNP_FEATURE_ACTIVE;
	return rc;
}

/* What the image is said to be is not what it is: say so. */
static int check_kind(const struct snp_loaded *loaded,
		      const struct snp_options *options, struct error *error)
{
	bool is_igvm = snp_igvm_is(loaded->firmware_file.data,
				   loaded->firmware_file.size);

	if (!is_igvm || options->is_igvm)
		return 0;
	return error_set(error, -EINVAL, options->firmware, "parse firmware",
			 "it is an IGVM file: give it with --igvm");
}

/* vCPUs and features are those of the file. */
static int load_igvm(struct snp_loaded *loaded,
		     const struct snp_options *options, struct error *error)
{
	struct snp_igvm *igvm = &loaded->igvm;
	struct snp_image *image = &loaded->image;
	int rc = snp_igvm_parse(igvm, options->firmware,
				loaded->firmware_file.data,
				loaded->firmware_file.size, error);

	if (rc)
		return rc;
	image->igvm = igvm;
	image->firmware = NULL;
	image->nr_vcpus = igvm->nr_vcpus;
	image->features = igvm->nr_vcpus ?
			  snp_vmsa_features(igvm->vcpus[0].vmsa) : 0;
	return 0;
}

int snp_loaded_read(struct snp_loaded *loaded, const struct snp_options *options,
		    struct error *error)
{
	int rc;

	memset(loaded, 0, sizeof(*loaded));
	loaded->image = options->image;
	loaded->image.firmware = &loaded->firmware;
	if (options->with_digest)
		loaded->image.firmware_digest = options->firmware_digest;
	rc = snp_file_read(&loaded->firmware_file, options->firmware, error);
	if (!rc && options->is_igvm)
		return load_igvm(loaded, options, error);
	if (!rc)
		rc = check_kind(loaded, options, error);
	if (!rc)
		rc = snp_firmware_parse(&loaded->firmware, options->firmware,
					loaded->firmware_file.data,
					loaded->firmware_file.size, SNP_4G,
					error);
	if (!rc && options->svsm)
		rc = load_svsm(loaded, options, error);
	if (!rc && options->kernel)
		rc = load_kernel(loaded, options, error);
	return rc;
}

int snp_loaded_measure(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error)
{
	int rc = snp_loaded_read(loaded, options, error);

	return rc ? rc : snp_measure(&loaded->image, &loaded->measurement,
				     error);
}

void snp_loaded_free(struct snp_loaded *loaded)
{
	snp_igvm_free(&loaded->igvm);
	snp_file_free(&loaded->firmware_file);
	snp_file_free(&loaded->svsm_file);
}

int snp_loaded_digest(const struct snp_options *options,
		      uint8_t digest[SNP_DIGEST_SIZE], struct error *error)
{
	struct snp_loaded loaded;
	int rc = snp_loaded_measure(&loaded, options, error);

	memcpy(digest, loaded.measurement.digest, SNP_DIGEST_SIZE);
	snp_loaded_free(&loaded);
	return rc;
}

void snp_out_hex(struct json_object *object, const char *key,
		 const uint8_t *bytes, size_t size)
{
	char text[2 * SNP_DIGEST_SIZE * 2 + 1];

	if (2 * size < sizeof(text))
		out_string(object, key, hex_format(bytes, size, text));
}
