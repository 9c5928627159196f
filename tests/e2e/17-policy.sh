#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Policies: a waiver makes a host trusted and its end makes it untrusted again; an update window; attachment by label.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf "attest_interval = 60s" "lease = 120s"
server_init
tpm_maker lab
host_new a && host_boot a
trust_maker lab lab
must_start
server_keep_ports
check "enrolled" enrol a
agent_start a
check "connected" wait_for 15 answers a
check "reference learned" assay reference learn a --name ref --activate
check "trusted by the default policy" wait_for 10 verdict_is a trusted
policy_is() { [ "$(host_field a '[.policy.name, .policy.by, .policy.version] | join(" ")')" = "$1" ]; }
check "the default policy is shown" policy_is "default default 1"
in_seconds() { date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
policy_file() { # policy_file NAME JQ-ADDITION
  jq -n "{format: \"assay-policy-1\", name: \"$1\", version: 1, required: [\"identity\", \"platform\", \"os\", \"runtime\"]} + $2" >"$D/$1.json"
}
put_policy() { assay policy set "$D/$1.json" && assay policy activate "$1"; }

# What the linter refuses is not kept.
policy_file odd '{required: []}'
refuses "a policy that requires nothing is refused" assay policy set "$D/odd.json"
refuses "lint says so with exit 1" assay policy lint "$D/odd.json"
check "and names the complaint" grep -q REQUIRES_NOTHING "$D/refused"
refuses "offline too" "$ASSAY" policy lint "$D/odd.json" --offline
policy_file odd '{references: ["nowhere"]}'
refuses "a set that is not there" assay policy set "$D/odd.json"

# By label, then by host: the nearer one counts, and a name without active version trusts nobody.
policy_file web '{}'
check "a draft is kept" assay policy set "$D/web.json"
check "attached to a label" assay policy attach web --label role=web
check "the host has not that label" policy_is "default default 1"
check "label given" rest PATCH /hosts/a '{"labels": {"role": "web"}}'
check "a draft judges nobody: unknown" wait_for 10 verdict_is a unknown
check "activated" assay policy activate web
check "trusted by the policy of its label" wait_for 10 verdict_is a trusted
check "and that is shown" policy_is "web labels 1"
check "more labels come before fewer" eval 'assay policy attach default --label role=web --label site=x &&
  rest PATCH /hosts/a "{\"labels\": {\"role\": \"web\", \"site\": \"x\"}}" && policy_is "default labels 1"'
check "the host's own comes before labels" eval 'assay policy attach web a && policy_is "web host 1"'
check "detached again" eval 'assay policy detach a && policy_is "default labels 1"'
check "and the longer label" eval 'assay policy detach --label role=web --label site=x && policy_is "web labels 1"'
check "trusted" wait_for 10 verdict_is a trusted

# An unknown file: untrusted; a waiver that names it: trusted until it ends.
host_ima_more a 20 1
check "an unknown file makes it untrusted" wait_for 15 verdict_is a untrusted
check "and is named" has_failing a REF_IMA
waivers() { rest GET /hosts/a/report | jq -c --arg until "$1" '{waivers: [.findings[] | select(.result == "fail") |
  {code, path, measured, owner: "ops", reason: "ticket 7", until: $until}]}'; }
policy_file web "$(waivers "$(in_seconds 6)")"
check "a waiver for exactly that" put_policy web
check "trusted while it holds" wait_for 5 verdict_is a trusted
check "the report says by whom and why" eval 'rest GET /hosts/a/report | jq -r ".findings[].text" | grep -q "waived by ops until .*ticket 7"'
lease_left() { [ "$(date -d "$(host_field a .lease_until)" +%s)" -le "$(($(date +%s) + 6))" ]; }
check "the lease ends no later than the waiver" lease_left
check "untrusted again when it ends, though nothing else changed" wait_for 12 verdict_is a untrusted
check "by the same finding" has_failing a REF_IMA
policy_file web "$(waivers "$(in_seconds 60)" | jq -c '.waivers[0].measured |= "00" + .[2:]')"
check "a waiver for another digest" put_policy web
check "excuses nothing" eval 'assay host attest a; verdict_is a untrusted'
agent_stop a
host_power_off a

# Update window: the old version is accepted beside the new one until an instant.
host_boot a --change initrd
agent_start a
policy_file web '{}'
check "without waivers" put_policy web
check "another initrd: untrusted" wait_for 20 eval 'assay host attest a; verdict_is a untrusted'
check "learned as version 2, version 1 superseded" eval 'assay reference learn a --name ref &&
  rest POST /reference-sets/ref@2/activate "{\"supersede\": true}"'
check "trusted by version 2" wait_for 10 verdict_is a trusted
agent_stop a
host_power_off a
host_boot a
agent_start a
check "the old initrd again: untrusted" wait_for 20 eval 'assay host attest a; verdict_is a untrusted'
policy_file web "{windows: [{set: \"ref\", version: 1, owner: \"ops\", reason: \"roll-out\", until: \"$(in_seconds 5)\"}]}"
check "an update window for version 1" put_policy web
check "trusted while it is open" wait_for 5 verdict_is a trusted
check "untrusted when it closes" wait_for 12 verdict_is a untrusted
check "all of it is in the audit" eval 'rest GET "/audit?limit=100" | jq -r ".items[].action" | grep -q POLICY_ATTACH'
