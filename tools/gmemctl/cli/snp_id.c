// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp id-block, gmemctl snp id-check */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "../base/hex.h"
#include "../snp/abi.h"
#include "../snp/id_block.h"
#include "command.h"
#include "out.h"
#include "snp.h"

/**
 * struct id - the command line
 * @options: the image; first member, because the tables of options start there
 * @block: the ID block, with the values of options
 * @digest, @policy: names of these options if they were given, or NULL
 * @id_block, @id_auth: files that id-block writes and id-check reads
 * @base64: write the files in base64
 */
struct id {
	struct snp_options options;
	struct snp_id_block block;
	const char *digest, *policy;
	const char *id_key;
	const char *author_key;
	const char *id_block;
	const char *id_auth;
	bool base64;
};

#define ID_ARGUMENTS ARGUMENTS(struct id, .options = SNP_OPTIONS_DEFAULT,	\
			       .block = { .version = 1, .policy = SNP_POLICY_DEFAULT })

#define TO_ID(member) TO(struct id, member)
#define SIZES ((struct snp_id_block *)0)

static const struct cli_option id_block_options[] = {
	{ .include = snp_measure_options },
	{ .help = "The ID block:" },
	{ "--digest", "HEX", option_hex, TO_ID(block.digest),
	  "the launch digest, instead of an image", .max = SNP_DIGEST_SIZE,
	  GIVEN(struct id, digest) },
	{ "--id-key", "PEM", option_text, TO_ID(id_key),
	  "private ECDSA key on P-384 that signs the block" },
	{ "--author-key", "PEM", option_text, TO_ID(author_key),
	  "private key that signs the ID key" },
	{ "--policy", "N", snp_option_policy, TO_ID(block.policy),
	  "guest policy (default 0x30000)" },
	{ "--family-id", "HEX", option_hex, TO_ID(block.family_id),
	  "16 bytes of the owner's choice", .max = sizeof(SIZES->family_id) },
	{ "--image-id", "HEX", option_hex, TO_ID(block.image_id),
	  "16 bytes of the owner's choice", .max = sizeof(SIZES->image_id) },
	{ "--guest-svn", "N", option_count, TO_ID(block.guest_svn),
	  "version of the guest", .max = UINT32_MAX },
	{ "--id-block", "FILE", option_text, TO_ID(id_block),
	  "the ID block: 96 bytes, a new file" },
	{ "--id-auth", "FILE", option_text, TO_ID(id_auth),
	  "the ID authentication: 4096 bytes, a new file" },
	{ "--base64", NULL, option_flag, TO_ID(base64), "write both in base64, for QEMU" },
	{ 0 }
};

static const struct cli_option id_check_options[] = {
	{ .include = snp_measure_options },
	{ .help = "The ID block:" },
	{ "--digest", "HEX", option_hex, TO_ID(block.digest),
	  "the launch digest that it must have, instead of an image",
	  .max = SNP_DIGEST_SIZE, GIVEN(struct id, digest) },
	{ "--policy", "N", snp_option_policy, TO_ID(block.policy),
	  "guest policy that it must have", GIVEN(struct id, policy) },
	{ "--id-block", "FILE", option_text, TO_ID(id_block), "the ID block" },
	{ "--id-auth", "FILE", option_text, TO_ID(id_auth), "the ID authentication" },
	{ 0 }
};

/* Return: 0 or an exit code. */
static int id_examine(struct id *id)
{
	if (!id->id_block)
		return usage_error("--id-block", "missing", "name a file");
	if (!id->id_auth)
		return usage_error("--id-auth", "missing", "name a file");
	if (id->digest && id->options.firmware)
		return usage_error("--digest", "not with --firmware",
				   "both give the digest: leave one out");
	return snp_options_check(&id->options);
}

