// SPDX-License-Identifier: GPL-2.0
/* SHA-256, after FIPS 180-4. */
#include "guest.h"

/* FIPS 180-4, 4.2.2: cube roots of the first 64 primes. */
static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline void store_be32(uint8_t *p, uint32_t x)
{
	p[0] = (uint8_t)(x >> 24);
	p[1] = (uint8_t)(x >> 16);
	p[2] = (uint8_t)(x >> 8);
	p[3] = (uint8_t)x;
}

/* FIPS 180-4, 6.2.2 step 1. */
static void sha256_schedule(uint32_t w[64], const uint8_t *block)
{
	for (unsigned int t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (unsigned int t = 16; t < 64; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];
		uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
}

/* FIPS 180-4, 6.2.2 steps 2 to 4; v is a to h. */
static void sha256_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	sha256_schedule(w, block);
	for (unsigned int i = 0; i < 8; i++)
		v[i] = state[i];
	for (unsigned int t = 0; t < 64; t++) {
		uint32_t a = v[0], e = v[4];
		uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
		uint32_t ch = (e & v[5]) ^ (~e & v[6]);
		uint32_t t1 = v[7] + s1 + ch + sha256_k[t] + w[t];
		uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
		uint32_t maj = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);

		v[7] = v[6];
		v[6] = v[5];
		v[5] = e;
		v[4] = v[3] + t1;
		v[3] = v[2];
		v[2] = v[1];
		v[1] = a;
		v[0] = t1 + s0 + maj;
	}
	for (unsigned int i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_init(struct sha256 *hash)
{
	/* FIPS 180-4, 5.3.3: square roots of the first 8 primes. */
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	for (unsigned int i = 0; i < 8; i++)
		hash->state[i] = initial[i];
	hash->length = 0;
	hash->used = 0;
}

void sha256_update(struct sha256 *hash, const uint8_t *data, size_t size)
{
	hash->length += size;
	while (size) {
		size_t part = sizeof(hash->block) - hash->used;

		if (!hash->used && size >= sizeof(hash->block)) {
			sha256_block(hash->state, data);
			part = sizeof(hash->block);
		} else {
			if (part > size)
				part = size;
			memcpy(hash->block + hash->used, data, part);
			hash->used += (uint32_t)part;
		}
		data += part;
		size -= part;
		if (hash->used == sizeof(hash->block)) {
			sha256_block(hash->state, hash->block);
			hash->used = 0;
		}
	}
}

/* FIPS 180-4, 5.1.1: a one bit, zeros, the length in bits. */
void sha256_final(struct sha256 *hash, uint8_t digest[GUEST_DIGEST_SIZE])
{
	uint64_t bits = hash->length * 8;

	hash->block[hash->used++] = 0x80;
	if (hash->used > 56) {
		memset(hash->block + hash->used, 0, 64 - hash->used);
		sha256_block(hash->state, hash->block);
		hash->used = 0;
	}
	memset(hash->block + hash->used, 0, 56 - hash->used);
	store_be32(hash->block + 56, (uint32_t)(bits >> 32));
	store_be32(hash->block + 60, (uint32_t)bits);
	sha256_block(hash->state, hash->block);
	for (unsigned int i = 0; i < 8; i++)
		store_be32(digest + 4 * i, hash->state[i]);
}
