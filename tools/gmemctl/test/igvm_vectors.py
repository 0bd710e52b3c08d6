#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# usage: igvm_vectors.py [FOLDER]
#
# The IGVM files of igvm_test.c and the launch digests that SEV-SNP's firmware
# computes for them. Nothing of gmemctl is used: the files are made from the layouts
# of igvm_defs, the digest is that of the SNP firmware ABI. Prints for each its name,
# the SHA-256 of the file, its pages, and the digest; with FOLDER, writes the files.

import hashlib
import struct
import sys
import zlib

PAGE = 4096
DATA = 0x2000			# where the data of a file begins
SNP, NATIVE, TDX = 1, 2, 4	# compatibility masks
NORMAL, VMSA, UNMEASURED, SECRETS, CPUID = 1, 2, 4, 5, 6
VMSA_GPA = 0xfffffffff000


def page(seed):
    return bytes((i * 7 + i // 256 + seed * 13) & 0xff for i in range(PAGE))


def vmsa(rip, features=1):
    """A vCPU in protected mode with flat segments, as an SVSM starts."""
    out = bytearray(PAGE)

    def put(offset, form, *values):
        struct.pack_into("<" + form, out, offset, *values)

    flat, small = (0xc93, 0xffffffff), (0x93, 0xffff)
    segments = [(0x10, *flat), (8, 0xc9b, 0xffffffff), (0x10, *flat),
                (0x10, *flat), (0x10, *flat), (0, *small),	# es cs ss ds fs gs
                (0, 0, 0xffff), (0, 0x82, 0xffff),		# gdtr ldtr
                (0, 0, 0xffff), (0, 0x8b, 0xffff)]		# idtr tr
    for i, segment in enumerate(segments):
        put(16 * i, "HHIQ", *segment, 0)
    for offset, value in ((0xd0, 0x1000), (0x148, 0x40), (0x158, 0x31),
                          (0x160, 0x400), (0x168, 0xffff0ff0), (0x170, 2),
                          (0x178, rip), (0x1d8, 0x12000),
                          (0x268, 0x0007040600070406), (0x330, 0x20000),
                          (0x3b0, features), (0x3e8, 1)):
        put(offset, "Q", value)
    put(0x408, "I", 0x1f80)
    put(0x410, "H", 0x37f)
    return bytes(out)


class File:
    def __init__(self, version=1):
        self.version, self.headers, self.data = version, b"", b""
        self.digest, self.pages = bytes(48), 0

    def header(self, kind, body):
        self.headers += struct.pack("<II", kind, len(body)) + body
        self.headers += bytes(-len(body) % 8)

    def store(self, contents):
        self.data += contents
        return DATA + len(self.data) - len(contents)

    def measure(self, kind, gpa, contents=None):
        digest = hashlib.sha384(contents).digest() if contents else bytes(48)
        info = self.digest + digest
        info += struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, gpa)
        self.digest = hashlib.sha384(info).digest()
        self.pages += 1

    def platform(self, mask, vtl, kind):
        self.header(0x1, struct.pack("<IBBHQ", mask, vtl, kind, 1, 0))

    def policy(self, policy):
        self.header(0x101, struct.pack("<QII", policy, SNP, 0))

    def page(self, gpa, seed=None, kind=0, flags=0, mask=SNP):
        offset = 0 if seed is None else self.store(page(seed))
        self.header(0x302, struct.pack("<QIIIHH", gpa, mask, offset, flags,
                                       kind, 0))
        if not mask & SNP or flags & 4:
            return
        if kind == 1:
            self.measure(SECRETS, gpa)
        elif kind:
            self.measure(CPUID, gpa)
        elif flags & 2:
            self.measure(UNMEASURED, gpa)
        else:
            for at in range(gpa, gpa + (0x200000 if flags & 1 else PAGE), PAGE):
                self.measure(NORMAL, at, bytes(PAGE) if seed is None else
                             page(seed))

    def area(self, index, pages, seed=None):
        offset = 0 if seed is None else self.store(page(seed))
        self.header(0x301, struct.pack("<QII", pages * PAGE, index, offset))

    def parameter(self, kind, index, offset):
        self.header(kind, struct.pack("<II", index, offset))

    def insert(self, gpa, index, pages):
        self.header(0x303, struct.pack("<QII", gpa, SNP, index))
        for at in range(gpa, gpa + pages * PAGE, PAGE):
            self.measure(UNMEASURED, at)

    def vcpu(self, index, contents, gpa=VMSA_GPA):
        offset = self.store(contents)
        self.header(0x304, struct.pack("<QIIHH", gpa, SNP, offset, index, 0))
        self.measure(VMSA, gpa, contents)

    def finish(self):
        size = 32 if self.version == 2 else 24
        fixed = struct.pack("<4sIIII", b"IGVM", self.version, size,
                            len(self.headers), DATA + len(self.data))
        tail = struct.pack("<II", 0, PAGE) if self.version == 2 else b""
        crc = zlib.crc32(fixed + bytes(4) + tail + self.headers)
        out = fixed + struct.pack("<I", crc) + tail + self.headers
        assert len(out) <= DATA
        return out + bytes(DATA - len(out)) + self.data


def svsm():
    """All that an SVSM's file has: platforms, parameters, every type of page."""
    f = File()
    f.platform(NATIVE, 0, 0)
    f.platform(TDX, 2, 3)
    f.platform(SNP, 2, 2)
    f.policy(0x30000)
    f.area(0, 2)
    f.parameter(0x307, 0, 0)
    f.parameter(0x30c, 0, 0x1000)
    f.area(7, 1, 9)
    f.parameter(0x313, 7, 8)
    f.header(0x305, struct.pack("<QIIII", 0x200000, SNP, 0x10000, 0, 0))
    f.page(0x10000, 1)
    f.page(0x11000, 2)
    f.page(0x12000, 3, mask=NATIVE | TDX)
    f.page(0x13000)
    f.page(0x14000, 4, flags=2)
    f.page(0x15000, kind=1)
    f.page(0x16000, kind=2)
    f.page(0x17000, kind=3)
    f.header(0x80000350, b"may be ignored")
    f.insert(0x20000, 0, 2)
    f.insert(0x22000, 7, 1)
    f.page(0x400000, flags=1)
    f.page(0xffffe000, 5)
    f.vcpu(0, vmsa(0x10000))
    return f


def order():
    """VMSAs where the file has them, at addresses of its own; a shared page."""
    f = File()
    f.platform(SNP, 0, 2)
    f.page(0x2000, 1)
    f.vcpu(0, vmsa(0x2000), 0x5000)
    f.page(0x1000, 2)
    f.page(0x3000, 3, flags=4)
    f.vcpu(1, vmsa(0x1000), 0x6000)
    f.page(0x4000)
    return f


def version_2():
    f = File(2)
    f.platform(SNP, 0, 2)
    f.policy(0xb0000)
    f.page(0x10000, 6)
    f.vcpu(0, vmsa(0x10000))
    f.vcpu(1, vmsa(0x10400))
    return f


def main():
    for make in (svsm, order, version_2):
        f = make()
        contents = f.finish()
        if len(sys.argv) > 1:
            with open(f"{sys.argv[1]}/{make.__name__}.igvm", "wb") as out:
                out.write(contents)
        print(make.__name__, hashlib.sha256(contents).hexdigest(), f.pages,
              f.digest.hex())


main()