/* Take the digest from --digest, or measure the image of --firmware. */
static int id_digest(struct id *id, struct error *error)
{
	if (id->digest || !id->options.firmware)
		return 0;
	id->digest = "--firmware";
	return snp_loaded_digest(&id->options, id->block.digest, error);
}

static void show_hex(const char *key, const uint8_t *bytes, size_t size)
{
	char text[2 * SNP_DIGEST_SIZE + 1];

	snp_out_hex(out_root(), key, bytes, size);
	out_text("%-17s %s\n", key, hex_format(bytes, size, text));
}

static void id_show(const struct snp_id_block *block, const struct snp_id_keys *keys)
{
	char policy[256];

	show_hex("digest", block->digest, sizeof(block->digest));
	show_hex("family_id", block->family_id, sizeof(block->family_id));
	show_hex("image_id", block->image_id, sizeof(block->image_id));
	out_uint(out_root(), "guest_svn", block->guest_svn);
	out_text("%-17s %u\n", "guest_svn", block->guest_svn);
	out_uint(out_root(), "policy", block->policy);
	out_text("%-17s 0x%" PRIx64 " (%s)\n", "policy", block->policy,
		 snp_policy_format(block->policy, policy, sizeof(policy)));
	show_hex("id_key_digest", keys->id_key_digest, SNP_DIGEST_SIZE);
	if (keys->has_author)
		show_hex("author_key_digest", keys->author_key_digest, SNP_DIGEST_SIZE);
}

static int read_key(const char *path, EVP_PKEY **key, struct error *error)
{
	struct input file;
	int rc = input_read(&file, path, error);

	if (rc)
		return rc;
	rc = snp_key_parse(path, file.data, file.size, key, error);
	OPENSSL_cleanse(file.data, file.size);
	input_free(&file);
	return rc;
}

static int id_sign(const struct id *id, struct snp_id_auth *auth, struct error *error)
{
	EVP_PKEY *id_key, *author_key = NULL;
	int rc;

	rc = read_key(id->id_key, &id_key, error);
	if (rc)
		return rc;
	if (id->author_key)
		rc = read_key(id->author_key, &author_key, error);
	if (!rc)
		rc = snp_id_auth_create(auth, &id->block, id_key, author_key, error);
	EVP_PKEY_free(author_key);
	EVP_PKEY_free(id_key);
	return rc;
}

/* Write a file, in base64 as one line. */
static int id_file_write(const struct id *id, struct output_file *file, const char *path,
			 const void *data, size_t size, struct error *error)
{
	/* Base64 has four characters for three bytes, then a newline and a NUL. */
	uint8_t *text = malloc((size + 2) / 3 * 4 + 2);
	size_t length;
	int rc;

	if (!text)
		return error_set(error, -ENOMEM, "base64", "encode", NULL);
	rc = output_file_find(file, path, false, error);
	if (!rc)
		rc = output_file_create(file, 0644, error);
	if (!rc && id->base64) {
		length = (size_t)EVP_EncodeBlock(text, data, (int)size);
		text[length++] = '\n';
		rc = output_file_write(file, text, length, error);
	} else if (!rc) {
		rc = output_file_write(file, data, size, error);
	}
	free(text);
	return rc;
}

/* Write both files or none, because they belong together. */
static int id_write(const struct id *id, const struct snp_id_auth *auth, struct error *error)
{
	struct output_file block_file = OUTPUT_FILE_NONE;
	struct output_file auth_file = OUTPUT_FILE_NONE;
	int rc;

	rc = id_file_write(id, &block_file, id->id_block, &id->block, sizeof(id->block), error);
	if (!rc)
		rc = id_file_write(id, &auth_file, id->id_auth, auth, sizeof(*auth), error);
	if (rc)
		goto out_close;
	rc = output_file_commit(&block_file, error);
	if (!rc)
		rc = output_file_commit(&auth_file, error);
	if (rc) {
		output_file_remove(&auth_file);
		output_file_remove(&block_file);
	}
out_close:
	output_file_close(&auth_file);
	output_file_close(&block_file);
	return rc;
}

