#!/usr/bin/env python3
"""check_headers.py SOURCE_ROOT COMPILER...: does each header compile alone, as the first include?"""

import concurrent.futures
import os
import subprocess
import sys

FOLDERS = ["include/firn", "base", "io", "wal", "sstable", "compaction", "engine", "tree", "tools",
           "bench", "tests/support"]
SYSTEM = ["absl_status", "absl_flat_hash_map", "liburing", "liblz4", "gtest"]


def headers(root):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith(".h"):
                    yield os.path.join(path, name)


def main():
    root = sys.argv[1]
    # Without ccache, which does not know -fsyntax-only.
    compiler = [word for word in sys.argv[2:] if os.path.basename(word) != "ccache"]
    flags = subprocess.run(["pkg-config", "--cflags"] + SYSTEM, check=True, capture_output=True,
                           text=True).stdout.split()
    command = compiler + ["-std=c++20", "-Wall", "-Wextra", "-Werror",
                          "-fsyntax-only", "-I" + root, "-I" + os.path.join(root, "include")] + flags

    def check(header):
        # Through an empty main file, since a header as main file is warned of by some compilers.
        return header, subprocess.run(command + ["-include", header, "-x", "c++", os.devnull],
                                      capture_output=True, text=True, check=False)

    found = bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, result in pool.map(check, headers(root)):
            found += 1
            if result.returncode != 0:
                bad += 1
                print(f"{os.path.relpath(header, root)} does not compile alone:\n{result.stderr[:3000]}")
    print(f"{found} headers, {bad} do not compile alone")
    return 1 if bad or not found else 0


if __name__ == "__main__":
    sys.exit(main())
