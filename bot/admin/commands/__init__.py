"""The commands of `python -m bot`, one module for each word after it.

Each imports what it works with only when it runs: `--help` should not wait for a database driver.
"""
