#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Login by a real directory (slapd over LDAPS on loopback): who gets in and as whom, names that mean something to LDAP, people renamed
and made anew, groups, and directories that are false, silent or gone. TAP; skipped without slapd."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api  # noqa: E402
from api import Server, ok  # noqa: E402

os.environ["PATH"] += ":/usr/sbin:/sbin"
if not shutil.which("slapd") or not shutil.which("ldapmodify") or not os.path.isdir("/etc/ldap/schema"):
    print("1..0 # SKIP slapd is not installed: tools/setup")
    sys.exit(0)

SUFFIX = "dc=example,dc=com"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
SEARCH_PW, ADMIN_PW = "search-it", "admin-it"
CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
pidfile {dir}/pid
TLSCertificateFile {dir}/{cert}.pem
TLSCertificateKeyFile {dir}/ldap.key
database mdb
maxsize 16777216
suffix "{suffix}"
rootdn "cn=admin,{suffix}"
rootpw {admin_pw}
directory {dir}/db
dbnosync
overlay memberof
memberof-refint true
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=search,{suffix}" read by self read by * none
"""


def run(*args, **more):
    return subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Directory:
    """slapd with its own folder and authority. Certificates: ldap (127.0.0.1), other (another name)."""

    def __init__(self, folder):
        self.dir = os.path.join(folder, "ldap")
        os.makedirs(os.path.join(self.dir, "db"))
        self.port = free_port()
        self.proc = None
        self.make_certs()
        try:
            self.start()
            self.fill()
        except BaseException:
            self.stop()
            raise

    def make_certs(self):
        d = self.dir
        for ca in ("ca", "wrong-ca"):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{d}/{ca}.key",
                "-out", f"{d}/{ca}.pem", "-subj", f"/CN={ca}", "-days", "2")
        for name, alt in (("ldap", "IP:127.0.0.1"), ("other", "DNS:ldap.example.org")):
            run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{d}/{name}.key",
                "-out", f"{d}/{name}.csr", "-subj", f"/CN={'127.0.0.1' if name == 'other' else 'ldap'}")
            with open(f"{d}/ext", "w") as f:
                f.write(f"subjectAltName={alt}\n")
            run("openssl", "x509", "-req", "-in", f"{d}/{name}.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", f"{d}/ext", "-out", f"{d}/{name}.pem")
        shutil.copy(f"{d}/ldap.key", f"{d}/ldap.key.keep")

    def start(self, cert="ldap"):
        modules = next(p for p in ("/usr/lib/ldap", "/usr/lib64/ldap", "/usr/libexec/openldap") if os.path.isdir(p))
        shutil.copy(f"{self.dir}/{'other.key' if cert == 'other' else 'ldap.key.keep'}", f"{self.dir}/ldap.key")
        with open(f"{self.dir}/slapd.conf", "w") as f:
            f.write(CONF.format(dir=self.dir, modules=modules, suffix=SUFFIX, admin_pw=ADMIN_PW, cert=cert))
        self.proc = subprocess.Popen(["slapd", "-f", f"{self.dir}/slapd.conf", "-h", f"ldaps://127.0.0.1:{self.port}/", "-d", "0"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not until(lambda: listens(self.port) or self.proc.poll() is not None) or self.proc.poll() is not None:
            raise AssertionError("slapd does not start")

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait(60)
            self.proc = None

    def change(self, tool, text):
        env = {**os.environ, "LDAPTLS_CACERT": f"{self.dir}/ca.pem"}
        subprocess.run([tool, "-H", f"ldaps://127.0.0.1:{self.port}", "-x", "-D", f"cn=admin,{SUFFIX}", "-w", ADMIN_PW], input=text, text=True,
                       check=True, stdout=subprocess.DEVNULL, env=env)

    def add(self, name, password, where=PEOPLE, more=""):
        self.change("ldapadd", f"dn: uid={name},{where}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name.title()} Example\nsn: E\n"
                    f"userPassword: {password}\n{more}")

    def group(self, name, members):
        self.change("ldapadd", f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n" + "".join(f"member: {m}\n" for m in members))

    def members(self, name, verb, who):
        self.change("ldapmodify", f"dn: cn={name},{GROUPS}\nchangetype: modify\n{verb}: member\nmember: {who}\n")

    def fill(self):
        self.change("ldapadd", f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n\n"
                    f"dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n"
                    f"dn: {GROUPS}\nobjectClass: organizationalUnit\nou: groups\n\n"
                    f"dn: ou=more,{PEOPLE}\nobjectClass: organizationalUnit\nou: more\n\n"
                    f"dn: cn=search,{SUFFIX}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: search\nuserPassword: {SEARCH_PW}\n")
        for name in ("alice", "bob", "carol", "twin"):
            self.add(name, f"{name}-secret")
        self.add("twin", "twin-secret", f"ou=more,{PEOPLE}")
        self.group("ops", [f"uid=alice,{PEOPLE}", f"uid=twin,{PEOPLE}", f"uid=twin,ou=more,{PEOPLE}"])
        self.group("audit", [f"uid=bob,{PEOPLE}"])


class Setup(Server):
    """assayd with an [ldap] section that changes between starts."""

    def __init__(self):
        self.directory = None
        super().__init__()
        try:
            self.prepare()
        except BaseException:
            self.stop()  # neither slapd nor assayd nor the folder stays behind
            raise

    def prepare(self):
        self.directory = Directory(self.dir)
        self.secret = os.path.join(self.dir, "search.pw")
        with open(os.open(self.secret, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write(SEARCH_PW + "\n")
        self.plain_conf = open(self.conf).read().replace("listen_api = 127.0.0.1:0", f"listen_api = 127.0.0.1:{self.port}")

    def with_ldap(self, **changed):
        """Starts anew; keys given replace those of the section, None leaves one out."""
        keys = {"url": f"ldaps://127.0.0.1:{self.directory.port}", "ca": f"{self.directory.dir}/ca.pem", "base": PEOPLE,
                "bind_dn": f"cn=search,{SUFFIX}", "bind_password_file": self.secret,
                "roles": f"CN=ops, {GROUPS}=operator; cn=audit,{GROUPS}=auditor", **changed}
        self.proc.terminate()
        self.proc.wait(60)
        with open(self.conf, "w") as f:
            f.write(self.plain_conf + "outgoing_allow = 127.0.0.1\n[login]\npassword_memory = 8MiB\n[ldap]\n"
                    + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.state, "endpoints.json"))
        self.proc = subprocess.Popen([api.ASSAYD, "--config", self.conf], stdout=self.log, stderr=self.log)
        return self.wait_ready()

    def login(self, user, password, code=None):
        body = {"user": user, "password": password}
        status, answer, headers = self.call("POST", "/api/v1/login", None, body | ({"code": code} if code else {}))
        problem = answer["error"]["code"] if status >= 400 else None
        cookie = (headers.get("set-cookie") or "").split(";")[0]
        return status, problem or answer, cookie

    def whoami(self, cookie):
        return self.call("GET", "/api/v1/session", None, None, headers={"Cookie": cookie})[0]

    def user(self, name):
        return next((u for u in api.all_items(self, "/api/v1/users") if u["name"] == name), None)

    def stop(self):
        if self.directory:
            self.directory.stop()
        if os.environ.get("AY_SHOW_LOG"):
            print("# " + open(self.log.name).read().replace("\n", "\n# "))
        super().stop()


def good(s):
    ok(s.call("GET", "/api/v1/login/methods")[1]["ldap"] is True, "a login page is told that names of the directory are taken")
    status, who, cookie = s.login("alice", "alice-secret")
    ok(status == 200 and who["user"] == "alice@ldap" and who["scheme"] == "ldap" and who["display"] == "Alice Example" and not who["mfa"],
       f"name and password of the directory: {who}")
    ok("HOST_WRITE" in who["permissions"] and [g["role"] for g in who["grants"]] == ["operator"], "her group gives the role, whatever its case and blanks")
    ok(s.whoami(cookie) == 200, "and the session serves")
    again = s.login("ALICE", "alice-secret")[1]
    ok(again["user_id"] == who["user_id"], "another case of the name is the same person")
    ok(s.login("alice@ldap", "alice-secret")[1]["user_id"] == who["user_id"], "as is the name of her account")
    ids = [i for i in api.all_items(s, "/api/v1/identities") if i["source"] == "ldap"]
    ok(len(ids) == 1 and ids[0]["subject"].startswith("entryuuid "), f"known by an id of the directory: {ids}")
    bob = s.login("bob", "bob-secret")[1]
    ok([g["role"] for g in bob["grants"]] == ["auditor"] and bob["user_id"] != who["user_id"], "another group, another role")
    ok(s.login("carol", "carol-secret")[:2] == (403, "AUTH_NO_ROLE") and not s.user("carol@ldap"), "no group: no way in, and no account")


def refused(s):
    for name, password, what in (
            ("alice", "bob-secret", "a wrong password"),
            ("alice", "", "an empty password, which LDAP would take for nobody's bind"),
            ("nobody", "alice-secret", "a name that is not there"),
            ("*", "alice-secret", "every name"),
            ("*)(uid=*", "alice-secret", "a filter as a name"),
            ("alice)(objectClass=*", "alice-secret", "one that closes the filter"),
            ("alice\\2a", "alice-secret", "an escape of its own"),
            (f"alice,{PEOPLE}", "alice-secret", "a distinguished name"),
            ("alice ", "alice-secret", "a blank at the end"),
            ("al\u00adice", "alice-secret", "an octet that the directory would not see"),
            ("twin", "twin-secret", "a name that two entries have")):
        got = s.login(name, password)
        ok(got[:2] == (401, "AUTH_FAILED"), f"{what}: {got[:2]}")
    s.call("POST", "/api/v1/users", s.admin, {"name": "bob", "role": "viewer"})
    asked = s.login("bob", "bob-secret")
    ok(asked[:2] == (401, "AUTH_FAILED"), "a local account's name is judged here, and never there")
    ok(s.login("bob@ldap", "bob-secret")[0] == 200, "who has the name there says so")
    s.call("PATCH", "/api/v1/users/bob@ldap", s.admin, {"disabled": True})
    ok(s.login("bob@ldap", "bob-secret")[:2] == (401, "AUTH_FAILED"), "disabled here, whatever the directory says")
    s.call("PATCH", "/api/v1/users/bob@ldap", s.admin, {"disabled": False})
    basic = {"Authorization": "Basic YWxpY2U6YWxpY2Utc2VjcmV0"}
    ok(s.call("GET", "/api/v1/hosts", None, None, headers=basic)[0] == 401, "Basic does not ask the directory")


def changes(s):
    d = s.directory
    alice = s.login("alice", "alice-secret")[1]
    d.change("ldapmodify", f"dn: uid=alice,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n")
    status, who, cookie = s.login("alicia", "alice-secret")
    ok(status == 200 and who["user_id"] == alice["user_id"] and who["user"] == "alice@ldap", f"renamed there, the same account here: {who}")
    ok(s.login("alice", "alice-secret")[0] == 401, "and the name before is nobody's")
    d.add("alice", "new-secret")
    d.members("audit", "add", f"uid=alice,{PEOPLE}")
    status, new, _ = s.login("alice", "new-secret")
    ok(status == 200 and new["user_id"] != alice["user_id"] and new["user"].startswith("alice@ldap."), f"somebody new of that name is another account: {new}")
    d.members("ops", "delete", f"uid=alicia,{PEOPLE}")
    d.members("audit", "add", f"uid=alicia,{PEOPLE}")
    status, who, _ = s.login("alicia", "alice-secret")
    ok(status == 200 and [g["role"] for g in who["grants"]] == ["auditor"], "another group: another role at the next login")
    ok(s.whoami(cookie) == 401, "and sessions with the rights before end")
    d.members("audit", "delete", f"uid=alicia,{PEOPLE}")
    ok(s.login("alicia", "alice-secret")[:2] == (403, "AUTH_NO_ROLE"), "the last group taken away")
    ok(not any(g["role"] in ("operator", "auditor") for g in s.user("alice@ldap")["grants"]), "and the account has no rights any more")
    d.change("ldapmodify", f"dn: uid=bob,{PEOPLE}\nchangetype: delete\n")
    d.add("bob", "bob-secret")
    d.members("ops", "add", f"uid=bob,{PEOPLE}")
    status, who, _ = s.login("bob@ldap", "bob-secret")
    ok(status == 200 and who["user"].startswith("bob@ldap."), "removed and made anew, with the same name and password: another account")


def second_factor(s):
    status, who, cookie = s.login("bob@ldap", "bob-secret")
    h = {"Cookie": cookie, "X-CSRF-Token": who["csrf"]}
    status, offer, _ = s.call("POST", "/api/v1/totp", None, None, headers=h)
    if not ok(status == 201, f"a second factor may be added: {status} {offer}"):
        return

    def code(when):
        return subprocess.run(["oathtool", "--totp", "-b", "-N", f"@{when}", offer["secret"]], check=True, capture_output=True, text=True).stdout.strip()

    now = int(time.time())
    status, got, _ = s.call("POST", "/api/v1/totp/confirm", None, {"code": code(now)}, headers=h)
    ok(status == 200, f"and confirmed: {status}")
    ok(s.login("bob@ldap", "bob-secret")[:2] == (401, "AUTH_TOTP"), "from then on the password alone does not do")
    status, who, _ = s.login("bob@ldap", "bob-secret", got["recovery"][0])
    ok(status == 200 and who["mfa"] and who["scheme"].startswith("ldap, "), "password there, second factor here")
    got = [s.login("bob@ldap", "bob-secret", "000000")[1] for _ in range(8)]
    ok(got[0] == "AUTH_FAILED" and got[-1] == "AUTH_LOCKED", f"guessed codes are counted: {got}")


def guessing(s):
    got = [s.login(name, "wrong wrong")[1] for name in ("carol", "CAROL", "Carol", "cAROL", "caROL", "carOL", "caroL")]
    ok(got[0] == "AUTH_FAILED" and got[-1] == "AUTH_LOCKED", f"who guesses waits, in whatever case: {got}")
    log = api.all_items(s, "/api/v1/audit")
    ok(any(r["action"] == "LOGIN" and "ldap" in json.dumps(r) for r in log) and any(r["action"] == "LOGIN_DENIED" and "ldap" in json.dumps(r) for r in log),
       "logins and refusals stand in the audit")
    text = json.dumps(log) + open(s.log.name).read()
    ok("alice-secret" not in text and SEARCH_PW not in text, "no password in the audit or the log")


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.held = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                self.held.append(self.sock.accept()[0])

    def stop(self):
        self.sock.close()
        for c in self.held:
            c.close()


def old_tls(s, version):
    """An LDAP server that speaks one version of TLS alone: the handshake is all there is of it."""
    d = s.directory.dir
    p = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", f"{d}/ldap.pem", "-key", f"{d}/ldap.key.keep", version,
                          "-cipher", "ALL@SECLEVEL=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in p.stdout:
        if line.startswith("ACCEPT"):
            return p, int(line.rsplit(":", 1)[1])
    p.kill()
    p.wait()
    raise AssertionError("openssl s_server does not start")


def false_ones(s):
    d = s.directory
    down = (503, "AUTH_SOURCE_DOWN")
    s.with_ldap(ca=f"{d.dir}/wrong-ca.pem")
    ok(s.login("alice", "new-secret")[:2] == down, "a directory of another authority is not asked")
    p, port = old_tls(s, "-tls1_1")
    try:
        s.with_ldap(url=f"ldaps://127.0.0.1:{port}")
        ok(s.login("alice", "new-secret")[:2] == down, "nor one that speaks TLS 1.1 alone")
    finally:
        p.kill()
        p.wait()
    d.stop()
    d.start("other")
    s.with_ldap()
    ok(s.login("alice", "new-secret")[:2] == down, "nor one with a certificate of another name, though it is its common name")
    log = open(s.log.name).read()
    ok(log.count("LDAP_TLS") >= 3, "and the log says that TLS is the reason")


def away(s):
    d = s.directory
    down = (503, "AUTH_SOURCE_DOWN")
    s.call("POST", "/api/v1/users", s.admin, {"name": "local", "role": "viewer"})
    s.call("POST", "/api/v1/users/local/password", s.admin, {"password": "a local password"})
    d.stop()
    ok(s.login("alice", "new-secret")[:2] == down, "no directory: a clear answer")
    silent = Silent()
    s.with_ldap(url=f"ldaps://127.0.0.1:{silent.port}", deadline="3s")
    answers = []
    waiting = [threading.Thread(target=lambda i=i: answers.append(s.login(f"p{i}", "some-secret")[1])) for i in range(8)]
    for t in waiting:
        t.start()
    until(lambda: silent.held)
    ok(s.login("local", "a local password")[0] == 200 and not all(not t.is_alive() for t in waiting), "one that is silent: local accounts log in meanwhile")
    for t in waiting:
        t.join(60)
    ok(sorted(set(answers)) == ["AUTH_BUSY", "AUTH_SOURCE_DOWN"] and answers.count("AUTH_BUSY") == 2, f"and who waits for it is told, few at a time: {answers}")
    silent.stop()
    d.start()
    s.with_ldap()
    ok(s.login("alice", "new-secret")[0] == 200, "it is back")


def other_ways(s):
    d = s.directory
    s.with_ldap(user_dn=f"uid={{user}},{PEOPLE}", base=None, bind_dn=None, bind_password_file=None, group_attribute="memberOf")
    status, who, _ = s.login("alice", "new-secret")
    ok(status == 200 and [g["role"] for g in who["grants"]] == ["auditor"], f"bound straight as the person: {status} {who}")
    for name in (f"alice,{PEOPLE}", "alice+cn=x", "alice\\,x", "#616c696365", "alice,ou=more"):
        ok(s.login(name, "new-secret")[:2] == (401, "AUTH_FAILED"), f"a name that would be more than a value: {name}")
    ok(s.login("alice", "")[0] == 401, "no password, no bind")
    s.with_ldap(group_attribute="", group_base=GROUPS)
    got = s.login("alice", "new-secret")
    ok(got[0] == 200 and [g["role"] for g in got[1]["grants"]] == ["auditor"], f"groups looked up by their members: {got[:2]}")
    with open(s.secret, "w") as f:
        f.write("not-it")
    s.with_ldap()
    ok(s.login("alice", "new-secret")[:2] == (503, "AUTH_SOURCE_DOWN"), "the search account's password is wrong: nobody's fault who logs in")
    os.chmod(s.secret, 0o644)
    bad = []
    for change in ({}, {"url": "ldap://127.0.0.1"}, {"id_attribute": "uid"}, {"roles": "cn=x=no-such-role"}):
        if change:
            os.chmod(s.secret, 0o600)
        s.proc.terminate()
        s.proc.wait(60)
        keys = {"url": f"ldaps://127.0.0.1:{d.port}", "base": PEOPLE, "bind_dn": "cn=search", "bind_password_file": s.secret, **change}
        with open(s.conf, "w") as f:
            f.write(s.plain_conf + "[ldap]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()))
        s.proc = subprocess.Popen([api.ASSAYD, "--config", s.conf], stdout=s.log, stderr=s.log)
        bad.append(s.proc.wait(60))
    ok(all(bad), f"a secret that others can read, no TLS, an id that is reused, a role that is not: it does not start: {bad}")


def main():
    s = Setup()
    try:
        ok(s.with_ldap(), "assayd with a directory starts")
        good(s)
        refused(s)
        changes(s)
        second_factor(s)
        guessing(s)
        false_ones(s)
        away(s)
        other_ways(s)
    finally:
        s.stop()
    print(f"1..{api.count}")
    sys.exit(1 if api.failed else 0)


main()
