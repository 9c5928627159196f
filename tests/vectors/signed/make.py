#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors.json: signed requests of the Mt. Wilson family, right and altered.

Made from docs/protocol/signed-requests.md with Python's cryptography, by none of
our code. Its keys are made anew each run and thrown away.
"""
import base64
import datetime
import hashlib
import hmac
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 11, 22, 4, 17, 17, tzinfo=UTC)
KEY = b"correct horse battery staple"


def certificate(key, start=-1, end=365):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(NOW.replace(tzinfo=None) + datetime.timedelta(days=start))
            .not_valid_after(NOW.replace(tzinfo=None) + datetime.timedelta(days=end))
            .sign(key, hashes.SHA256()))
    return cert.public_bytes(serialization.Encoding.DER)


def b64(b):
    return base64.b64encode(b).decode()


class Request:
    def __init__(self, **change):
        self.method = "POST"
        self.authority = "assay.example:8443"
        self.path = "/mtwilson/v2/host-attestations"
        self.query = "nameEqualTo=h%201&limit=2"
        self.headers = [["date", "Sun, 22 Nov 2026 04:17:16 GMT"],
                        ["x-nonce", "AAABOCUjcyVrmT6abk0LEKN508dmuU8r"],
                        ["content-type", "application/json"]]
        self.body = '{"host_name":"h1"}\n'
        self.url = None
        for k, v in change.items():
            setattr(self, k, v)

    def asked_url(self):
        return self.url or "https://" + self.authority + self.path + (
            "?" + self.query if self.query else "")

    def value(self, name):
        return dict((n.lower(), v) for n, v in self.headers).get(name.lower(), "")


def sign_x509(r, key, der, listed="X-Nonce,Date", algorithm="SHA256withRSA", realm="Attestation"):
    finger = b64(hashlib.sha256(der).digest())
    text = f"Request: {r.method} {r.asked_url()}\nRealm: {realm}\nFrom: {finger}\n"
    text += f"Signature-Algorithm: {algorithm}\n"
    for name in listed.split(","):
        text += f"{name}: {r.value(name)}\n"
    text += "\n" + r.body
    if isinstance(key, rsa.RSAPrivateKey):
        sig = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        sig = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    return (f'X509 realm="{realm}", fingerprint="{finger}", headers="{listed}", '
            f'algorithm="{algorithm}", signature="{b64(sig)}"')


def sign_hmac(r, key=KEY, user="cloud", stamp="2026-11-22T04:17:16", algorithm="HMAC-SHA256"):
    nonce = b64(b"twelve bytes")
    name = b64(user.encode())
    text = (f"Request: {r.method} {r.asked_url()}\nFrom: {name}\nTimestamp: {stamp}\n"
            f"Nonce: {nonce}\nSignature-Method: {algorithm}\n\n{r.body}")
    mac = b64(hmac.new(key, text.encode(), hashlib.sha256).digest())
    return (f'MtWilson http_method="{r.method}", uri="{r.asked_url()}", username="{name}", '
            f'nonce="{nonce}", signature_method="{algorithm}", timestamp="{stamp}", '
            f'signature="{mac}"')


def dated(text):
    return [["date", text], ["x-nonce", "n"]]


def date_at(seconds):
    return (NOW + datetime.timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def main():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    curve = ec.generate_private_key(ec.SECP256R1())
    der, small_der, curve_der = certificate(key), certificate(small), certificate(curve)
    old_der = certificate(key, -30, -1)
    out, certs = [], []

    def add(name, code, r, authorization, cert=der, key_text=KEY.decode(), **change):
        asked = Request(**dict(r.__dict__))
        for k, v in change.items():
            setattr(asked, k, v)
        if cert.hex() not in certs:
            certs.append(cert.hex())
        out.append({"name": name, "code": code, "method": asked.method,
                    "authority": asked.authority, "path": asked.path, "query": asked.query,
                    "headers": asked.headers, "body": asked.body,
                    "authorization": authorization, "certificate": certs.index(cert.hex()),
                    "key": key_text})

    def x509_case(name, code, r=None, cert=der, by=key, listed="X-Nonce,Date",
                  algorithm="SHA256withRSA", edit=None, shown=None, **change):
        r = r or Request()
        a = sign_x509(r, by, cert, listed, algorithm)
        add(name, code, r, edit(a) if edit else a, shown or cert, **change)

    def hmac_case(name, code, r=None, edit=None, key_text=KEY.decode(), **kw):
        r = r or Request()
        change = {k: kw.pop(k) for k in list(kw) if k in r.__dict__}
        a = sign_hmac(r, **kw)
        add(name, code, r, edit(a) if edit else a, key_text=key_text, **change)

    # ---- X509
    x509_case("x509: as the client signed it", "")
    x509_case("x509: the other name of the algorithm", "", algorithm="RSA-SHA256")
    x509_case("x509: GET without query and body", "", Request(method="GET", query="", body=""))
    x509_case("x509: one signed header", "", listed="Date")
    x509_case("x509: zone by name", "", Request(headers=dated("Sat, 21 Nov 2026 20:17:16 PST")))
    x509_case("x509: default port left off by the client's Host", "",
              Request(authority="assay.example",
                      url="https://assay.example:443/mtwilson/v2/host-attestations"
                          "?nameEqualTo=h%201&limit=2"))
    x509_case("x509: default port left off in the signed URL", "",
              Request(authority="assay.example:443",
                      url="https://assay.example/mtwilson/v2/host-attestations"
                          "?nameEqualTo=h%201&limit=2"))
    x509_case("x509: an address in brackets", "", Request(authority="[::1]:8443"))
    x509_case("x509: signed 59 minutes ago", "", Request(headers=dated(date_at(-3540))))
    x509_case("x509: a clock half a minute ahead", "", Request(headers=dated(date_at(30))))
    x509_case("x509: another path", "AUTH_FAILED", path="/mtwilson/v2/hosts")
    x509_case("x509: another query", "AUTH_FAILED", query="nameEqualTo=h2&limit=2")
    x509_case("x509: query dropped", "AUTH_FAILED", query="")
    x509_case("x509: query added", "AUTH_FAILED", Request(query=""), query="a=b")
    x509_case("x509: the same path spelt otherwise", "AUTH_FAILED",
              path="/mtwilson/v2/host%2dattestations")
    x509_case("x509: another method", "AUTH_FAILED", method="PUT")
    x509_case("x509: another body", "AUTH_FAILED", body='{"host_name":"h2"}\n')
    x509_case("x509: body cut", "AUTH_FAILED", body='{"host_name":"h1"}')
    x509_case("x509: another of our names", "AUTH_FAILED", authority="localhost:8443")
    x509_case("x509: another port", "AUTH_FAILED", authority="assay.example:9443")
    x509_case("x509: plain http signed", "AUTH_FAILED",
              Request(url="http://assay.example:8443/mtwilson/v2/host-attestations"
                          "?nameEqualTo=h%201&limit=2"))
    x509_case("x509: another server", "AUTH_HOST", Request(authority="other.example:8443"))
    x509_case("x509: no host", "AUTH_HOST", Request(authority=""))
    x509_case("x509: another nonce", "AUTH_FAILED",
              headers=[["date", "Sun, 22 Nov 2026 04:17:16 GMT"], ["x-nonce", "B"]])
    x509_case("x509: another date", "AUTH_FAILED",
              headers=[["date", "Sun, 22 Nov 2026 04:17:15 GMT"],
                       ["x-nonce", "AAABOCUjcyVrmT6abk0LEKN508dmuU8r"]])
    x509_case("x509: a signed header did not arrive", "AUTH_HEADERS",
              headers=[["date", "Sun, 22 Nov 2026 04:17:16 GMT"]])
    x509_case("x509: date not signed", "AUTH_HEADERS", listed="X-Nonce")
    x509_case("x509: too old", "AUTH_DATE", Request(headers=dated(date_at(-3601))))
    x509_case("x509: ahead of time", "AUTH_DATE", Request(headers=dated(date_at(61))))
    x509_case("x509: no date", "AUTH_DATE", Request(headers=dated("yesterday")))
    x509_case("x509: another key, the registered certificate's fingerprint", "AUTH_FAILED",
              by=other)
    x509_case("x509: fingerprint of another certificate", "AUTH_FAILED",
              shown=certificate(key))
    x509_case("x509: RSA of 1024 bits", "AUTH_ALGORITHM", cert=small_der, by=small)
    x509_case("x509: an elliptic key", "AUTH_ALGORITHM", cert=curve_der, by=curve)
    x509_case("x509: certificate out of date", "AUTH_EXPIRED", cert=old_der)
    x509_case("x509: SHA-1", "AUTH_ALGORITHM", algorithm="SHA1withRSA")
    x509_case("x509: no algorithm of that name", "AUTH_ALGORITHM", algorithm="none")
    x509_case("x509: headers by way of a header's name", "AUTH_MALFORMED",
              edit=lambda a: a.replace("X-Nonce,Date", "X-Nonce: n,Date"))
    x509_case("x509: a header listed twice", "AUTH_MALFORMED", listed="Date,date")
    x509_case("x509: no header listed", "AUTH_MALFORMED",
              edit=lambda a: a.replace("X-Nonce,Date", ""))
    x509_case("x509: realm twice", "AUTH_MALFORMED", edit=lambda a: a + ', realm="x"')
    x509_case("x509: another realm than the signed", "AUTH_FAILED",
              edit=lambda a: a.replace('"Attestation"', '"Other"'))
    x509_case("x509: a parameter nobody knows", "AUTH_MALFORMED",
              edit=lambda a: a + ', version="2"')
    x509_case("x509: no signature", "AUTH_MALFORMED",
              edit=lambda a: a[:a.index(", signature")])
    x509_case("x509: signature empty", "AUTH_MALFORMED",
              edit=lambda a: a[:a.index(", signature")] + ', signature=""')
    x509_case("x509: signature cut", "AUTH_FAILED",
              edit=lambda a: a[:a.index(", signature")] + ', signature="AAAA"')
    x509_case("x509: no quotes", "AUTH_MALFORMED", edit=lambda a: a.replace('"', ""))
    x509_case("x509: a comma at the end", "AUTH_MALFORMED", edit=lambda a: a + ",")

    # ---- MtWilson
    hmac_case("hmac: as the client signed it", "")
    hmac_case("hmac: Java's name of the algorithm", "", algorithm="HmacSHA256")
    hmac_case("hmac: GET without body", "", Request(method="GET", body=""))
    hmac_case("hmac: zone with colon", "", stamp="2026-11-21T20:17:16-08:00")
    hmac_case("hmac: zone without colon", "", stamp="2026-11-22T05:17:16+0100")
    hmac_case("hmac: milliseconds", "", stamp="2026-11-22T04:17:16.365Z")
    hmac_case("hmac: another path", "AUTH_URL", path="/mtwilson/v2/hosts")
    hmac_case("hmac: another query", "AUTH_URL", query="nameEqualTo=h2&limit=2")
    hmac_case("hmac: query dropped", "AUTH_URL", query="")
    hmac_case("hmac: another host", "AUTH_URL", authority="localhost:8443")
    hmac_case("hmac: another server", "AUTH_HOST", Request(authority="other.example"))
    hmac_case("hmac: another method", "AUTH_URL", method="DELETE")
    hmac_case("hmac: method changed in the header too", "AUTH_FAILED", method="DELETE",
              edit=lambda a: a.replace('"POST"', '"DELETE"'))
    hmac_case("hmac: URL changed in the header too", "AUTH_FAILED", path="/mtwilson/v2/hosts",
              edit=lambda a: a.replace("/host-attestations", "/hosts"))
    hmac_case("hmac: another body", "AUTH_FAILED", body='{"host_name":"h2"}\n')
    hmac_case("hmac: another user's name", "AUTH_FAILED",
              edit=lambda a: a.replace(b64(b"cloud"), b64(b"admin")))
    hmac_case("hmac: another key", "AUTH_FAILED", key=b"something else")
    hmac_case("hmac: no such user", "AUTH_FAILED", key_text="", key=b"")
    hmac_case("hmac: another time than the signed", "AUTH_FAILED",
              edit=lambda a: a.replace("04:17:16", "04:17:17"))
    hmac_case("hmac: too old", "AUTH_DATE", stamp="2026-11-22T03:17:16")
    hmac_case("hmac: ahead of time", "AUTH_DATE", stamp="2026-11-22T04:18:18")
    hmac_case("hmac: no time", "AUTH_DATE", stamp="now")
    hmac_case("hmac: SHA-1", "AUTH_ALGORITHM", algorithm="HMAC-SHA1")
    hmac_case("hmac: mac of another length", "AUTH_MALFORMED",
              edit=lambda a: a[:a.index(", signature=")] + ', signature="AAAA"')
    hmac_case("hmac: no nonce", "AUTH_MALFORMED",
              edit=lambda a: a.replace(f'nonce="{b64(b"twelve bytes")}", ', ""))

    doc = {"now": int(NOW.timestamp() * 1000), "own": ["assay.example", "localhost", "::1"],
           "certificates": certs, "cases": out}
    with open(os.path.join(HERE, "vectors.json"), "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")
    seeds = os.path.join(HERE, "..", "fuzz", "signed_request")
    os.makedirs(seeds, exist_ok=True)
    for i, name in enumerate(("x509: as the client signed it", "hmac: as the client signed it",
                              "x509: realm twice")):
        text = next(c["authorization"] for c in out if c["name"] == name)
        with open(os.path.join(seeds, f"seed{i}"), "w") as f:
            f.write(text)


main()
