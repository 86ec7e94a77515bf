#!/usr/bin/env python3
"""c_foreign_test.py LIBFIRN: the C API through a foreign function interface, as Rust, Go or Python
would use it: the library shows firn_* alone, errors arrive as objects, and handles may be freed in the
order of a garbage collector."""

import ctypes
import os
import subprocess
import sys


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Option(ctypes.Structure):
    _fields_ = [("name", Bytes), ("value", Bytes)]


def text(value):
    return Bytes(value, len(value))


def check(holds, what):
    if not holds:
        sys.exit(f"does not hold: {what}")


def shown_symbols(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return [line.split()[-1].split("@")[0] for line in lines]


def main():
    library = os.path.realpath(sys.argv[1])
    names = shown_symbols(library)
    check(len(names) > 120, f"{len(names)} symbols")
    check([name for name in names if not name.startswith("firn_")] == [], "only firn_* is shown")

    firn = ctypes.CDLL(library)
    firn.firn_error_message.restype = ctypes.c_char_p
    firn.firn_error_message.argtypes = [ctypes.c_void_p]
    firn.firn_value_bytes.restype = Bytes
    for name in ("firn_error_free", "firn_value_free", "firn_value_bytes", "firn_database_free",
                 "firn_keyspace_free", "firn_batch_free", "firn_error_reason"):
        getattr(firn, name).argtypes = [ctypes.c_void_p]

    error = ctypes.c_void_p()
    database, keyspace, batch, value = (ctypes.c_void_p() for _ in range(4))

    def ok(code, what):
        check(code == 0, f"{what}: {firn.firn_error_message(error)}")

    wrong = (Option * 1)(Option(text(b"memtable_size"), text(b"1")))
    check(firn.firn_database_open(text(b"s"), wrong, ctypes.c_size_t(1), ctypes.byref(database),
                                  ctypes.byref(error)) == 3, "a wrong option is refused")
    check(firn.firn_error_reason(error) == 7, "its reason")
    check(b"memtable_size" in firn.firn_error_message(error), "its message")
    firn.firn_error_free(error)

    memory = (Option * 1)(Option(text(b"storage"), text(b"memory")))
    ok(firn.firn_database_open(text(b"s"), memory, ctypes.c_size_t(1), ctypes.byref(database),
                               ctypes.byref(error)), "open")
    ok(firn.firn_keyspace_create(database, text(b"notes"), None, ctypes.c_size_t(0),
                                 ctypes.byref(keyspace), ctypes.byref(error)), "create")
    ok(firn.firn_batch_new(ctypes.byref(batch), ctypes.byref(error)), "new")
    ok(firn.firn_batch_put(batch, keyspace, text(b"alice"), text(b"10"), ctypes.byref(error)), "put")
    ok(firn.firn_database_write(database, batch, 3, ctypes.byref(error)), "write")
    ok(firn.firn_keyspace_get(keyspace, text(b"alice"), None, ctypes.byref(value),
                              ctypes.byref(error)), "get")
    firn.firn_database_free(database)  # a garbage collector has no order
    firn.firn_keyspace_free(keyspace)
    found = firn.firn_value_bytes(value)
    check(ctypes.string_at(found.data, found.size) == b"10", "the value")
    firn.firn_value_free(value)
    firn.firn_batch_free(batch)
    print(f"{len(names)} calls shown; all checks hold")


if __name__ == "__main__":
    main()
