"""Assignments in nbgrader's format: student versions and variants from one source, and grading that trusts nothing."""
