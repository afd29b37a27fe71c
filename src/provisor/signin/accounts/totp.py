"""The second factor: codes by time (RFC 6238), and recovery codes for when the device is gone. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pyotp

STEP_S = 30
# A device's clock may be one step off either way.
_DRIFT = 1
_RECOVERY_CODES = 10
ISSUER = "Provisor"


def make_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32()


def uri(secret: str, login: str, realm: str) -> str:
    """What the QR code holds, for an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"{ISSUER} {realm}")


def matching_step(secret: str, code: str, now_ms: int, last_step: int | None) -> int | None:
    """The step whose code this is, of those that were not used yet; null: of none."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    totp, present = pyotp.TOTP(secret), now_ms // 1000 // STEP_S
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits) and (last_step is None or step > last_step):
            return step
    return None


def make_recovery_codes() -> list[str]:
    """Ten codes of 50 random bits, as people copy them: ``abcde-fghij``."""
    made = []
    for _ in range(_RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(7)).decode().lower()[:10]
        made.append(f"{text[:5]}-{text[5:]}")
    return made


def recovery_hash(code: str, pepper: bytes) -> str | None:
    """What is kept of a recovery code; null for what is none."""
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    if len(plain) != 10 or not plain.isascii() or not plain.isalnum():
        return None
    return hmac.digest(pepper, plain.encode(), hashlib.sha256).hex()
