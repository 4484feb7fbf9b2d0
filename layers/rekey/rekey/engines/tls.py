"""TLS contexts that verify the certificate and the host name."""

import functools
import ssl
from importlib import resources
from pathlib import Path

RDS_BUNDLE = "rds-global-bundle.pem"


@functools.cache
def verified_context() -> ssl.SSLContext:
    """Return a context that trusts the system's, Amazon RDS's and the operator's own CAs.

    Not ``ssl.create_default_context``: from Python 3.13 on it sets VERIFY_X509_STRICT, which
    refuses Amazon's older RDS roots for their missing extensions.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    bundle = resources.files("rekey") / "certificates" / RDS_BUNDLE
    context.load_verify_locations(cadata=bundle.read_text(encoding="ascii"))
    for path in own_certificates():
        context.load_verify_locations(cafile=path)
    return context


def own_certificates() -> list[Path]:
    """Return the PEM files of the operator's layer: ``/opt/certificates/*.pem`` on AWS.

    This package lies in ``/opt/python/rekey``; Lambda unpacks all layers into one ``/opt``.
    """
    layers = Path(__file__).resolve().parents[3]
    return sorted((layers / "certificates").glob("*.pem"))
