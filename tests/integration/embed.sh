#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A program of somebody else built against the installed libassay: headers, archive and pkg-config file are complete.
set -u
cd "$(dirname "$0")/../.." || exit
B=${AY_BUILD:-build}
D=$(mktemp -d)
trap 'rm -rf "$D"' EXIT
n=0
t() { n=$((n + 1)); if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; sed 's/^/# /' "$D/log" | tail -15; fi; }

DESTDIR=$D/root meson install -C "$B" --no-rebuild >"$D/log" 2>&1
t "installs into DESTDIR" $?
pc=$(find "$D/root" -name assay.pc)
prefix=$(sed -n 's/^prefix=//p' "$pc")
cat >"$D/judge.c" <<'C'
#include <assay.h>
#include <stdio.h>

int main(void)
{
	struct ay_arena arena;
	struct ay_evlog log;
	struct ay_err e;

	ay_arena_init(&arena, 1 << 20);
	if (ay_evlog_parse(ay_bytes_of("no log"), &arena, &log, &e) == AY_OK)
		return 1;
	printf("%s\n", e.code);
	ay_arena_fini(&arena);
	return 0;
}
C
flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$D/root$prefix" --static --cflags --libs assay 2>"$D/log")
t "pkg-config knows assay" $?
printf '%s' "$flags" | tr ' ' '\n' | grep -v 'XMLSEC_CRYPTO=' | tr '\n' ' ' >"$D/flags"
# shellcheck disable=SC2046
cc -std=gnu17 -Wall -Werror -o "$D/judge" "$D/judge.c" $(cat "$D/flags") >"$D/log" 2>&1
t "a program compiles and links with its flags alone" $?
"$D/judge" >"$D/log" 2>&1 && grep -q '^LOG_' "$D/log"
t "it refuses a log that is none, with its code" $?
echo "1..$n"
