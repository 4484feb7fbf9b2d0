"""The tree of errors is a contract: the docstring, the classes and their names agree."""

import re

from rekey import errors


def defined() -> dict[str, type[BaseException]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }


def test_the_tree_in_the_docstring_names_every_class_once() -> None:
    drawn = re.findall(
        r"(?:^ {4}|─ )([A-Z]\w+)", (errors.__doc__ or "").split("::")[1], re.MULTILINE
    )
    assert sorted(drawn) == sorted(defined())


def test_everything_descends_from_one_root_and_says_what_it_means() -> None:
    for kind in defined().values():
        assert issubclass(kind, errors.RekeyError)
        assert kind.__doc__
