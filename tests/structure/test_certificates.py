import datetime as dt
import hashlib

from cryptography import x509

from tests.structure.imports import PACKAGE

FOLDER = PACKAGE / "certificates"
BUNDLE = FOLDER / "rds-global-bundle.pem"
YEARS = dt.timedelta(days=5 * 365)


def certificates() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(BUNDLE.read_bytes())


def test_the_bundle_is_the_file_that_its_note_describes() -> None:
    note = (FOLDER / "SOURCE.md").read_text()
    assert hashlib.sha256(BUNDLE.read_bytes()).hexdigest() in note
    assert f"| {len(certificates())} certificates," in note


def test_every_certificate_is_a_root_of_amazon_rds_signed_by_itself() -> None:
    for certificate in certificates():
        certificate.verify_directly_issued_by(certificate)
        name = certificate.subject.rfc4514_string()
        assert "OU=Amazon RDS" in name
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_no_certificate_expires_within_five_years() -> None:
    ends = min(certificate.not_valid_after_utc for certificate in certificates())
    assert ends > dt.datetime.now(dt.UTC) + YEARS
