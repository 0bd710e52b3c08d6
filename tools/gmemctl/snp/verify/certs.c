// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "certs.h"

/* AMD's arc, below which the certificates have their extensions. */
#define OID_AMD "1.3.6.1.4.1.3704.1."
#define OID_CHIP OID_AMD "4"

/* 128 bits of security: AMD's keys are RSA-4096 and P-384, with SHA-384. */
#define AUTH_LEVEL 3

static X509 *cert_parse(const uint8_t *data, size_t size)
{
	X509 *cert = NULL;
	BIO *bio;

	if (size && data[0] != '-')
		return d2i_X509(NULL, &data, (long)size);
	bio = BIO_new_mem_buf(data, (int)size);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return cert;
}

static bool cert_is_root(X509 *cert)
{
	return !X509_NAME_cmp(X509_get_subject_name(cert),
			      X509_get_issuer_name(cert));
}

/* The first certificate of each kind; more than that is ignored. */
static void chain_take(struct snp_certs *certs, X509 *cert)
{
	X509 **slot = cert_is_root(cert) ? &certs->root : &certs->intermediate;

	if (*slot)
		X509_free(cert);
	else
		*slot = cert;
}

static void chain_parse(struct snp_certs *certs, const uint8_t *data,
			size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	X509 *cert;

	while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		chain_take(certs, cert);
	BIO_free(bio);
}

static int certs_bad(const char *object, const char *hint, struct error *error)
{
	return error_set(error, -EINVAL, object, "read certificate", "%s", hint);
}

/* VCEK and VLEK are told apart by their name, as AMD's specification says. */
static int leaf_kind(struct snp_certs *certs, struct error *error)
{
	char name[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(certs->leaf),
				  NID_commonName, name, sizeof(name));
	certs->vlek = !strcmp(name, "SEV-VLEK");
	if (certs->vlek || !strcmp(name, "SEV-VCEK"))
		return 0;
	return certs_bad("endorsement key", "its name is neither SEV-VCEK nor "
			 "SEV-VLEK: give the chip's or the provider's "
			 "certificate", error);
}

int snp_certs_parse(struct snp_certs *certs, const uint8_t *leaf,
		    size_t leaf_size, const uint8_t *chain, size_t chain_size,
		    struct error *error)
{
	memset(certs, 0, sizeof(*certs));
	certs->leaf = cert_parse(leaf, leaf_size);
	chain_parse(certs, chain, chain_size);
	ERR_clear_error();
	if (!certs->leaf)
		return certs_bad("endorsement key", "it is no X.509 certificate, "
				 "neither in PEM nor in DER form", error);
	if (!certs->intermediate)
		return certs_bad("chain", "it has no intermediate certificate "
				 "(ASK or ASVK) in PEM form: give AMD's "
				 "cert_chain file", error);
	if (!certs->root)
		return certs_bad("chain", "it has no root certificate (ARK) in "
				 "PEM form: give AMD's cert_chain file", error);
	if (X509_digest(certs->root, EVP_sha256(), certs->root_sha256, NULL) != 1)
		return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	return leaf_kind(certs, error);
}

void snp_certs_free(struct snp_certs *certs)
{
	X509_free(certs->root);
	X509_free(certs->intermediate);
	X509_free(certs->leaf);
	memset(certs, 0, sizeof(*certs));
}

static X509_STORE_CTX *verify_context(const struct snp_certs *certs,
				      X509_STORE *store,
				      struct stack_st_X509 *untrusted,
				      time_t when)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!context)
		return NULL;
	if (X509_STORE_add_cert(store, certs->root) == 1 &&
	    sk_X509_push(untrusted, certs->intermediate) == 1 &&
	    X509_STORE_CTX_init(context, store, certs->leaf, untrusted) == 1) {
		/* The root's own signature is checked, too. */
		X509_STORE_CTX_set_flags(context, X509_V_FLAG_CHECK_SS_SIGNATURE);
		X509_STORE_CTX_set_time(context, 0, when);
		param = X509_STORE_CTX_get0_param(context);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		return context;
	}
	X509_STORE_CTX_free(context);
	return NULL;
}

