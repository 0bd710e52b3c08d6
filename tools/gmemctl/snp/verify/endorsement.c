// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../../base/bytes.h"
#include "endorsement.h"

/*
 * AMD's arc, below which the certificates have their extensions. Source: VCEK
 * (AMD 57230) and VLEK certificate specification.
 */
#define OID_AMD "1.3.6.1.4.1.3704.1."
#define OID_PRODUCT OID_AMD "2"
#define OID_FMC OID_AMD "3.9"
#define OID_CHIP OID_AMD "4"
#define OID_CSP OID_AMD "5"

/* A chip ID since Turin, and before. */
#define CHIP_ID_TURIN 8

/* They are told apart by their name, as AMD's specification says. */
enum snp_signer snp_endorsement_signer(const struct snp_cert *cert)
{
	char name[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert->x509),
				  NID_commonName, name, sizeof(name));
	return !strcmp(name, "SEV-VLEK") ? SNP_SIGNER_VLEK :
	       !strcmp(name, "SEV-VCEK") ? SNP_SIGNER_VCEK : SNP_SIGNER_NONE;
}

static const ASN1_OCTET_STRING *cert_extension(const struct snp_cert *cert,
					       const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = object ? X509_get_ext_by_OBJ(cert->x509, object, -1) : -1;

	ASN1_OBJECT_free(object);
	return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(cert->x509, at));
}

/* A version: an INTEGER of one byte. */
static int cert_version(const struct snp_cert *cert, unsigned int number,
			uint8_t *version)
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

int snp_endorsement_tcb(const struct snp_cert *cert, enum snp_tcb_layout layout,
			uint64_t *tcb)
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

/* A chip ID of 8 bytes fills up the field of a report with zeros. */
static bool is_chip(const uint8_t *id, size_t size,
		    const uint8_t chip_id[SNP_CHIP_ID_SIZE])
{
	if (size != SNP_CHIP_ID_SIZE && size != CHIP_ID_TURIN)
		return false;
	return !memcmp(id, chip_id, size) &&
	       bytes_are_zero(chip_id + size, SNP_CHIP_ID_SIZE - size);
}

bool snp_endorsement_is_chip(const struct snp_cert *cert,
			     const uint8_t chip_id[SNP_CHIP_ID_SIZE])
{
	const ASN1_OCTET_STRING *value = cert_extension(cert, OID_CHIP);
	const uint8_t *data;
	size_t size;

	if (!value)
		return false;
	data = ASN1_STRING_get0_data(value);
	size = (size_t)ASN1_STRING_length(value);
	/* Most have it as it is, which may look like DER; some in an OCTET STRING. */
	if (is_chip(data, size, chip_id))
		return true;
	return size > 2 && data[0] == V_ASN1_OCTET_STRING &&
	       data[1] == size - 2 && is_chip(data + 2, size - 2, chip_id);
}

/* An IA5String, of which only what can be printed is taken. */
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

char *snp_endorsement_product(const struct snp_cert *cert,
			      char text[SNP_ENDORSEMENT_TEXT])
{
	return cert_text(cert, OID_PRODUCT, text);
}
