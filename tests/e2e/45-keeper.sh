#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The key of stored secrets is replaced, and the server is killed in the middle: all are under the new key in the end,
# they still open, and the old key is destroyed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq curl python3

server_conf
check "assayd init" server_init
must_start
server_keep_ports
S=$D/server
assayd() { "$ASSAYD" "$@" --config "$D/assayd.conf"; }
hooks() { for i in $(seq 30); do rest POST /webhooks "{\"name\":\"w$i\",\"url\":\"https://127.0.0.1:9/\"}" >/dev/null || return 1; done; }
check "30 webhooks" hooks
check "one of them with two secrets" rest POST /webhooks/w1/rotate
check "a client that signs" eval "assay user add bob --role viewer && assay user token bob && rest POST /users/bob/tokens/\$(rest GET /users/bob/tokens | jq -r '.items[0].id')/signing-key"
# under KEY: how many stored secrets are, as the wrapped form begins
under() {
  python3 - "$S/assay.db" "$1" <<'PY'
import base64, json, re, sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
begin, n = "01" + sys.argv[2], 0
for (table,) in db.execute("select name from sqlite_master where type = 'table'").fetchall():
    for row in db.execute(f"select * from {table}"):
        for v in row:
            v = v.decode("latin-1") if isinstance(v, bytes) else str(v)
            n += len(re.findall('"(?:secret|old)":"' + begin, v))
            n += sum(base64.b64decode(x).hex().startswith(begin) for x in re.findall('"octets":"([^"]+)"', v))
print(n)
PY
}
key() { assayd keys list | awk '$1 == "keeper" { print $3 }'; }
old=$(key)
check "keys list has the key, which is no secret's" [ ${#old} = 16 ]
check "all are under it" [ "$(under "$old")" = 32 ]
check "it is replaced" eval "assayd keys rotate keeper | grep -q 'takes it up now'"
check "keys list shows another" [ "$(key)" != "$old" ]
new=$(key)
began() { [ "$(under "$new")" -gt 0 ]; }
check "the server begins" wait_for 30 began
stop_pid "$server_pid" KILL
check "it is killed, and starts again" wait_for 30 server_start
all_new() { [ "$(under "$new")" = 32 ] && [ "$(under "$old")" = 0 ]; }
check "all are under the new key" wait_for 30 all_new
retired() { [ "$(wc -l <"$S/keeper.keys")" = 1 ]; }
check "the old key is destroyed" wait_for 30 retired
refuses "nothing of it is left in the file" grep -q "$old" "$S/keeper.keys"
check "the new one is in use" [ "$(key)" = "$new" ]
for w in w1 w30; do
  check "$w: its secret signs: only the post itself fails" eval "rest POST /webhooks/$w/test | tee '$D/test' | jq -e '.delivered == false and (.text | test(\"KEPT\") | not)'"
done
refuses "--revoke, which would lose all secrets" assayd keys rotate keeper --revoke
