"""An AWS account on this machine: MiniStack, plus what it lacks for Rekey, added in process.

Every module corrects one thing and offers `install()`, which `__main__` calls before the server
starts. `docs/local-account.md` says what this account can show and what it cannot.
"""
