// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../../base/text.h"
#include "revocation.h"

/**
 * struct crl_search - the lists of one issuer
 * @current: one was signed by it, is whole, and is valid now
 * @detail: why not, or the certificate that it has
 */
struct crl_search {
	bool current;
	char *detail;
	size_t size;
};

static void found(const struct crl_search *search, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void found(const struct crl_search *search, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format(search->detail, search->size, format, args);
	va_end(args);
}

/* Whether a list is of some certificates or reasons only: RFC 5280, 5.2.5. */
static bool is_of_some(const ISSUING_DIST_POINT *point)
{
	return point->onlyuser > 0 || point->onlyCA > 0 || point->onlyattr > 0 ||
	       point->indirectCRL > 0 || point->onlysomereasons;
}

/*
 * Whether a certificate that is not in the list was not revoked. A critical
 * extension says that not, such as that the list has only what is new.
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
	point = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &found,
				     NULL);
	ERR_clear_error();
	all = point ? !is_of_some(point) : found == -1;
	ISSUING_DIST_POINT_free(point);
	return all;
}

/* Return: -EBADMSG if @cert is in the list; else 0, with @search kept up. */
static int crl_look(struct crl_search *search, const struct snp_crl *crl,
		    const struct snp_cert *cert, const struct snp_cert *issuer,
		    uint64_t when)
{
	const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl->crl);
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl->crl);
	EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
	time_t seconds = (time_t)when;
	char name[64], start[32], end[32];
	X509_REVOKED *revoked;

	if (!key || X509_CRL_verify(crl->crl, key) != 1) {
		ERR_clear_error();
		found(search, "the list of %s was not signed by '%s', which it "
		      "names", crl->file, snp_cert_name(issuer->x509, name));
		return 0;
	}
	if (X509_CRL_get0_by_cert(crl->crl, &revoked, cert->x509) == 1) {
		found(search, "'%s' of %s was revoked: it is in the list of %s",
		      snp_cert_name(cert->x509, name), cert->file, crl->file);
		return -EBADMSG;
	}
	if (!is_of_all(crl->crl))
		found(search, "the list of %s is not of all that was revoked: give "
		      "AMD's whole list", crl->file);
	else if (X509_cmp_time(from, &seconds) < 0 &&
		 (!until || X509_cmp_time(until, &seconds) > 0))
		search->current = true;
	else
		found(search, "the list of %s is not current: it is valid from %s "
		      "to %s", crl->file, snp_path_time(from, start),
		      until ? snp_path_time(until, end) : "ever");
	return 0;
}

static int crl_search(struct crl_search *search, const struct snp_pool *pool,
		      const struct snp_cert *cert, const struct snp_cert *issuer,
		      uint64_t when)
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

	snprintf(detail, size, "no list is of '%s', the root: give AMD's for this "
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
