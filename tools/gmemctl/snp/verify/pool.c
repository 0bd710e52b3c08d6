// SPDX-License-Identifier: GPL-2.0
/* The pool of certificates, and the contents of those that endorse reports. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "../../base/bytes.h"
#include "../id_block.h"
#include "pool.h"

/* Size of a line of a certificate table: GUID, offset, length */
#define TABLE_LINE 24
#define DER_SEQUENCE 0x30
#define DER_LENGTH_16 0x82

/* Source: GHCB specification (AMD 56421), 4.1.8.1 */
static const struct guid table_certs[] = {
	GUID(0xc0b406a4, 0xa803, 0x4952, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
	     0xae),	/* ARK */
	GUID(0x4ab7b379, 0xbbac, 0x4fe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
	     0x82),	/* ASK */
	GUID(0x63da758d, 0xe664, 0x4564, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
	     0xcd),	/* VCEK */
	GUID(0xa8074bc2, 0xa25a, 0x483e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
	     0xa1),	/* VLEK */
};

static int bad(const char *file, const char *hint, struct error *error)
{
	return error_set(error, -EINVAL, file, "read certificates", "%s", hint);
}

static int pool_push(struct snp_pool *pool, const char *file, X509 *x509, struct error *error)
{
	if (pool->count == SNP_POOL_MAX) {
		X509_free(x509);
		return error_set(error, -E2BIG, file, "read certificates",
				 "there are more than %d: give those of one product", SNP_POOL_MAX);
	}
	pool->certs[pool->count++] = (struct snp_cert){ x509, file };
	return 0;
}

static int pool_push_crl(struct snp_pool *pool, const char *file, X509_CRL *crl,
			 struct error *error)
{
	if (pool->crls_count == SNP_POOL_CRLS) {
		X509_CRL_free(crl);
		return error_set(error, -E2BIG, file, "read revocation lists",
				 "there are more than %d: give that of one product", SNP_POOL_CRLS);
	}
	pool->crls[pool->crls_count++] = (struct snp_crl){ crl, file };
	return 0;
}

static bool has_pem(const uint8_t *data, size_t size, const char *begin)
{
	return size && memmem(data, size, begin, strlen(begin));
}

