"""A finding rendered for everybody who may get it."""

import json

from rekey.alerts import chat, document, mail
from rekey.alerts.finding import Finding
from rekey.alerts.ocsf import ocsf
from rekey.incident import Message, Place


def message(finding: Finding, place: Place | None = None) -> Message:
    """Return the finding in every form; as an OCSF event only where ``place`` is given.

    Amazon Q Developer subscribes to a topic by https. Every protocol without a body of its own is
    for programs (sqs, lambda, firehose, http, email-json) and gets the plain JSON.
    """
    plain = document.as_json(finding)
    subject = mail.subject(finding)
    return Message(
        subject=subject,
        bodies={
            "default": plain,
            "email": mail.body(finding),
            "https": chat.as_json(finding),
            "sms": subject,
            "application": subject,
        },
        attributes=_attributes(finding),
        detail_type=finding.wording.title,
        document=plain,
        for_people=finding.for_people,
        ocsf=_as_ocsf(finding, place) if place else "",
    )


def _as_ocsf(finding: Finding, place: Place) -> str:
    return json.dumps(ocsf(finding, place.account, place.region), ensure_ascii=False)


def _attributes(finding: Finding) -> dict[str, str]:
    """Return what a filter policy may ask for; SNS takes no empty value."""
    found = {
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "secret": finding.secret,
        "owner": finding.owner,
    }
    return {name: value for name, value in found.items() if value}
