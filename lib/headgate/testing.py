"""The pytest fixture `headgate_suite`: a suite's steps and rules on rows written in a test."""

from headgate.doors.testing import GivenSuite, GivenTable, given_suite, headgate_suite

__all__ = ["GivenSuite", "GivenTable", "given_suite", "headgate_suite"]