/* Whether the last PEM_read_bio_...() failed because there is no further PEM block. */
static bool pem_has_ended(void)
{
	unsigned long code = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/*
 * Copy the lines without leading white space and byte order marks of UTF-8, because OpenSSL
 * finds the start of a PEM block only at the start of a line.
 */
static BIO *pem_lines(const uint8_t *data, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool start = true;

	for (size_t i = 0; bio && i < size; i++) {
		if (start && memchr(" \t\xef\xbb\xbf", data[i], 5))
			continue;
		start = data[i] == '\n';
		if (BIO_write(bio, data + i, 1) == 1)
			continue;
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

static int add_pem(struct snp_pool *pool, const char *file, const uint8_t *data,
		   size_t size, struct error *error)
{
	BIO *bio = pem_lines(data, size);
	unsigned int before = pool->count;
	X509 *x509;
	int rc = bio ? 0 : error_set(error, -ENOMEM, file, "read", NULL);

	while (!rc && (x509 = PEM_read_bio_X509(bio, NULL, snp_key_no_passphrase, NULL)))
		rc = pool_push(pool, file, x509, error);
	if (!rc && !pem_has_ended())
		rc = error_set(error, -EINVAL, file, "read certificates",
			       "certificate %u in it is damaged", pool->count - before + 1);
	BIO_free(bio);
	return rc;
}

static int add_der(struct snp_pool *pool, const char *file, const uint8_t *data,
		   size_t size, struct error *error)
{
	const uint8_t *at = data, *end = data + size;

	while (at < end && !bytes_are_zero(at, (size_t)(end - at))) {
		X509 *x509 = d2i_X509(NULL, &at, end - at);
		int rc;

		ERR_clear_error();
		if (!x509)
			return error_set(error, -EINVAL, file, "read certificates",
					 "there is no certificate at byte %td, or a damaged one",
					 at - data);
		rc = pool_push(pool, file, x509, error);
		if (rc)
			return rc;
	}
	return 0;
}

static int add_encoded(struct snp_pool *pool, const char *file,
		       const uint8_t *data, size_t size, struct error *error)
{
	const uint8_t *pem = size ? memmem(data, size, "-----BEGIN ", 11) : NULL;
	size_t before = pem ? (size_t)(pem - data) : size;
	int rc = 0;

	/* A certificate has 256 bytes to 64 KiB, so its DER form begins with these two bytes. */
	if (!pem || (before > 1 && data[0] == DER_SEQUENCE && data[1] == DER_LENGTH_16))
		rc = add_der(pool, file, data, before, error);
	if (!rc && pem)
		rc = add_pem(pool, file, pem, size - before, error);
	return rc;
}

static bool table_has_cert(const uint8_t *line)
{
	for (size_t i = 0; i < sizeof(table_certs) / sizeof(table_certs[0]); i++)
		if (guid_is(line, &table_certs[i]))
			return true;
	return false;
}

int snp_pool_add_table(struct snp_pool *pool, const char *file,
		       const uint8_t *data, size_t size, struct error *error)
{
	for (size_t at = 0; size - at >= TABLE_LINE; at += TABLE_LINE) {
		const uint8_t *line = data + at;
		uint32_t offset = bytes_get32(line + GUID_SIZE);
		uint32_t length = bytes_get32(line + GUID_SIZE + 4);
		int rc = 0;

		if (bytes_are_zero(line, TABLE_LINE))
			return 0;
		if (offset > size || length > size - offset)
			return bad(file, "an entry of the certificate table extends beyond the "
				   "file: the table is truncated, or not a certificate table",
				   error);
		if (table_has_cert(line))
			rc = add_encoded(pool, file, data + offset, length, error);
		if (rc)
			return rc;
	}
	if (bytes_are_zero(data, size))
		return 0;
	return bad(file, "the certificate table has no end entry: the table is truncated, or not a "
		   "certificate table", error);
}

/* JSON of Azure's THIM: strings that contain PEM. */
static int add_json(struct snp_pool *pool, const char *file, const uint8_t *data,
		    size_t size, struct error *error)
{
	struct json_tokener *tokener = json_tokener_new_ex(8);
	struct json_object *json;
	int rc = 0;

	if (!tokener)
		return error_set(error, -ENOMEM, file, "read", NULL);
	json = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	if (!json || !json_object_is_type(json, json_type_object)) {
		rc = bad(file, "it begins like a JSON object, but is not one", error);
		goto out;
	}
	json_object_object_foreach(json, key, member) {
		const uint8_t *text = (const uint8_t *)json_object_get_string(member);
		size_t length = text ? strlen((const char *)text) : 0;

		(void)key;
		if (has_pem(text, length, "-----BEGIN CERTIFICATE"))
			rc = add_pem(pool, file, text, length, error);
		if (rc)
			break;
	}
out:
	json_object_put(json);
	json_tokener_free(tokener);
	return rc;
}

/* Whether a line has a GUID of a certificate. A cloud may add lines with other GUIDs. */
static bool is_table(const uint8_t *data, size_t size)
{
	for (size_t at = 0; size - at >= TABLE_LINE; at += TABLE_LINE) {
		if (bytes_are_zero(data + at, TABLE_LINE))
			return false;
		if (table_has_cert(data + at))
			return true;
	}
	return false;
}

static int add_any(struct snp_pool *pool, const char *file, const uint8_t *data,
		   size_t size, struct error *error)
{
	size_t space = 0;

	if (is_table(data, size))
		return snp_pool_add_table(pool, file, data, size, error);
	while (space < size && strchr(" \t\r\n", data[space]) && data[space])
		space++;
	if (space < size && data[space] == '{')
		return add_json(pool, file, data, size, error);
	if (has_pem(data, size, "-----BEGIN ") || (size && data[0] == DER_SEQUENCE))
		return add_encoded(pool, file, data, size, error);
	return 0;
}

int snp_pool_add(struct snp_pool *pool, const char *file, const uint8_t *data,
		 size_t size, struct error *error)
{
	unsigned int before = pool->count;
	int rc;

	if (size > SNP_POOL_FILE_MAX)
		return error_set(error, -EFBIG, file, "read certificates",
				 "it has more than %d bytes", SNP_POOL_FILE_MAX);
	rc = add_any(pool, file, data, size, error);
	if (rc || pool->count > before)
		return rc;
	return bad(file, "it has no X.509 certificate in PEM or DER form, and no certificate table",
		   error);
}

static int add_crl_pem(struct snp_pool *pool, const char *file, const uint8_t *data,
		       size_t size, struct error *error)
{
	BIO *bio = pem_lines(data, size);
	X509_CRL *crl;
	int rc = bio ? 0 : error_set(error, -ENOMEM, file, "read", NULL);

	while (!rc && (crl = PEM_read_bio_X509_CRL(bio, NULL, snp_key_no_passphrase, NULL)))
		rc = pool_push_crl(pool, file, crl, error);
	if (!rc && !pem_has_ended())
		rc = error_set(error, -EINVAL, file, "read revocation lists",
			       "a revocation list in it is damaged");
	BIO_free(bio);
	return rc;
}

static int add_crl_der(struct snp_pool *pool, const char *file,
		       const uint8_t *data, size_t size, struct error *error)
{
	const uint8_t *at = data;

	while (at < data + size) {
		X509_CRL *crl = d2i_X509_CRL(NULL, &at, data + size - at);
		int rc;

		ERR_clear_error();
		if (!crl)
			return error_set(error, -EINVAL, file, "read revocation lists", "there is "
					 "no revocation list at byte %td, or a damaged one: give "
					 "AMD's crl file, in PEM or DER form", at - data);
		rc = pool_push_crl(pool, file, crl, error);
		if (rc)
			return rc;
	}
	return 0;
}

int snp_pool_add_crl(struct snp_pool *pool, const char *file,
		     const uint8_t *data, size_t size, struct error *error)
{
	unsigned int before = pool->crls_count;
	int rc;

	if (size > SNP_POOL_FILE_MAX)
		return error_set(error, -EFBIG, file, "read revocation lists",
				 "it has more than %d bytes", SNP_POOL_FILE_MAX);
	rc = has_pem(data, size, "-----BEGIN ") ?
	     add_crl_pem(pool, file, data, size, error) :
	     add_crl_der(pool, file, data, size, error);
	if (rc || pool->crls_count > before)
		return rc;
	return error_set(error, -EINVAL, file, "read revocation lists",
			 "it has no revocation list: give AMD's crl file, in PEM or DER form");
}

void snp_pool_free(struct snp_pool *pool)
{
	for (unsigned int i = 0; i < pool->count; i++)
		X509_free(pool->certs[i].x509);
	for (unsigned int i = 0; i < pool->crls_count; i++)
		X509_CRL_free(pool->crls[i].crl);
	memset(pool, 0, sizeof(*pool));
}

bool snp_cert_is_root(const struct snp_cert *cert)
{
	return !X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_issuer_name(cert->x509));
}

char *snp_name_text(const X509_NAME *name, char text[64])
{
	if (X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, text, 64) < 0)
		strcpy(text, "?");
	for (char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return text;
}

char *snp_cert_name(const X509 *x509, char text[64])
{
	return snp_name_text(X509_get_subject_name(x509), text);
}

/*
 * OIDs of the extensions of AMD's certificates. Source: VCEK (AMD 57230) and VLEK
 * certificate specification.
 */
#define OID_AMD "1.3.6.1.4.1.3704.1."
#define OID_PRODUCT OID_AMD "2"
#define OID_FMC OID_AMD "3.9"
#define OID_CHIP OID_AMD "4"
#define OID_CSP OID_AMD "5"

/* Size of a chip ID since Turin. Before it is SNP_CHIP_ID_SIZE. */
#define CHIP_ID_TURIN 8

/* The common name tells a VCEK from a VLEK, as in AMD's specification. */
enum snp_signer snp_endorsement_signer(const struct snp_cert *cert)
{
	char name[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert->x509),
				  NID_commonName, name, sizeof(name));
	return !strcmp(name, "SEV-VLEK") ? SNP_SIGNER_VLEK :
	       !strcmp(name, "SEV-VCEK") ? SNP_SIGNER_VCEK : SNP_SIGNER_NONE;
}

static const ASN1_OCTET_STRING *cert_extension(const struct snp_cert *cert, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = object ? X509_get_ext_by_OBJ(cert->x509, object, -1) : -1;

	ASN1_OBJECT_free(object);
	return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(cert->x509, at));
}

