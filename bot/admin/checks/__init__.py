"""What `doctor` looks at, one module a group of checks, in the order a person would look.

A group is an async generator of findings. It claims nothing that it has not seen: what can't be
told from here is said to be so, with the page on which to look.
"""
