// SPDX-License-Identifier: GPL-2.0
/* The chain from a certificate to a root, and revocation. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../base/text.h"
#include "verify.h"

/* 128 bits of security: AMD's keys are RSA-4096 and P-384, with SHA-384. */
#define AUTH_LEVEL 3

/* SHA-256 of AMD's root certificates, in DER form, from AMD's server. */
static const struct {
	const char *product, *name;
	uint8_t sha256[SNP_SHA256_SIZE];
} amd_roots[] = {
	{ "Milan", "AMD's for Milan",
	  { 0x69, 0xd0, 0x63, 0xb4, 0x53, 0x44, 0xd2, 0x6a,
	    0x2e, 0x94, 0xe1, 0xf4, 0x21, 0x0d, 0xe4, 0x9e,
	    0xf5, 0x55, 0x30, 0x82, 0x87, 0xd4, 0xc1, 0x74,
	    0x44, 0x5c, 0x95, 0x63, 0x9a, 0x54, 0x0b, 0xcd } },
	{ "Genoa", "AMD's for Genoa",
	  { 0x4c, 0x65, 0x98, 0xd1, 0x9c, 0x18, 0x71, 0x9c,
	    0x5d, 0xfd, 0x4a, 0x7d, 0x33, 0x5f, 0x67, 0x4e,
	    0x5b, 0xfe, 0x1d, 0x8f, 0x80, 0x0c, 0xea, 0x2c,
	    0xf2, 0x70, 0xc1, 0x0d, 0x10, 0x3d, 0xb2, 0xf1 } },
	{ "Turin", "AMD's for Turin",
	  { 0x1f, 0x08, 0x41, 0x61, 0xa4, 0x4b, 0xb6, 0xd9,
	    0x37, 0x78, 0xa9, 0x04, 0x87, 0x7d, 0x48, 0x19,
	    0xca, 0xfa, 0x5d, 0x05, 0xef, 0x41, 0x93, 0xb2,
	    0xde, 0xd9, 0xdd, 0x9c, 0x73, 0xdd, 0x3f, 0x6a } },
};

static bool has_signed(const struct snp_cert *cert, const struct snp_report *report)
{
	EVP_PKEY *key = X509_get0_pubkey(cert->x509);
	struct error error;

	return key && snp_key_is_p384(key) &&
	       !snp_key_verify(key, "report", report, SNP_REPORT_SIGNED,
			       report->signature, &error);
}

static void __attribute__((format(printf, 2, 3)))
path_fail(struct snp_path *path, const char *format, ...)
{
	va_list args;

	path->rc = -EBADMSG;
	va_start(args, format);
	text_format(path->reason, sizeof(path->reason), format, args);
	va_end(args);
}

char *snp_path_time(const ASN1_TIME *time, char text[32])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		strcpy(text, "no time");
	return text;
}

/* Whether @cert names @issuer as its issuer, and was signed by its key. */
static bool issued(const struct snp_cert *cert, const struct snp_cert *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
	bool signature;

	if (X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509)))
		return false;
	signature = key && X509_verify(cert->x509, key) == 1;
	ERR_clear_error();
	return signature;
}

static X509_STORE_CTX *path_context(const struct snp_path *path, X509_STORE *store,
				    struct stack_st_X509 *untrusted, uint64_t when)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!context)
		return NULL;
	if (X509_STORE_add_cert(store, path->root->x509) == 1 &&
	    sk_X509_push(untrusted, path->intermediate->x509) > 0 &&
	    X509_STORE_CTX_init(context, store, path->leaf->x509,
				untrusted) == 1) {
		/* Check the root's own signature, too. */
		X509_STORE_CTX_set_flags(context, X509_V_FLAG_CHECK_SS_SIGNATURE);
		X509_STORE_CTX_set_time(context, 0, (time_t)when);
		param = X509_STORE_CTX_get0_param(context);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		return context;
	}
	X509_STORE_CTX_free(context);
	return NULL;
}

/* Describe the fault that OpenSSL found, and its certificate. */
static void path_explain(struct snp_path *path, X509_STORE_CTX *context, uint64_t when)
{
	X509 *x509 = X509_STORE_CTX_get_current_cert(context);
	const struct snp_cert *cert =
		x509 && !X509_cmp(x509, path->root->x509) ? path->root :
		x509 && !X509_cmp(x509, path->intermediate->x509) ? path->intermediate : path->leaf;
	int code = X509_STORE_CTX_get_error(context);
	char name[64], from[32], until[32], at[32];

	path_fail(path, "'%s' of %s: %s; it is valid from %s to %s, and the time of the check is "
		  "%s", snp_cert_name(cert->x509, name), cert->file,
		  X509_verify_cert_error_string(code),
		  snp_path_time(X509_get0_notBefore(cert->x509), from),
		  snp_path_time(X509_get0_notAfter(cert->x509), until), snp_time_format(when, at));
}

