"""What CloudFormation makes of the SAM template: `python -m local.transform [name=value ...]`.

Runs in the environment `sam`. cfn-lint reads a SAM template before its transform, and so misses
what only shows afterwards, such as circular dependencies. Prints JSON on standard output.
"""

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
# The transform takes code only from S3, which is where `sam deploy` puts it.
LOCAL_CODE = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
UPLOADED = {"Bucket": "code", "Key": "code.zip"}


def transformed(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template in plain CloudFormation, as these parameters make it."""
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        location = LOCAL_CODE.get(resource["Type"])
        if location:
            resource["Properties"][location] = UPLOADED
    translator = Translator(managed_policy_map={}, sam_parser=Parser())
    result: dict[str, Any] = translator.translate(template, dict(parameters))
    return result


def main() -> int:
    logging.getLogger("samtranslator").setLevel(logging.WARNING)
    parameters = dict(argument.split("=", 1) for argument in sys.argv[1:])
    json.dump(transformed(parameters), sys.stdout, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