/* Read a firmware version: an INTEGER of at most 255. */
static int cert_version(const struct snp_cert *cert, unsigned int number, uint8_t *version)
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

enum snp_tcb_layout snp_endorsement_layout(const struct snp_cert *cert)
{
	return cert_extension(cert, OID_FMC) ? SNP_TCB_TURIN : SNP_TCB_MILAN;
}

int snp_endorsement_tcb(const struct snp_cert *cert, enum snp_tcb_layout layout, uint64_t *tcb)
{
	*tcb = 0;
	for (int i = 0; i < SNP_TCB_PARTS; i++) {
		const struct snp_tcb_part *part = &snp_tcb_parts[i];
		uint8_t version;

		if (part->byte[layout] < 0)
			continue;
		if (cert_version(cert, part->extension, &version))
			return -EINVAL;
		*tcb |= (uint64_t)version << 8 * part->byte[layout];
	}
	return 0;
}

/* Compare chip IDs. One of 8 bytes is followed by zeros in the report. */
static bool is_chip(const uint8_t *id, size_t size, const uint8_t chip_id[SNP_CHIP_ID_SIZE])
{
	if (size != SNP_CHIP_ID_SIZE && size != CHIP_ID_TURIN)
		return false;
	return !memcmp(id, chip_id, size) &&
	       bytes_are_zero(chip_id + size, SNP_CHIP_ID_SIZE - size);
}

