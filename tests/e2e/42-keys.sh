#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# Every key of the server is replaced while a host stays attested; what docs/compromise.md tells for lost ones is done.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl xmlsec1 openssl

server_conf
check "assayd init" server_init
tpm_maker lab
check "two hosts boot" eval "host_new alpha && host_boot alpha && host_new beta && host_boot beta"
trust_maker lab lab
must_start
server_keep_ports
S=$D/server
check "alpha enrols" enrol alpha
agent_start alpha
check "alpha is connected" wait_for 20 answers alpha
check "alpha is trusted" eval "assay reference learn alpha --name good --activate && assay host attest alpha && verdict_is alpha trusted"

# As they are typed.
assayd() { "$ASSAYD" "$@" --config "$D/assayd.conf"; }
key_of() { assay key list --json | jq -r ".items[] | select(.name == \"$1\") | .sha256"; }
changed() { [ -n "$(key_of "$1")" ] && [ "$(key_of "$1")" != "$2" ]; }
keep() { assay assertion get alpha --format ear >"$D/$1.jwt" && assay assertion get alpha >"$D/$1.xml"; }
jwks() { rest GET /jwks >"$D/jwks"; }
verifies() { jwks && "$ASSAY" assertion verify "$D/$1.jwt" --jwks "$D/jwks"; }

back() { agent_stop alpha; agent_start alpha; }

check "statements by the first keys" keep first
for key in api channel courier assertion assertion-rsa ticket audit-head ca-issuer ca-encryption; do
  before=$(key_of $key)
  check "$key: rotated while the server runs" eval "assayd keys rotate $key | grep -q 'takes it up now'"
  check "$key: the new one is in use" wait_for 30 changed $key "$before"
  check "$key: the verdict stood" verdict_is alpha trusted
  [ $key = api ] || back # by itself it comes back too, after longer and longer pauses if it happens so often
  check "$key: alpha attests" eval "wait_for 30 answers alpha && verdict_is alpha trusted"
done
check "evidence under the issuer before is proved yet" eval "assay host receipt alpha --out '$D/receipt' && '$ASSAY' recheck '$D/receipt' --json | jq -e '.same and .certified'"
check "no host was lost on the way" eval "[ -z \"\$(failing alpha)\" ]"
served() { echo | openssl s_client -connect "$api" -CAfile "$S/root.pem" 2>/dev/null | openssl x509 -noout -pubkey; }
check "the API shows the new certificate" eval "[ \"\$(served)\" = \"\$(openssl x509 -in '$S/api.pem' -noout -pubkey)\" ]"
check "both assertion keys are told" eval "jwks && [ \"\$(jq '.keys | length' '$D/jwks')\" = 2 ]"
check "the new one signs, and is told first" eval "keep second && [ \"\$(jq -r '.keys[0].kid' '$D/jwks')\" = \"\$(cut -d. -f1 '$D/second.jwt' | tr _- /+ | base64 -d 2>/dev/null | jq -r .kid)\" ]"
check "statements by the old key still verify" eval "verifies first && '$ASSAY' assertion verify '$D/first.xml' --cert '$S/root.pem'"
check "the key list says that the one before counts" eval "assay key list --json | jq -e '.items[] | select(.name == \"assertion\") | .old_until != null'"
check "beta enrols with a ticket by the new key" enrol beta
refuses "a key that there is not" assayd keys rotate nonesuch
mv "$S/root.key" "$D/root.key"
refuses "without the root's key no certificate is made" assayd keys rotate api
check "and the server goes on" answers alpha
mv "$D/root.key" "$S/root.key"
cp "$S/api.pem" "$S/api.pem.next" # a rotation that was cut off before the key was taken
cp "$S/api.key" "$S/api.key.next"

# docs/compromise.md, as it stands there: block [LABEL] prints its commands
block() { awk -v want="\`\`\`sh${1:+ $1}" '$0 == want { on = 1; next } /^```/ { on = 0 } on' "$root/docs/compromise.md" | sed "s#STATE#$S#g"; }
while read -r command; do
  key=${command#assayd keys rotate }
  key=${key% --revoke}
  before=$(key_of "$key")
  check "compromise.md: $command" $command
  check "compromise.md: $key is another" wait_for 30 changed "$key" "$before"
done < <(block)
back
check "compromise.md: alpha attests" eval "wait_for 30 answers alpha && verdict_is alpha trusted"
check "a lost assertion key is told no more" eval "jwks && [ \"\$(jq '.keys | length' '$D/jwks')\" = 1 ]"
refuses "statements by it are refused" verifies second
check "by the name of their key" grep -q JWT_KID "$D/refused"

t=$(new_token --host alpha)
id=$(assay token list --json | jq -r '.items[-1].id')
check "compromise.md: a token is revoked" eval "$(block token | sed "s/ID/$id/")"
refuses "and enrols nobody" agent enrol beta --token "$t"

check "somebody has a token" eval "assay user add mallory --role auditor && assay user token mallory >'$D/mallory'"
as_mallory() { "$ASSAY" --server "https://$api" --ca "$S/root.pem" --token-file "$D/mallory" host list; }
check "it opens something" as_mallory
check "compromise.md: the account is disabled" eval "$(block apitoken | sed 's/NAME/mallory/')"
refuses "its token opens nothing" as_mallory

keeper_key() { assayd keys list | awk '$1 == "keeper" { print $3 }'; }
before=$(keeper_key)
check "compromise.md: a new key for stored secrets" eval "$(block keeper)"
check "keys list shows it" [ "$(keeper_key)" != "$before" ]
check "and the server runs with it" wait_for 20 server_ready
check "the one before is destroyed, as nothing is left under it" wait_for 30 eval "! assayd keys list | grep -q 'still opens some'"

# The root and the Privacy CA's key are lost: the hosts keep their ids.
for what in root ca; do
  agent_stop alpha
  check "compromise.md: a new $what" eval "$(block $what)"
  check "$what: the server runs" wait_for 20 server_ready
  check "$what: and is ready with it" wait_for 20 eval "assay token list"
  t=$(assay token create --host alpha)
  check "$what: alpha enrols with a fresh token" agent enrol alpha --token "$t"
  agent_start alpha
  check "$what: alpha attests and is trusted" eval "wait_for 30 answers alpha && verdict_is alpha trusted"
done

# Sound ones are changed with alpha connected all the time.
taken() { [ "$(assay key list --json | jq -r ".items[] | select(.name == \"$1\") | .next.hosts_taken")" = 1 ]; }
assay host remove beta
for key in root ca-root order; do
  before=$(key_of $key)
  for step in rotate list finish; do
    check "compromise.md: $key: $step" eval "$(block pinned | sed "s/root/$key/" | grep " $step")"
    [ $step = rotate ] && check "$key: alpha takes it" wait_for 30 taken $key
    [ $step = list ] && wait_for 20 eval "assayd keys list | grep -q '1 of 1 hosts'"
  done
  check "$key: another is in force" wait_for 30 changed $key "$before"
  check "$key: alpha attests" eval "wait_for 45 answers alpha && verdict_is alpha trusted"
done
check "alpha renews under the new Privacy CA" eval "enrol alpha --host alpha"
