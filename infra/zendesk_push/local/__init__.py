"""The whole stack on this machine: AWS by moto, created from template.yaml, around the real handlers."""
