"""Checks of a deployment from the outside, one subject a module. Each yields findings and changes nothing."""
