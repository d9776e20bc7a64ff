"""Secrets Manager and Parameter Store of the IAM emulator, with the parts of KMS that they need."""
