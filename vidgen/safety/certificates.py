# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""With what files are signed: the user's certificate, or one that is made once for this user and kept in private.

A self-made one proves that two files came from one place, and to those who were given `authority.pem` that it was this
one; it proves no name. Certificates are as C2PA 2.1, section 14.5, asks: a leaf under an authority whose key is
thrown away.
"""

import dataclasses
import datetime as dt
import os
import sys
import tomllib
from pathlib import Path

_YEARS = 10


@dataclasses.dataclass(frozen=True)
class Identity:
    """chain, key: PEM; algorithm: as C2PA calls it; anchors: PEM of authorities that this user trusts; or ""."""

    chain: bytes
    key: bytes
    algorithm: str
    anchors: str = ""


def config_dir() -> Path:
    """The folder for what a user keeps: VIDGEN_CONFIG, or the platform's; it need not exist."""
    if chosen := os.environ.get("VIDGEN_CONFIG"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vidgen" / "config"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "vidgen"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "vidgen"


def load_identity(certificate: Path | None = None, key: Path | None = None) -> Identity:
    """What to sign with: the files given, or those of VIDGEN_CERTIFICATE and VIDGEN_PRIVATE_KEY, or of [signing] in
    config.toml (certificate, private_key), or a self-made one, which is made if there is none yet.

    Raises:
        FileNotFoundError, ValueError: a file is missing, is no such PEM, or others may read the key.
    """
    settings = _settings()
    certificate = certificate or _path(os.environ.get("VIDGEN_CERTIFICATE") or settings.get("certificate"))
    key = key or _path(os.environ.get("VIDGEN_PRIVATE_KEY") or settings.get("private_key"))
    if (certificate is None) != (key is None):
        raise ValueError("A certificate and its private key go together: give both, or neither for a self-made one.")
    if certificate is None or key is None:
        folder = config_dir() / "signing"
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        if not (certificate.is_file() and key.is_file()):
            _make(folder)
    for file in (certificate, key):
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {str(file)!r} to sign with.")
    _check_private(key)
    secret = key.read_bytes()
    return Identity(certificate.read_bytes(), secret, _algorithm(secret, key), trusted_anchors())


def trusted_anchors() -> str:
    """PEM of the authorities that are trusted: the file of VIDGEN_TRUST, and the self-made one."""
    named = _path(os.environ.get("VIDGEN_TRUST") or _settings().get("trust"))
    if named is not None and not named.is_file():
        raise FileNotFoundError(f"There is no file {str(named)!r} of authorities to trust (VIDGEN_TRUST).")
    files = [
        file for file in (named, config_dir() / "signing" / "authority.pem") if file is not None and file.is_file()
    ]
    return "\n".join(file.read_text() for file in files)


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _settings() -> dict[str, str]:
    """[signing] of config.toml."""
    file = config_dir() / "config.toml"
    if not file.is_file():
        return {}
    try:
        signing = tomllib.loads(file.read_text()).get("signing", {})
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file} is not TOML: {error}.") from error
    if unknown := sorted(signing.keys() - {"certificate", "private_key", "trust"}):
        raise ValueError(f"{file}: {', '.join(unknown)} is not known in [signing].")
    return signing


def _check_private(key: Path) -> None:
    """Raises a `ValueError` for a key that others can read."""
    if os.name == "posix" and key.stat().st_mode & 0o077:
        raise ValueError(f"The private key {str(key)!r} can be read by others: run chmod 600 on it.")


def _check_outside_repositories(folder: Path) -> None:
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            raise ValueError(
                f"A private key would be made in {str(folder)!r}, inside the repository {str(parent)!r}, from where it "
                f"could be published: name another folder by VIDGEN_CONFIG."
            )


def _make(folder: Path) -> None:
    """Writes key.pem, certificate.pem (the leaf, then its authority) and authority.pem. Several may try at once."""
    _check_outside_repositories(folder.absolute())
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        lock = os.open(folder / "making", os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ValueError(
            f"{str(folder)!r} is being filled by another vidgen, or one was stopped: try again, or delete the folder."
        ) from None
    try:
        key, leaf, authority = _self_made()
        _write(folder / "authority.pem", authority)
        _write(folder / "key.pem", key)
        _write(folder / "certificate.pem", leaf + authority)  # last: it tells that all is there
    finally:
        os.close(lock)
        (folder / "making").unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    """Writes a file that this user alone can read, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    partial.replace(path)


def _algorithm(secret: bytes, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is no private key in PEM without a password ({error}).") from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size in (256, 384, 521):
        return {256: "es256", 384: "es384", 521: "es512"}[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise ValueError(f"{str(path)!r} is a key of a kind that C2PA does not sign with: take P-256, Ed25519 or RSA.")


def _self_made() -> tuple[bytes, bytes, bytes]:
    """(private key, its certificate, the authority's), each in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vidgen, self-made"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey, issuer: ec.EllipticCurvePublicKey):
        begin = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name("authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=365 * _YEARS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )

    def usage(**true: bool) -> x509.KeyUsage:
        names = (
            "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
            "crl_sign encipher_only decipher_only"
        )
        return x509.KeyUsage(**{**dict.fromkeys(names.split(), False), **true})

    above, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, public = above.public_key(), key.public_key()
    authority = (
        builder(name("authority"), root, root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(above, hashes.SHA256())
    )
    leaf = (
        builder(name("signer"), public, root)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(above, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, leaf.public_bytes(serialization.Encoding.PEM), authority.public_bytes(serialization.Encoding.PEM)