static int id_block_main(const struct command *command, void *arguments)
{
	struct id *id = arguments;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	struct error error;
	int rc, code = id_examine(id);

	if (code)
		return code;
	if (!id->id_key)
		return usage_error("--id-key", "missing", "a PEM file with an ECDSA key on P-384");
	if (!id->digest && !id->options.firmware)
		return usage_error("--digest", "missing", "give it, or --firmware to measure");
	rc = id_digest(id, &error);
	if (!rc)
		rc = id_sign(id, &auth, &error);
	/* Check the result now, because a launch would detect a fault too late. */
	if (!rc)
		rc = snp_id_auth_check(&id->block, &auth, &keys, &error);
	if (!rc)
		rc = id_write(id, &auth, &error);
	if (rc)
		return out_error_report(&error);
	id_show(&id->block, &keys);
	return EXIT_CODE_OK;
}

static int id_check(struct id *id, struct snp_id_block *block,
		    struct snp_id_keys *keys, struct error *error)
{
	struct snp_id_auth auth;
	int rc;

	rc = id_digest(id, error);
	if (!rc)
		rc = snp_file_read_exactly(id->id_block, block, sizeof(*block), error);
	if (!rc)
		rc = snp_file_read_exactly(id->id_auth, &auth, sizeof(auth), error);
	if (!rc)
		rc = snp_id_auth_check(block, &auth, keys, error);
	if (rc)
		return rc;
	if (id->digest && memcmp(id->block.digest, block->digest, sizeof(block->digest)))
		return error_set(error, -EBADMSG, id->id_block, "compare digest",
				 "it is for another launch digest: the launch "
				 "would end with BAD_MEASUREMENT. Create it again "
				 "from the same firmware, VMM and vCPUs");
	if (id->policy && id->block.policy != block->policy)
		return error_set(error, -EBADMSG, id->id_block, "compare policy",
				 "it is for policy 0x%" PRIx64 ": the launch would "
				 "end with POLICY_FAILURE", block->policy);
	return 0;
}

static int id_check_main(const struct command *command, void *arguments)
{
	struct id *id = arguments;
	struct snp_id_block block;
	struct snp_id_keys keys;
	struct error error;
	int rc, code = id_examine(id);

	if (code)
		return code;
	rc = id_check(id, &block, &keys, &error);
	if (rc) {
		code = out_error_report(&error);
		/* As in verify: the files could be read, but the check has failed. */
		return rc == -EBADMSG ? EXIT_CODE_UNTRUSTED : code;
	}
	id_show(&block, &keys);
	out_text("valid: the firmware would take it\n");
	return EXIT_CODE_OK;
}

const struct command command_snp_id_block = {
	.name = "snp id-block",
	.run = id_block_main,
	ID_ARGUMENTS,
	.summary = "create an ID block for a digest, and sign it",
	.usage = "snp id-block IMAGE|--digest HEX --id-key PEM --id-block FILE\n"
		 "                     --id-auth FILE [OPTIONS]",
	.about = "IMAGE is the measured image:",
	.options = id_block_options,
	.examples = "gmemctl snp id-block --igvm guest.igvm --id-key key.pem --id-block id.bin \\\n"
		    "        --id-auth auth.bin",
};

const struct command command_snp_id_check = {
	.name = "snp id-check",
	.run = id_check_main,
	ID_ARGUMENTS,
	.summary = "make the checks of the firmware at the end of a launch",
	.usage = "snp id-check --id-block FILE --id-auth FILE [IMAGE|--digest HEX]\n"
		 "                     [OPTIONS]",
	.about = "Reads the two files, and compares digest and policy if given. IMAGE is the "
		 "measured image:",
	.options = id_check_options,
	.more = "Exit code 3 if a check fails.",
	.examples = "gmemctl snp id-check --id-block id.bin --id-auth auth.bin --igvm guest.igvm",
};