int snp_certs_verify(const struct snp_certs *certs, time_t when,
		     struct error *error)
{
	X509_STORE *store = X509_STORE_new();
	struct stack_st_X509 *untrusted = sk_X509_new_null();
	X509_STORE_CTX *context = NULL;
	const char *reason = "OpenSSL is out of memory";
	int code, rc = -EBADMSG;

	if (store && untrusted)
		context = verify_context(certs, store, untrusted, when);
	if (context && X509_verify_cert(context) == 1) {
		rc = 0;
	} else if (context) {
		code = X509_STORE_CTX_get_error(context);
		reason = X509_verify_cert_error_string(code);
	}
	X509_STORE_CTX_free(context);
	sk_X509_free(untrusted);
	X509_STORE_free(store);
	ERR_clear_error();
	return rc ? error_set(error, rc, "certificates", "verify", "%s", reason) :
		    0;
}

static const ASN1_OCTET_STRING *cert_extension(X509 *cert, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = object ? X509_get_ext_by_OBJ(cert, object, -1) : -1;

	ASN1_OBJECT_free(object);
	return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(cert, at));
}

/* A version: an INTEGER of one byte. */
static int cert_version(X509 *cert, unsigned int number, uint8_t *version)
{
	const ASN1_OCTET_STRING *value;
	const unsigned char *data;
	ASN1_INTEGER *integer;
	uint64_t result = 256;
	char oid[64];

	snprintf(oid, sizeof(oid), OID_AMD "3.%u", number);
	value = cert_extension(cert, oid);
	if (!value)
		return -EINVAL;
	data = ASN1_STRING_get0_data(value);
	integer = d2i_ASN1_INTEGER(NULL, &data, ASN1_STRING_length(value));
	if (!integer || ASN1_INTEGER_get_uint64(&result, integer) != 1)
		result = 256;
	ASN1_INTEGER_free(integer);
	ERR_clear_error();
	if (result > 255)
		return -EINVAL;
	*version = (uint8_t)result;
	return 0;
}

/**
 * struct tcb_part - where one version is
 * @number: of the extension, below OID_AMD "3."
 * @byte: in the TCB version of a report
 */
struct tcb_part {
	uint8_t number, byte;
};

/* Boot loader, TEE, SNP firmware, microcode; since Turin, FMC comes first. */
static const struct tcb_part tcb_milan[] = {
	{ 1, 0 }, { 2, 1 }, { 3, 6 }, { 8, 7 }, { 0, 0 },
};

static const struct tcb_part tcb_turin[] = {
	{ 9, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 8, 7 }, { 0, 0 },
};

int snp_certs_tcb(const struct snp_certs *certs, uint64_t *tcb)
{
	const struct tcb_part *part = tcb_milan;
	uint8_t version;

	if (cert_extension(certs->leaf, OID_AMD "3.9"))
		part = tcb_turin;
	*tcb = 0;
	for (; part->number; part++) {
		if (cert_version(certs->leaf, part->number, &version))
			return -EINVAL;
		*tcb |= (uint64_t)version << 8 * part->byte;
	}
	return 0;
}

bool snp_certs_is_chip(const struct snp_certs *certs,
		       const uint8_t chip_id[SNP_CHIP_ID_SIZE])
{
	const ASN1_OCTET_STRING *value = cert_extension(certs->leaf, OID_CHIP);
	uint8_t id[SNP_CHIP_ID_SIZE] = { 0 };
	const uint8_t *data;
	int size;

	if (!value)
		return false;
	data = ASN1_STRING_get0_data(value);
	size = ASN1_STRING_length(value);
	/* Some certificates have it as an OCTET STRING, some as it is. */
	if (size > 2 && data[0] == V_ASN1_OCTET_STRING && data[1] == size - 2) {
		data += 2;
		size -= 2;
	}
	if (size < 8 || size > SNP_CHIP_ID_SIZE)
		return false;
	memcpy(id, data, (size_t)size);
	return !memcmp(id, chip_id, sizeof(id));
}
