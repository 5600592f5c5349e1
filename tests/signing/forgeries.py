"""Tokens that nobody may believe, made from a good one and the published keys (OA-22, RFC 8725)."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from dextwist.model.keys import JWKDict
from dextwist.signing.jwk import generate


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token: str) -> tuple[dict[str, Any], bytes, bytes]:
    """Header, payload and signature of a token, unchecked."""
    header, payload, signature = (unb64(part) for part in token.split("."))
    return json.loads(header), payload, signature


def compact(header: Mapping[str, Any], payload: bytes, signature: bytes = b"") -> str:
    return ".".join((b64(json.dumps(header).encode()), b64(payload), b64(signature)))


def forgeries(token: str, published: Sequence[JWKDict]) -> Iterator[tuple[str, str]]:
    """What it is, and the forged token."""
    header, payload, signature = parts(token)
    for none in ("none", "None", "NONE", "nOnE", "", None):
        changed = header | {"alg": none}
        yield f"alg {none}, no signature", compact(changed, payload)
        yield f"alg {none}, the old signature", compact(changed, payload, signature)
        yield f"alg {none}, no key id", compact({"alg": none}, payload)
    yield "no algorithm", compact({"kid": header["kid"]}, payload, signature)
    for jwk in published:
        for form, secret in _public_forms(jwk):
            for name, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
                for kid in ({"kid": jwk["kid"]}, {}):
                    forged = compact({"alg": name} | kid, payload).rpartition(".")[0]
                    mac = hmac.new(secret, forged.encode(), digest).digest()
                    yield f"{name} with our public key as {form}, {kid}", f"{forged}.{b64(mac)}"
    yield from _signed_by_others(header, payload)
    for at in (0, len(signature) // 2, len(signature) - 1):
        flipped = bytearray(signature)
        flipped[at] ^= 1
        yield f"octet {at} of the signature flipped", compact(header, payload, bytes(flipped))
    yield "a bit of the payload flipped", compact(header, payload[:-2] + b" }", signature)
    yield "another key's id", compact(header | {"kid": published[-1]["kid"] + "0"}, payload, signature)
    yield "no signature", compact(header, payload)
    yield "half a signature", compact(header, payload, signature[: len(signature) // 2])
    yield "a longer signature", compact(header, payload, signature + b"\0")
    yield "zeros for a signature", compact(header, payload, bytes(len(signature)))
    yield "padded", token + "="
    yield "with a line end", token + "\n"
    yield "with a space in front", " " + token
    yield "with a fourth part", token + "."
    yield "a JWE's five parts", token + ".."
    yield (
        "the JSON serialisation",
        json.dumps(dict(zip(("protected", "payload", "signature"), token.split("."), strict=True))),
    )


def _signed_by_others(header: Mapping[str, Any], payload: bytes) -> Iterator[tuple[str, str]]:
    for algorithm in ("RS256", "ES256"):
        attacker = _attacker(algorithm)
        public = attacker.export_public(as_dict=True)
        for name, more in (
            ("our key id", {"kid": header["kid"]}),
            ("their key id", {"kid": public["kid"]}),
            ("no key id", {}),
            ("their jwk", {"jwk": public}),
            ("their jwk and our key id", {"jwk": public, "kid": header["kid"]}),
            ("their jku", {"jku": "https://attacker.example/keys", "kid": header["kid"]}),
            ("their x5u", {"x5u": "https://attacker.example/cert", "kid": header["kid"]}),
            ("their x5c", {"x5c": ["MIIB"], "kid": header["kid"]}),
        ):
            forged = JWS(payload)
            forged.add_signature(attacker, protected=json.dumps({"alg": algorithm} | more))
            yield f"{algorithm} by another key, {name}", forged.serialize(compact=True)


@functools.cache
def _attacker(algorithm: str) -> JWK:
    return JWK(**generate(algorithm).private)


def _public_forms(jwk: JWKDict) -> Iterator[tuple[str, bytes]]:
    """The bytes of a public key that a careless verifier may take for an HMAC secret."""
    key = JWK(**jwk).get_op_key("verify")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield "PEM", pem
    yield "PEM without its line end", pem.rstrip()
    yield "DER", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if jwk["kty"] == "RSA":
        yield "PKCS #1 PEM", key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        yield "modulus", unb64(jwk["n"])
    else:
        yield "point", unb64(jwk["x"]) + unb64(jwk["y"])
    yield "JWK", json.dumps(dict(jwk)).encode()
    yield "compact JWK", json.dumps(dict(jwk), separators=(",", ":")).encode()
    yield "thumbprint", hashlib.sha256(JWK(**jwk).thumbprint().encode()).digest()
    yield "nothing", b""