/* Check the certificates of a path, but not whether the root is trusted. */
static void path_check(struct snp_path *path, uint64_t when)
{
	X509_STORE *store = X509_STORE_new();
	struct stack_st_X509 *untrusted = sk_X509_new_null();
	X509_STORE_CTX *context = NULL;

	path->rc = 0;
	if (store && untrusted)
		context = path_context(path, store, untrusted, when);
	if (!context)
		path_fail(path, "OpenSSL is out of memory");
	else if (X509_verify_cert(context) != 1)
		path_explain(path, context, when);
	X509_STORE_CTX_free(context);
	sk_X509_free(untrusted);
	X509_STORE_free(store);
	ERR_clear_error();
}

/* Return: a higher number for a path of which more is valid. */
static int path_rank(const struct snp_path *path)
{
	return !!path->root + 2 * !path->rc + 4 * !!path->root_name;
}

static void path_set_root(struct snp_path *path, const struct snp_cert *root,
			  const struct snp_expect *expect)
{
	const struct snp_value *trusted = &expect->values[SNP_EXPECT_ROOT];

	path->root = root;
	path->root_name = NULL;
	path->product = NULL;
	if (X509_digest(root->x509, EVP_sha256(), path->root_sha256, NULL) != 1)
		return;
	for (size_t i = 0; i < sizeof(amd_roots) / sizeof(amd_roots[0]); i++) {
		if (memcmp(path->root_sha256, amd_roots[i].sha256, SNP_SHA256_SIZE))
			continue;
		path->product = amd_roots[i].product;
		path->root_name = trusted->count ? NULL : amd_roots[i].name;
	}
	for (unsigned int i = 0; i < trusted->count; i++)
		if (!memcmp(path->root_sha256, trusted->bytes[i], SNP_SHA256_SIZE))
			path->root_name = "the one that you trust";
}

/* Describe why the last certificate of the path does not lead to a root. */
static void path_explain_end(struct snp_path *path, const struct snp_pool *pool)
{
	const struct snp_cert *last = path->intermediate ? path->intermediate : path->leaf;
	char name[64], issuer[64];
	bool named = false;

	snp_name_text(X509_get_issuer_name(last->x509), issuer);
	snp_cert_name(last->x509, name);
	for (unsigned int i = 0; i < pool->count; i++) {
		const struct snp_cert *cert = &pool->certs[i];

		named |= !X509_NAME_cmp(X509_get_issuer_name(last->x509),
					X509_get_subject_name(cert->x509));
		if (last != path->leaf || !snp_cert_is_root(cert) || !issued(last, cert))
			continue;
		path_fail(path, "'%s' of %s was signed by the root '%s', but AMD signs with an "
			  "intermediate certificate (ASK or ASVK)", name, last->file, issuer);
		return;
	}
	path_fail(path, named ? "'%s' of %s names '%s' as its issuer, but was not signed by the "
		  "certificate of that name: it is forged, or that certificate is the wrong "
		  "one" :
		  "'%s' of %s names '%s' as its issuer, but no file has the issuer's certificate: "
		  "add it to --chain", name, last->file, issuer);
}

static void path_try_intermediate(struct snp_path *best, const struct snp_pool *pool,
				  const struct snp_cert *intermediate,
				  const struct snp_expect *expect, uint64_t when)
{
	struct snp_path path = {
		.leaf = best->leaf, .intermediate = intermediate,
		.rc = -EBADMSG,
	};

	if (!best->intermediate)
		*best = path;
	for (unsigned int i = 0; i < pool->count; i++) {
		const struct snp_cert *root = &pool->certs[i];

		if (!snp_cert_is_root(root))
			continue;
		path_set_root(&path, root, expect);
		/* There may be many untrusted roots: one is enough for the message. */
		if ((!path.root_name && best->root) || !issued(intermediate, root))
			continue;
		path_check(&path, when);
		if (path_rank(&path) > path_rank(best))
			*best = path;
	}
}

static void path_try_leaf(struct snp_path *path, const struct snp_pool *pool,
			  const struct snp_cert *leaf,
			  const struct snp_expect *expect, uint64_t when)
{
	memset(path, 0, sizeof(*path));
	path->leaf = leaf;
	path->rc = -EBADMSG;
	for (unsigned int i = 0; i < pool->count; i++) {
		const struct snp_cert *cert = &pool->certs[i];

		if (cert != leaf && !snp_cert_is_root(cert) && issued(leaf, cert))
			path_try_intermediate(path, pool, cert, expect, when);
	}
	if (!path->root)
		path_explain_end(path, pool);
}

