/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ECDSA keys and signatures on P-384 with SHA-384, and the form that AMD's
 * firmware gives them: little-endian numbers of 72 bytes.
 */
#ifndef GMEMCTL_SNP_KEY_H
#define GMEMCTL_SNP_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "../base/error.h"
#include "hash.h"

#define SNP_KEY_SIZE 0x404
#define SNP_SIGNATURE_SIZE 0x200
/* ECDSA on P-384 with SHA-384, in every field that names an algorithm */
#define SNP_ALGORITHM 1

/**
 * snp_key_parse() - a private key in PEM form
 * @name: for messages
 * @pem: the file, of @size bytes
 * @key: out: NULL after a failure, else to be freed with EVP_PKEY_free()
 *
 * A key with a passphrase is refused: nothing here asks a person.
 *
 * Return: 0 or -EINVAL for what is no such key.
 */
int snp_key_parse(const char *name, const void *pem, size_t size, EVP_PKEY **key,
		  struct error *error);

/**
 * snp_key_no_passphrase() - a pem_password_cb that has none
 *
 * For all that reads PEM: without it OpenSSL asks at the terminal, and a
 * certificate that says that it is encrypted is enough for that.
 *
 * Return: -1.
 */
int snp_key_no_passphrase(char *buffer, int size, int writing, void *context);

/** snp_key_encode() - the public half of a key, in the firmware's form */
int snp_key_encode(EVP_PKEY *key, uint8_t bytes[SNP_KEY_SIZE],
		   struct error *error);

/**
 * snp_key_decode() - a public key from the firmware's form
 * @name: for the message
 *
 * Return: 0, or -EINVAL for another curve, a point that is not on it, or bytes
 * that have to be zero.
 */
int snp_key_decode(const char *name, const uint8_t bytes[SNP_KEY_SIZE],
		   EVP_PKEY **key, struct error *error);

int snp_key_sign(EVP_PKEY *key, const void *data, size_t size,
		 uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error);

/**
 * snp_key_verify() - check a signature
 * @name: what is signed, for the message
 *
 * Return: 0; -EBADMSG if it is not the key's; -EINVAL if it is no signature.
 */
int snp_key_verify(EVP_PKEY *key, const char *name, const void *data,
		   size_t size, const uint8_t signature[SNP_SIGNATURE_SIZE],
		   struct error *error);

/** snp_key_is_p384() - whether a key is on the right curve */
int snp_key_is_p384(EVP_PKEY *key);

#endif /* GMEMCTL_SNP_KEY_H */
