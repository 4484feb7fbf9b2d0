"""The two functions that are compared: Rekey's, and the floor under it.

The floor makes the same calls, logins and statements, and decides nothing. Both are timed alike.
"""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.application import Application
from benchmarks.recording import Script, record
from benchmarks.stage import Stage
from rekey.model import Strategy

OWN = Path(__file__).with_name("functions")
HANDLER = "timed.handler"
# Folders are read-only on Lambda: a function finds compiled what was deployed compiled, no more.
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}


def time_rekey(stage: Stage) -> None:
    """Rekey's function as deployed, with the timed handler around its own."""
    code = _archive(stage, {"timed.py": (OWN / "timed.py").read_text()})
    stage.functions.update_function_code(FunctionName=stage.function_arn, ZipFile=code)
    stage.functions.update_function_configuration(FunctionName=stage.function_arn, Handler=HANDLER)
    stage.set_environment(stage.function_arn, **ENVIRONMENT)


def deploy_floor(stage: Stage, strategy: Strategy) -> Application:
    """An application like those that Rekey rotates, rotated by the floor."""
    login, script = record(stage, strategy)
    name = f"floor-{strategy}-{secrets.token_hex(3)}"
    return Application(stage, strategy, _create_function(stage, name, script), login)


def _create_function(stage: Stage, name: str, script: Script) -> str:
    """With the driver as it was built, and with the rights and the size of Rekey's function."""
    model = stage.functions.get_function_configuration(FunctionName=stage.function_arn)
    arn = f"{stage.function_arn.rpartition(':')[0]}:{name}"
    sources = {
        "app.py": (OWN / "floor.py").read_text(),
        "timed.py": (OWN / "timed.py").read_text(),
        "script.json": json.dumps(script),
    }
    answer = stage.functions.create_function(
        FunctionName=name,
        Runtime=model["Runtime"],
        Handler=HANDLER,
        Role=_create_role(stage, name, arn, model["Role"].rpartition("/")[2]),
        Code={"ZipFile": _archive(stage, sources)},
        Timeout=model["Timeout"],
        MemorySize=model["MemorySize"],
        Environment={"Variables": ENVIRONMENT},
    )
    stage.functions.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=arn.split(":")[4],
    )
    return str(answer["FunctionArn"])


def _create_role(stage: Stage, name: str, function_arn: str, model: str) -> str:
    """The same statements, so that checking rights costs the same."""
    iam: Any = stage.account.client("iam")
    trust = iam.get_role(RoleName=model)["Role"]["AssumeRolePolicyDocument"]
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    for policy in iam.list_role_policies(RoleName=model)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=model, PolicyName=policy)["PolicyDocument"]
        text = json.dumps(document).replace(stage.function_arn, function_arn)
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
    return str(role["Arn"])


def _archive(stage: Stage, sources: Mapping[str, str]) -> bytes:
    """The function as `sam build` left it, with these files more or other ones."""
    folder, content = stage.built / "RotatePostgresqlFunction", io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder)
            if str(name) not in sources and not _is_compiled(name, sources):
                archive.write(path, name)
        for name_of_source, text in sources.items():
            archive.writestr(name_of_source, text)
    return content.getvalue()


def _is_compiled(name: Path, sources: Mapping[str, str]) -> bool:
    return name.parent == Path("__pycache__") and f"{name.name.split('.')[0]}.py" in sources