void snp_path_find(struct snp_path *path, const struct snp_pool *pool,
		   const struct snp_report *report, const struct snp_expect *expect, uint64_t when)
{
	const struct snp_cert *other = NULL;

	memset(path, 0, sizeof(*path));
	for (unsigned int i = 0; i < pool->count; i++) {
		const struct snp_cert *cert = &pool->certs[i];
		struct snp_path candidate;

		if (snp_endorsement_signer(cert) == SNP_SIGNER_NONE)
			continue;
		if (!has_signed(cert, report)) {
			other = other ? other : cert;
			continue;
		}
		path_try_leaf(&candidate, pool, cert, expect, when);
		if (!path->leaf || path_rank(&candidate) > path_rank(path))
			*path = candidate;
	}
	if (!path->leaf && other)
		path_try_leaf(path, pool, other, expect, when);
}

/**
 * struct crl_search - a search in the lists of one issuer
 * @current: a list has the issuer's signature, is complete, and is valid now
 * @detail: out: why no list is, or the certificate that was revoked
 */
struct crl_search {
	bool current;
	char *detail;
	size_t size;
};

static void __attribute__((format(printf, 2, 3)))
found(const struct crl_search *search, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format(search->detail, search->size, format, args);
	va_end(args);
}

/*
 * Whether the list is complete: a certificate that is not in it was not revoked. A
 * critical extension may say otherwise, for example that the list has only changes.
 */
static bool is_of_all(const X509_CRL *crl)
{
	ISSUING_DIST_POINT *point;
	int found;
	bool all;

	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
		const ASN1_OBJECT *type = X509_EXTENSION_get_object(extension);

		if (X509_EXTENSION_get_critical(extension) &&
		    OBJ_obj2nid(type) != NID_issuing_distribution_point)
			return false;
	}
	point = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &found, NULL);
	ERR_clear_error();
	/* It must not be limited to some certificates or reasons: RFC 5280, 5.2.5. */
	all = point ? point->onlyuser <= 0 && point->onlyCA <= 0 && point->onlyattr <= 0 &&
		      point->indirectCRL <= 0 && !point->onlysomereasons : found == -1;
	ISSUING_DIST_POINT_free(point);
	return all;
}

/* Search one list. Return: -EBADMSG if @cert is in it; else 0, and @search is updated. */
static int crl_look(struct crl_search *search, const struct snp_crl *crl,
		    const struct snp_cert *cert, const struct snp_cert *issuer, uint64_t when)
{
	const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl->crl);
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl->crl);
	EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
	time_t seconds = (time_t)when;
	char name[64], start[32], end[32];
	X509_REVOKED *revoked;

	if (!key || X509_CRL_verify(crl->crl, key) != 1) {
		ERR_clear_error();
		found(search, "the revocation list in %s was not signed by '%s', which it "
		      "names as its issuer", crl->file, snp_cert_name(issuer->x509, name));
		return 0;
	}
	if (X509_CRL_get0_by_cert(crl->crl, &revoked, cert->x509) == 1) {
		found(search, "'%s' of %s was revoked: it is in the revocation list in %s",
		      snp_cert_name(cert->x509, name), cert->file, crl->file);
		return -EBADMSG;
	}
	if (!is_of_all(crl->crl))
		found(search, "the revocation list in %s is not complete (a delta, or of limited "
		      "scope): give AMD's complete list", crl->file);
	else if (X509_cmp_time(from, &seconds) < 0 &&
		 (!until || X509_cmp_time(until, &seconds) > 0))
		search->current = true;
	else
		found(search, "the revocation list in %s is not current: it is valid from %s to %s",
		      crl->file, snp_path_time(from, start),
		      until ? snp_path_time(until, end) : "ever");
	return 0;
}

static int crl_search(struct crl_search *search, const struct snp_pool *pool,
		      const struct snp_cert *cert, const struct snp_cert *issuer, uint64_t when)
{
	for (unsigned int i = 0; i < pool->crls_count; i++) {
		const struct snp_crl *crl = &pool->crls[i];
		int rc;

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl->crl),
				  X509_get_subject_name(issuer->x509)))
			continue;
		rc = crl_look(search, crl, cert, issuer, when);
		if (rc)
			return rc;
	}
	return 0;
}

int snp_path_revoked(const struct snp_path *path, const struct snp_pool *pool,
		     uint64_t when, char *detail, size_t size)
{
	struct crl_search root = { .detail = detail, .size = size };
	struct crl_search intermediate = root;
	char name[64];

	snprintf(detail, size, "no revocation list is from the root '%s': give AMD's list for this "
		 "product", snp_cert_name(path->root->x509, name));
	if (crl_search(&root, pool, path->root, path->root, when) ||
	    crl_search(&root, pool, path->intermediate, path->root, when) ||
	    crl_search(&intermediate, pool, path->leaf, path->intermediate, when))
		return -EBADMSG;
	if (!root.current)
		return -EBADMSG;
	snprintf(detail, size, "no certificate was revoked");
	return 0;
}
