"""The least-privilege IAM policies."""
