"""Connections that an engine makes verify whom they talk to."""

import ssl

from rekey.engines.tls import own_certificates, verified_context


def test_a_certificate_and_its_host_name_are_required() -> None:
    context = verified_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_roots_of_amazon_rds_are_trusted() -> None:
    subjects = [str(certificate["subject"]) for certificate in verified_context().get_ca_certs()]
    assert sum("Amazon RDS " in subject for subject in subjects) > 50


def test_the_operator_s_own_authorities_lie_beside_the_package_s_folder() -> None:
    """The layer unpacks to /opt/python/rekey; a layer of one's own to /opt/certificates."""
    assert own_certificates() == []