bool snp_endorsement_is_chip(const struct snp_cert *cert, const uint8_t chip_id[SNP_CHIP_ID_SIZE])
{
	const ASN1_OCTET_STRING *value = cert_extension(cert, OID_CHIP);
	const uint8_t *data;
	size_t size;

	if (!value)
		return false;
	data = ASN1_STRING_get0_data(value);
	size = (size_t)ASN1_STRING_length(value);
	/* Most certificates have the plain bytes, which may look like DER; some an OCTET STRING. */
	if (is_chip(data, size, chip_id))
		return true;
	return size > 2 && data[0] == V_ASN1_OCTET_STRING &&
	       data[1] == size - 2 && is_chip(data + 2, size - 2, chip_id);
}

/* Read an IA5String. One with characters that cannot be printed is refused. */
static char *cert_text(const struct snp_cert *cert, const char *oid,
		       char text[SNP_ENDORSEMENT_TEXT])
{
	const ASN1_OCTET_STRING *value = cert_extension(cert, oid);
	const uint8_t *data;
	size_t size;

	if (!value)
		return NULL;
	data = ASN1_STRING_get0_data(value);
	size = (size_t)ASN1_STRING_length(value);
	if (size < 2 || data[0] != V_ASN1_IA5STRING || data[1] != size - 2 ||
	    size - 2 >= SNP_ENDORSEMENT_TEXT)
		return NULL;
	for (size_t i = 2; i < size; i++)
		if (!isprint(data[i]))
			return NULL;
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	return text;
}

char *snp_endorsement_csp(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT])
{
	return cert_text(cert, OID_CSP, text);
}

char *snp_endorsement_product(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT])
{
	return cert_text(cert, OID_PRODUCT, text);
}
