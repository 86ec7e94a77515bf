#!/bin/sh
# tests/run_in_folder.sh PROGRAM: runs PROGRAM FOLDER/store in a new temporary folder, which is removed.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
"$1" "$folder/store"
