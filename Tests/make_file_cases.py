"""Writes FileCases.swift: files as NumPy and gzip make them. Run: python3 Tests/make_file_cases.py > Tests/ActArrayTests/FileCases.swift"""
import gzip
import io
import struct

import numpy as np


def npy(a, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, a, version=version)
    return out.getvalue()


def npz(save, **arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


m = np.arange(6).reshape(2, 3)
files = {
    "f8": npy(m.astype("<f8")), "f4": npy(m.astype("<f4")), "b1": npy(m % 2 == 1),
    "bigEndian": npy(m.astype(">f8")), "bigEndianF4": npy(m.astype(">f4")), "columnMajor": npy(np.asfortranarray(m.astype("<f4"))),
    "i1": npy((m - 3).astype("i1")), "i2": npy((m - 3).astype(">i2")), "i4": npy((m - 3).astype("<i4")), "i8": npy((m - 3).astype("<i8")),
    "u1": npy(m.astype("u1")), "u2": npy(m.astype("<u2")), "u4": npy(m.astype(">u4")), "u8": npy(m.astype("<u8")),
    "version2": npy(m.astype("<f8"), (2, 0)), "version3": npy(m.astype("<f8"), (3, 0)),
    "rank0": npy(np.array(2.5)), "empty": npy(np.zeros((0, 3))), "vector": npy(np.array([1.0, 2.0])),
    "half": npy(m.astype("<f2")), "complex": npy(m.astype("<c16")), "records": npy(np.zeros(2, dtype=[("a", "<f4")])), "text": npy(np.array(["ab"])),
    "inexact": npy(np.array([1, 2**53 + 1])), "large": npy(np.array([2**53, -2**60])),
    "npzStored": npz(np.savez, W=m.astype("<f4"), b=np.array([1.0])), "npzDeflated": npz(np.savez_compressed, W=np.zeros((50, 40)), b=m % 2 == 1),
    "idx": struct.pack(">HBBII", 0, 8, 2, 2, 3) + bytes(range(250, 256)), "idxF4": struct.pack(">HBBI", 0, 13, 1, 2) + struct.pack(">ff", 1.5, -2),
    "idxI2": struct.pack(">HBBI", 0, 11, 1, 2) + struct.pack(">hh", 300, -2),
    "gzip": gzip.compress(b"hello ", mtime=0) + gzip.compress(b"world", mtime=0) + b"\0\0\0", "gzipZeros": gzip.compress(bytes(300000), mtime=0),
}
print("// Written by Tests/make_file_cases.py with NumPy " + np.__version__ + ".\n")
print("/// Hexadecimal digits of files.\nlet fileCases: [String: String] = [")
for name, data in files.items(): print(f'    "{name}": "{data.hex()}",')
print("]")
