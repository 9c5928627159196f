# SPDX-License-Identifier: Apache-2.0
"""A real assayd with the listeners of the Mt. Wilson family, for oat.py and mtw1.py."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import requests

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("AY_BUILD", os.path.join(SRC, "build"))
ASSAYD = os.path.join(BUILD, "src/prog/assayd/assayd")
count = failed = 0


def ok(cond, what, seen=None):
    global count, failed
    count += 1
    failed += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}", flush=True)
    if not cond and seen is not None:
        print(f"# {str(seen)[:600]}", flush=True)
    return cond


def finish():
    print(f"1..{count}")
    raise SystemExit(1 if failed else 0)


class Server:
    def __init__(self, compat):
        self.dir = tempfile.mkdtemp(prefix="ay-family-")
        self.conf = os.path.join(self.dir, "assayd.conf")
        with open(self.conf, "w") as f:
            f.write(f"state_dir = {self.dir}/state\nrun_dir = {self.dir}/run\n"
                    "listen_api = 127.0.0.1:0\nlisten_agents = 127.0.0.1:0\n[compat]\n" + compat)
        subprocess.run([ASSAYD, "init", "--config", self.conf], check=True, stdout=subprocess.DEVNULL)
        self.state = os.path.join(self.dir, "state")
        self.admin = open(os.path.join(self.state, "admin.token")).read().strip()
        self.ca = os.path.join(self.state, "root.pem")
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.proc = subprocess.Popen([ASSAYD, "--config", self.conf], stdout=self.log, stderr=self.log)
        self.session = requests.Session()
        self.session.verify = self.ca
        self.session.trust_env = False
        self.wait_ready()

    def wait_ready(self):
        path = os.path.join(self.state, "endpoints.json")
        for _ in range(600):
            try:
                self.at = json.load(open(path))
                if self.ask("api", "GET", "/readyz").status_code == 200:
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise SystemExit("assayd did not start: " + open(os.path.join(self.dir, "log")).read())

    def url(self, listener, path):
        return "https://" + self.at[listener] + path

    def ask(self, listener, method, path, body=None, token=None, accept=None, **more):
        headers = dict(more.pop("headers", {}))
        if token:
            headers["Authorization"] = "Bearer " + token
        if accept:
            headers["Accept"] = accept
        return self.session.request(method, self.url(listener, path), json=body, headers=headers, timeout=60, **more)

    def native(self, method, path, body=None):
        return self.ask("api", method, "/api/v1" + path, body, token=self.admin)

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(30)
        except subprocess.TimeoutExpired:
            self.proc.kill()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
